//! What a report comes to: news, a repeat, or an outcome of something that never failed.

use domain::{
    Category, Completion, Confirmation, ConfirmationMode, ErrorInfo, EventKind, Extent, FailureReport, Flow,
    Interchange, Known, Part, PartStatus, ReportKind, Slot, Status, Verdict,
};

use jiff::SignedDuration;

use super::{RECORDED, at, change, failed, failed_at_two, failure, flow, judge, kinds, meta, report, waiting};

fn failing(told: FailureReport) -> ReportKind {
    ReportKind::Failed(Box::new(told))
}

/// Attempt 2 was sent at 14:10 and silence made it completed at 14:25.
fn assumed() -> Interchange {
    let silent = Confirmation { mode: ConfirmationMode::Silent, ..Confirmation::default() };
    let flow = Flow { confirmation: silent, ..flow() };
    let waiting = waiting();
    let slot = Slot { minute: waiting.due.unwrap(), flow: flow.name.clone() };
    waiting.overdue(&slot, &flow, RECORDED, at("14:25")).unwrap().after
}

#[test]
fn a_first_failure_is_logged_and_given_its_next_retry() {
    let change = change(judge(None, &report(1, "14:00", failed()), "14:00"));
    assert_eq!(kinds(&change), ["failed", "retry_scheduled"]);
    let after = change.after;
    assert_eq!((after.status, after.attempt, after.tries, after.automatic), (Status::Failed, 1, 0, 0));
    assert_eq!(after.next_retry_at.unwrap().timestamp(), at("14:05"));
    assert_eq!((after.due, after.sequence, after.version), (after.next_retry_at, 2, 0));
}

#[test]
fn five_identical_reports_are_one_change() {
    for attempt in [Some(1), None] {
        let same = report(attempt, "14:00", failed());
        let mut known = None;
        let changes = (0..5).filter(|_| match judge(known.as_ref(), &same, "14:01") {
            Verdict::Change(change) => {
                known = Some(change.after);
                true
            }
            _ => false,
        });
        assert_eq!(changes.count(), 1);
        assert_eq!(known.unwrap().sequence, 2);
    }
}

#[test]
fn only_a_partial_failure_is_partially_failed() {
    let parts = vec![Part { id: "a".to_owned(), status: PartStatus::Failed, message: None }];
    for (extent, status, logged) in
        [(Extent::Partial, Status::PartiallyFailed, "partially_failed"), (Extent::Whole, Status::Failed, "failed")]
    {
        let told = failing(FailureReport { extent, parts: parts.clone(), ..failure() });
        let change = change(judge(None, &report(1, "14:00", told), "14:00"));
        assert_eq!((change.after.status, kinds(&change)[0]), (status, logged));
        assert_eq!(change.after.parts, parts);
    }
}

#[test]
fn an_attempt_that_fails_again_leaves_what_it_does_not_tell() {
    let bare = FailureReport {
        sender_payload: None,
        receiver_payload: Some(meta(b"<b/>")),
        error: ErrorInfo { category: Category::Business, code: None, message: None },
        ..failure()
    };
    let change = change(judge(Some(&waiting()), &report(2, "14:12", failing(bare)), "14:12"));
    let after = &change.after;
    assert_eq!((after.status, after.attempt, after.flight.is_none()), (Status::Failed, 2, true));
    assert_eq!(after.sender_payloads.current().unwrap().meta, meta(b"UNB"));
    assert_eq!(after.receiver_payloads.current().unwrap().number, 2);
    assert_eq!(after.error.category, Category::Business);
}

#[test]
fn in_network_comes_before_completed_and_has_a_deadline_of_its_own() {
    let network = change(judge(Some(&waiting()), &report(2, "14:11", ReportKind::InNetwork), "14:11"));
    let deadline = network.after.due.map(domain::Minute::timestamp);
    assert_eq!((network.after.status, deadline), (Status::InNetwork, Some("2026-11-21T14:11:00Z".parse().unwrap())));
    let again = judge(Some(&network.after), &report(2, "14:20", ReportKind::InNetwork), "14:20");
    assert_eq!(again, Verdict::Repeat);
    let done = change(judge(Some(&network.after), &report(2, "14:12", ReportKind::Completed), "14:12"));
    assert_eq!(done.after.status, Status::Completed);
    assert_eq!(done.after.completion, Some(Completion::Reported(at("14:12"))));
    assert_eq!((done.after.due, done.after.next_retry_at, done.after.flight), (None, None, None));
}

