//! Outcomes that come before the failure of their attempt.

use domain::{Change, Confirmation, Flow, Interchange, Report, ReportKind, Status, Verdict};

use super::{at, change, failed, failed_at_two, flow, judge, judge_under, kinds, report};

/// What is known once the outcome came and nothing else.
fn early(attempt: impl Into<Option<u32>>, occurred: &'static str, kind: ReportKind) -> Interchange {
    let change = change(judge(None, &report(attempt, occurred, kind), "14:10"));
    assert!(change.after.is_early() && change.events.is_empty());
    change.after
}

fn meets(early: &Interchange, failure: &Report) -> Change {
    let change = change(judge(Some(early), failure, "14:11"));
    assert!(!change.after.is_early());
    change
}

#[test]
fn a_failure_that_happened_before_its_completion_is_kept_as_completed_with_its_log() {
    for attempt in [Some(1), None] {
        let met = meets(&early(attempt, "14:02", ReportKind::Completed), &report(1, "14:01", failed()));
        assert_eq!((met.after.status, kinds(&met)), (Status::Completed, vec!["failed", "completed"]));
        assert_eq!((met.after.due, met.after.next_retry_at, met.after.attempt), (None, None, 1));
        assert!(met.after.sender_payloads.current().is_some());
    }
}

#[test]
fn the_outcome_and_the_failure_come_to_the_same_whichever_arrives_first() {
    for (outcome, expected) in [("14:00:30", Status::Completed), ("13:59", Status::Failed)] {
        let completed = report(1, outcome, ReportKind::Completed);
        let after_it = match judge(Some(&failed_at_two()), &completed, "14:10") {
            Verdict::Change(change) => change.after.status,
            Verdict::Repeat | Verdict::NeverFailed => Status::Failed,
        };
        let met = meets(&early(1, outcome, ReportKind::Completed), &report(1, "14:00", failed()));
        assert_eq!((after_it, met.after.status), (expected, expected), "{outcome}");
    }
}

#[test]
fn a_failure_after_its_early_completion_is_failed_and_the_log_has_both() {
    let met = meets(&early(1, "14:02", ReportKind::Completed), &report(1, "14:03", failed()));
    assert_eq!(kinds(&met), ["failed", "retry_scheduled", "late_outcome"]);
    assert!(met.after.next_retry_at.is_some());
    // Both are known.
    assert_eq!(judge(Some(&met.after), &report(1, "14:02", ReportKind::Completed), "14:12"), Verdict::Repeat);
}

#[test]
fn attempts_decide_before_times() {
    let of_the_second = meets(&early(2, "14:02", ReportKind::Completed), &report(1, "14:03", failed()));
    assert_eq!((of_the_second.after.status, of_the_second.after.attempt), (Status::Completed, 2));
    let of_the_first = meets(&early(1, "14:02", ReportKind::Completed), &report(2, "14:01", failed()));
    assert_eq!((of_the_first.after.status, of_the_first.after.attempt), (Status::Failed, 2));
}

#[test]
fn an_early_in_network_has_its_deadline_when_the_failure_comes() {
    let met = meets(&early(1, "14:02", ReportKind::InNetwork), &report(1, "14:01", failed()));
    let deadline = met.after.due.map(domain::Minute::timestamp);
    assert_eq!((met.after.status, deadline), (Status::InNetwork, "2026-11-21T14:02:00Z".parse().ok()));
}

#[test]
fn of_two_early_outcomes_the_later_attempt_counts_and_of_one_attempt_the_completion() {
    let network = early(1, "14:02", ReportKind::InNetwork);
    let done = change(judge(Some(&network), &report(1, "14:01", ReportKind::Completed), "14:11")).after;
    assert_eq!((done.status, done.is_early()), (Status::Completed, true));
    for repeat in [report(1, "14:01", ReportKind::Completed), report(1, "14:05", ReportKind::InNetwork)] {
        assert_eq!(judge(Some(&done), &repeat, "14:12"), Verdict::Repeat);
    }
    let second = change(judge(Some(&done), &report(2, "14:03", ReportKind::InNetwork), "14:13")).after;
    assert_eq!((second.status, second.attempt), (Status::InNetwork, 2));
}

#[test]
fn an_early_outcome_is_forgotten_after_fourteen_days_and_counts_in_its_own_flow_only() {
    let done = early(1, "14:02", ReportKind::Completed);
    let late = Interchange {
        failure: domain::Failure { at: at("14:02"), recorded_at: "2026-11-01T00:00:00Z".parse().unwrap() },
        ..done.clone()
    };
    let foreign = Interchange { flow: domain::FlowName::new("invoices").unwrap(), ..done };
    for known in [late, foreign] {
        let met = meets(&Interchange { version: 3, ..known }, &report(1, "14:01", failed()));
        assert_eq!(
            (met.after.status, met.after.version, kinds(&met)),
            (Status::Failed, 3, vec!["failed", "retry_scheduled"])
        );
    }
}

#[test]
fn a_flow_may_do_without_early_outcomes() {
    let flow = Flow { confirmation: Confirmation { early: false, ..Confirmation::default() }, ..flow() };
    for kind in [ReportKind::Completed, ReportKind::InNetwork] {
        assert_eq!(judge_under(&flow, None, &report(1, "14:00", kind), "14:00"), Verdict::NeverFailed);
    }
}
