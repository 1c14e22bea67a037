//! What a report brings is kept, even where the report is no news; and where an attempt failed whose report does not say.

use domain::{EventKind, FailureReport, Interchange, Phase, Reentry, Report, ReportKind, Status, Verdict};

use super::{at, by_hand, change, failed_at_two, failure, flow, judge, kinds, meta, report, waiting};

fn bare() -> FailureReport {
    FailureReport { phase: None, sender_payload: None, receiver_payload: None, ..failure() }
}

fn told(attempt: impl Into<Option<u32>>, occurred: impl Into<Option<&'static str>>, failure: FailureReport) -> Report {
    report(attempt, occurred, ReportKind::Failed(Box::new(failure)))
}

/// Attempt 1 failed at 14:00, and nothing was told but that.
fn empty_handed() -> Interchange {
    change(judge(None, &told(1, "14:00", bare()), "14:00")).after
}

fn numbers(interchange: &Interchange) -> Vec<u32> {
    interchange.receiver_payloads.0.iter().map(|revision| revision.number).collect()
}

#[test]
fn payloads_that_come_with_a_second_report_of_the_same_failure_are_kept() {
    for (attempt, occurred) in [(Some(1), Some("14:00")), (Some(1), None), (None, None), (None, Some("14:00"))] {
        let known = empty_handed();
        let again = told(attempt, occurred, failure());
        let change = change(judge(Some(&known), &again, "14:01"));
        assert_eq!(kinds(&change), ["late_outcome"]);
        let after = &change.after;
        assert_eq!(
            (after.status, after.next_retry_at, after.failure),
            (known.status, known.next_retry_at, known.failure)
        );
        let [sender, receiver] = [&after.sender_payloads, &after.receiver_payloads].map(|side| side.current().cloned());
        assert_eq!(receiver.as_ref().map(|revision| (&revision.meta, revision.event)), Some((&meta(b"<a/>"), 3)));
        let EventKind::LateOutcome { sender_payload, receiver_payload, .. } = &change.events[0].kind else { panic!() };
        assert_eq!((sender_payload, receiver_payload), (&sender, &receiver));
        assert_eq!(judge(Some(after), &again, "14:02"), Verdict::Repeat);
        assert!(after.clone().reenter(Reentry::Retry, &by_hand(), &flow(), at("14:10")).is_ok());
    }
}

#[test]
fn a_payload_of_an_earlier_attempt_is_kept_and_is_not_what_is_sent() {
    let earlier = FailureReport { receiver_payload: Some(meta(b"<earlier/>")), ..bare() };
    let late = change(judge(Some(&waiting()), &told(1, "14:12", earlier), "14:12")).after;
    assert_eq!((late.status, late.flight.as_ref().unwrap().payload.number), (Status::WaitingForRetry, 1));
    assert_eq!((numbers(&late), late.receiver_payloads.current().unwrap().number), (vec![2, 1], 1));
    assert_eq!(late.receiver_payloads.revision(2).unwrap().meta, meta(b"<earlier/>"));
    let mended = FailureReport { receiver_payload: Some(meta(b"<mended/>")), ..bare() };
    let failed = change(judge(Some(&late), &told(2, "14:13", mended), "14:13")).after;
    assert_eq!((numbers(&failed), failed.receiver_payloads.current().unwrap().number), (vec![2, 1, 3], 3));
}

#[test]
fn without_an_attempt_a_repeat_that_brings_a_payload_speaks_of_the_attempt_before_the_one_in_flight() {
    let earlier = told(None, None, FailureReport { receiver_payload: Some(meta(b"<earlier/>")), ..bare() });
    let late = change(judge(Some(&waiting()), &earlier, "14:09"));
    assert_eq!((late.events[0].attempt, late.after.receiver_payloads.current().unwrap().number), (1, 1));
    assert_eq!(judge(Some(&late.after), &earlier, "14:09"), Verdict::Repeat);
}

#[test]
fn what_was_deleted_stays_without_payloads() {
    let deleted = empty_handed().delete(&by_hand(), &flow(), at("14:10")).unwrap().after;
    assert_eq!(judge(Some(&deleted), &told(1, "14:00", failure()), "14:12"), Verdict::Repeat);
}

#[test]
fn where_an_attempt_failed_follows_from_how_it_began_unless_its_report_says() {
    let restarted = failed_at_two().reenter(Reentry::Restart, &by_hand(), &flow(), at("14:10")).unwrap().after;
    let mapped = FailureReport { receiver_payload: Some(meta(b"<b/>")), ..bare() };
    let says = FailureReport { phase: Some(Phase::Processing), ..bare() };
    let table = [
        (Some(waiting()), 2, bare(), Phase::Delivery),
        (Some(waiting()), 2, says, Phase::Processing),
        (Some(restarted.clone()), 2, bare(), Phase::Processing),
        (Some(restarted), 2, mapped.clone(), Phase::Delivery),
        // The pipeline ran it by itself.
        (Some(waiting()), 3, bare(), Phase::Processing),
        (None, 1, bare(), Phase::Processing),
        (None, 1, mapped, Phase::Delivery),
    ];
    for (known, attempt, failure, phase) in table {
        let after = change(judge(known.as_ref(), &told(attempt, "14:12", failure.clone()), "14:12")).after;
        assert_eq!(after.phase, phase, "{attempt} {failure:?}");
    }
    // It failed in delivery, and once more without an attempt.
    let later = change(judge(Some(&failed_at_two()), &told(None, "14:03", bare()), "14:04")).after;
    assert_eq!(later.phase, Phase::Delivery);
}