#[test]
fn the_deadline_in_the_network_counts_from_when_it_got_there_and_is_always_still_to_come() {
    let within =
        |hours| Confirmation { in_network_within: Some(SignedDuration::from_hours(hours)), ..Confirmation::default() };
    let off = Confirmation { in_network_within: None, ..Confirmation::default() };
    for (confirmation, occurred, now, deadline) in [
        (within(2), "14:11:30", "14:13", Some("16:12")),
        // The pipeline's clock is ahead.
        (within(2), "15:40", "14:13", Some("16:13")),
        // It is told when it is over already.
        (within(2), "14:11", "17:30", Some("17:31")),
        (off, "14:11", "14:13", None),
    ] {
        let flow = Flow { confirmation, ..flow() };
        let known =
            change(super::judge_under(&flow, Some(&waiting()), &report(2, occurred, ReportKind::InNetwork), now));
        assert_eq!(known.after.due.map(domain::Minute::timestamp), deadline.map(at), "{occurred} {now}");
        assert_eq!((known.after.status, known.after.next_retry_at), (Status::InNetwork, None));
    }
}

#[test]
fn an_older_attempt_is_logged_as_late_once_and_changes_no_status() {
    let waiting = waiting();
    let late = report(1, "14:12", ReportKind::Completed);
    let logged = change(judge(Some(&waiting), &late, "14:12"));
    assert_eq!(kinds(&logged), ["late_outcome"]);
    let event = &logged.events[0];
    assert_eq!(event.attempt, 1);
    let (sender_payload, receiver_payload) = (None, None);
    let kind = EventKind::LateOutcome {
        outcome: Known::Completed,
        occurred_at: at("14:12"),
        sender_payload,
        receiver_payload,
    };
    assert_eq!(event.kind, kind);
    assert_eq!((logged.after.status, logged.after.attempt, logged.after.due), (waiting.status, 2, waiting.due));
    assert_eq!(judge(Some(&logged.after), &late, "14:13"), Verdict::Repeat);
}

#[test]
fn an_attempt_ahead_of_ours_is_taken_as_it_is() {
    for known in [failed_at_two(), waiting()] {
        let ahead = change(judge(Some(&known), &report(5, "14:12", failed()), "14:12"));
        assert_eq!((ahead.after.status, ahead.after.attempt), (Status::Failed, 5));
        let done = change(judge(Some(&known), &report(5, "14:12", ReportKind::Completed), "14:12"));
        assert_eq!((done.after.status, done.after.attempt), (Status::Completed, 5));
        assert_eq!(judge(Some(&done.after), &report(5, "14:12", ReportKind::Completed), "14:13"), Verdict::Repeat);
    }
}

#[test]
fn without_an_attempt_a_report_queued_before_the_re_entry_is_a_repeat() {
    let early = judge(Some(&waiting()), &report(None, None, failed()), "14:09");
    assert_eq!(early, Verdict::Repeat);
    let after = change(judge(Some(&waiting()), &report(None, None, failed()), "14:11")).after;
    assert_eq!((after.status, after.attempt), (Status::Failed, 2));
    // It was sent at 14:10 and put back on the queue in that very instant.
    assert_eq!(change(judge(Some(&waiting()), &report(None, None, ReportKind::Completed), "14:10")).after.attempt, 2);
}

#[test]
fn without_an_attempt_and_with_nothing_in_flight_only_a_later_event_is_news() {
    let known = failed_at_two();
    for (occurred, news) in [(None, false), (Some("13:59"), false), (Some("14:00"), false), (Some("14:03"), true)] {
        let verdict = judge(Some(&known), &report(None, occurred, failed()), "14:04");
        assert_eq!(matches!(verdict, Verdict::Change(_)), news, "{occurred:?}");
    }
    let done = change(judge(Some(&known), &report(None, "14:03", ReportKind::Completed), "14:04"));
    assert_eq!((done.after.status, done.after.attempt), (Status::Completed, 1));
}

