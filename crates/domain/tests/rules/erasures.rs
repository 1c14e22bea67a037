//! Erasing: which statuses it takes, what goes and what stays.

use domain::{ErrorInfo, EventKind, JobAction, Part, PartStatus, Parties, Refusal, Status, Verdict};

use super::{at, by_hand, change, failed, failed_at_two, judge, kinds, report, waiting};

#[test]
fn an_interchange_of_every_status_but_erased_can_be_erased_once() {
    for status in Status::ALL {
        let mut interchange = failed_at_two();
        interchange.status = status;
        let erased = interchange.erase(&by_hand(), at("15:00"));
        match status {
            Status::Erased => assert_eq!(erased.unwrap_err(), Refusal::Erased),
            _ => assert_eq!(erased.unwrap().after.status, Status::Erased, "{}", status.as_str()),
        }
    }
}

#[test]
fn what_was_written_goes_and_ids_digests_and_the_reason_stay() {
    let mut before = failed_at_two();
    let text = || Some("Erika".to_owned());
    before.parties =
        Parties { sender: text(), partner: text(), source_id: Some("PO-1".to_owned()), ..Parties::default() };
    before.origin = text();
    before.error = ErrorInfo { code: text(), message: text(), ..before.error };
    before.parts = vec![Part { id: "1".to_owned(), status: PartStatus::Failed, message: text() }];
    let digest = before.sender_payloads.current().unwrap().meta.digest;
    let erased = before.erase(&by_hand(), at("15:00")).unwrap();
    assert!(!format!("{:?}", erased.after).contains("Erika"));
    assert_eq!(erased.after.parties.source_id.as_deref(), Some("PO-1"));
    assert_eq!(erased.after.sender_payloads.current().unwrap().meta.digest, digest);
    assert_eq!((erased.after.due, erased.after.next_retry_at), (None, None), "it is retried no more");
    assert_eq!(kinds(&erased), ["erased"]);
    assert!(matches!(&erased.events[0].kind, EventKind::Erased { reason, .. } if reason == "partner is back"));
}

#[test]
fn the_log_keeps_its_events_without_their_texts() {
    let failure = change(judge(None, &report(1, "14:00", failed()), "14:00"));
    let sent = failure.after.clone().reenter(domain::Reentry::Retry, &by_hand(), &super::flow(), at("14:10")).unwrap();
    let events: Vec<_> = failure.events.into_iter().chain(sent.events).collect();
    let facts =
        |events: &[domain::Event]| events.iter().map(|e| (e.sequence, e.at, e.kind.as_str())).collect::<Vec<_>>();
    let expected = facts(&events);
    let erased: Vec<_> = events.into_iter().map(domain::Event::without_texts).collect();
    assert_eq!(facts(&erased), expected);
    let text = format!("{erased:?}");
    assert!(!text.contains("connect timeout") && !text.contains("partner is back"), "{text}");
}

#[test]
fn a_late_outcome_of_what_is_erased_changes_no_status() {
    let erased = waiting().erase(&by_hand(), at("15:00")).unwrap().after;
    let outcome = report(2, "15:10", failed());
    let late = change(judge(Some(&erased), &outcome, "15:10"));
    assert_eq!((late.after.status, &late.after.error.message), (Status::Erased, &None));
    assert_eq!(kinds(&late), ["late_outcome"]);
    assert!(matches!(judge(Some(&late.after), &outcome, "15:11"), Verdict::Repeat));
}

#[test]
fn a_job_that_erases_takes_every_status_where_it_names_none() {
    let statuses = JobAction::Erase.statuses();
    assert_eq!(statuses.len(), Status::ALL.len() - 1);
    assert!(!statuses.contains(&Status::Erased));
    assert_eq!(JobAction::Delete.statuses(), [Status::Failed, Status::PartiallyFailed]);
}
