//! Attempt numbers and times that cannot be right: the report counts, the field does not, and the event says so.

use domain::{Event, MAX_ATTEMPT_JUMP, Received, ReportKind, Status, Verdict, receive};

use super::{at, change, failed, failed_at_two, flow, judge, report, waiting};

fn warned(event: &Event) -> Vec<&str> {
    event.warnings.iter().map(|warning| warning.field.as_str()).collect()
}

#[test]
fn an_attempt_may_be_a_thousand_ahead_and_one_further_is_left_out_with_a_warning() {
    for (known, newest) in [(None, 0), (Some(failed_at_two()), 1), (Some(waiting()), 2)] {
        let most = newest + MAX_ATTEMPT_JUMP;
        let taken = change(judge(known.as_ref(), &report(most, "14:12", failed()), "14:12"));
        assert_eq!((taken.after.attempt, warned(&taken.events[0])), (most, vec![]));
        let beyond = change(judge(known.as_ref(), &report(most + 1, "14:12", failed()), "14:12"));
        assert_eq!((beyond.after.status, beyond.after.attempt), (Status::Failed, newest.max(1)));
        assert_eq!(warned(&beyond.events[0]), ["attempt"]);
        assert!(beyond.events[0].warnings[0].problem.contains(&(most + 1).to_string()));
        assert!(beyond.events[1..].iter().all(|event| event.warnings.is_empty()));
    }
}

#[test]
fn an_attempt_that_is_left_out_makes_no_message_untouchable() {
    let taken = change(judge(None, &report(1_000_000, "14:00", failed()), "14:00")).after;
    let cause = super::by_hand();
    assert!(taken.reenter(domain::Reentry::Retry, &cause, &flow(), at("14:10")).is_ok());
}

#[test]
fn a_time_after_the_report_was_sent_counts_as_when_it_was_sent() {
    let mut early = report(2, None, ReportKind::Completed);
    early.occurred_at = Some("2099-01-01T00:00:00Z".parse().unwrap());
    let done = change(judge(Some(&waiting()), &early, "14:12"));
    assert_eq!(
        (warned(&done.events[0]), done.after.completion),
        (vec!["occurredAt"], Some(domain::Completion::Reported(at("14:12"))))
    );
    // So what really happens later counts.
    let failed = change(judge(Some(&done.after), &report(2, "14:13", failed()), "14:14"));
    assert_eq!((failed.after.status, warned(&failed.events[0])), (Status::Failed, vec![]));
}

#[test]
fn a_time_within_the_millisecond_of_the_queue_is_taken_as_it_is() {
    let mut precise = report(1, None, failed());
    precise.occurred_at = at("14:00").checked_add(jiff::SignedDuration::from_nanos(900_000)).ok();
    let taken = change(judge(None, &precise, "14:00"));
    assert_eq!((taken.after.failure.at, warned(&taken.events[0])), (precise.occurred_at.unwrap(), vec![]));
}

#[test]
fn a_report_that_waited_in_the_queue_is_compared_with_when_it_was_sent() {
    let flow = flow();
    let received = Received { queued_at: at("14:12"), now: at("15:30"), flow: &flow, epoch: domain::Epoch::FIRST };
    let done = change(receive(Some(waiting()), &report(2, "14:20", ReportKind::Completed), received));
    assert_eq!(done.after.completion, Some(domain::Completion::Reported(at("14:12"))));
}

#[test]
fn what_the_reading_of_a_report_replaced_is_in_its_first_event() {
    let mut told = report(1_000_000, "14:00", failed());
    told.warnings.push(domain::Warning::new("error.category", "is `odd`: unknown"));
    let taken = change(judge(None, &told, "14:00"));
    assert_eq!(warned(&taken.events[0]), ["error.category", "attempt"]);
    assert_eq!(judge(Some(&failed_at_two()), &report(1, "14:00", failed()), "14:02"), Verdict::Repeat);
}