#[test]
fn a_failure_overrules_an_assumed_completion() {
    let assumed = assumed();
    assert_eq!((assumed.status, assumed.completion), (Status::Completed, Some(Completion::Assumed)));
    let after = change(judge(Some(&assumed), &report(2, "14:12", failed()), "14:40")).after;
    assert_eq!((after.status, after.completion, after.automatic), (Status::Failed, None, 0));
    assert!(after.next_retry_at.is_some());
}

#[test]
fn a_reported_completion_takes_the_place_of_an_assumed_one() {
    let after = change(judge(Some(&assumed()), &report(2, "14:12", ReportKind::Completed), "14:40")).after;
    assert_eq!(after.completion, Some(Completion::Reported(at("14:12"))));
}

#[test]
fn a_deleted_interchange_stays_deleted_and_logs_what_comes_late() {
    let deleted = failed_at_two().delete(&super::by_hand(), &flow(), at("14:10")).unwrap().after;
    let late = change(judge(Some(&deleted), &report(1, "14:12", ReportKind::Completed), "14:12"));
    assert_eq!((late.after.status, kinds(&late)), (Status::Deleted, vec!["late_outcome"]));
    assert_eq!(judge(Some(&deleted), &report(1, "14:00", failed()), "14:12"), Verdict::Repeat);
}

#[test]
fn what_fails_after_it_was_resolved_starts_its_schedule_again() {
    let mut done = change(judge(Some(&waiting()), &report(2, "14:12", ReportKind::Completed), "14:12")).after;
    done.automatic = 5;
    let after = change(judge(Some(&done), &report(3, "15:00", failed()), "15:00")).after;
    assert_eq!((after.automatic, after.next_retry_at.unwrap().timestamp()), (0, at("15:05")));
}

/// Attempt 2 was sent at 14:10 and silence made it a failure at 14:25.
fn silent_failure() -> Interchange {
    let waiting = waiting();
    let slot = Slot { minute: waiting.due.unwrap(), flow: flow().name };
    waiting.overdue(&slot, &flow(), RECORDED, at("14:25")).unwrap().after
}

#[test]
fn a_failure_that_was_only_assumed_gives_way_to_whatever_really_happened() {
    let completed = change(judge(Some(&silent_failure()), &report(2, "14:12", ReportKind::Completed), "14:30")).after;
    assert_eq!((completed.status, completed.next_retry_at), (Status::Completed, None));
    let failed = change(judge(Some(&silent_failure()), &report(2, "14:12", failed()), "14:30")).after;
    assert_eq!((failed.status, failed.error.category), (Status::Failed, Category::System));
    let again = judge(Some(&failed), &report(2, "14:12", super::failed()), "14:31");
    assert_eq!(again, Verdict::Repeat);
}

#[test]
fn in_network_after_a_completion_is_not_completed_any_more() {
    let completed = change(judge(Some(&waiting()), &report(2, "14:12", ReportKind::Completed), "14:12")).after;
    let ahead = change(judge(Some(&completed), &report(3, "14:20", ReportKind::InNetwork), "14:20")).after;
    assert_eq!((ahead.status, ahead.completion), (Status::InNetwork, None));
}

#[test]
fn what_fails_after_it_was_deleted_has_only_the_payloads_that_came_with_that_failure() {
    let deleted = failed_at_two().delete(&super::by_hand(), &flow(), at("14:10")).unwrap().after;
    let without = ReportKind::Failed(Box::new(FailureReport { sender_payload: None, ..failure() }));
    let again = change(judge(Some(&deleted), &report(2, "14:20", without), "14:20")).after;
    assert_eq!((again.status, again.sender_payloads.current()), (Status::Failed, None));
    assert!(again.receiver_payloads.current().is_some());
}

#[test]
fn a_report_queued_in_the_millisecond_of_the_send_may_be_its_outcome() {
    let sent_at = at("14:10").checked_add(jiff::SignedDuration::from_nanos(900_000)).unwrap();
    let waiting = failed_at_two().reenter(domain::Reentry::Retry, &super::by_hand(), &flow(), sent_at).unwrap().after;
    let outcome = change(judge(Some(&waiting), &report(None, None, ReportKind::Completed), "14:10")).after;
    assert_eq!(outcome.status, Status::Completed);
}
