//! Two outcomes of one attempt, arriving in either order: the event time decides, not the arrival.

use domain::{Interchange, Report, ReportKind, Status, Verdict};

use super::{failed, judge, report, waiting};

fn after(known: Interchange, report: &Report) -> Interchange {
    match judge(Some(&known), report, "14:20") {
        Verdict::Change(change) => change.after,
        Verdict::Repeat | Verdict::NeverFailed => known,
    }
}

fn attempt_two(kind: ReportKind, occurred: &'static str) -> Report {
    report(2, occurred, kind)
}

#[test]
fn of_two_outcomes_the_one_that_happened_last_counts_in_whatever_order_they_arrive() {
    use ReportKind::{Completed, InNetwork};
    let table = [
        (failed(), Completed, Status::Completed),
        (Completed, failed(), Status::Failed),
        (InNetwork, Completed, Status::Completed),
        (InNetwork, failed(), Status::Failed),
    ];
    for (first, last, expected) in table {
        let [first, last] = [attempt_two(first, "14:11"), attempt_two(last, "14:12")];
        let in_order = after(after(waiting(), &first), &last);
        let in_disorder = after(after(waiting(), &last), &first);
        assert_eq!((in_order.status, in_disorder.status), (expected, expected), "{first:?} {last:?}");
    }
}

#[test]
fn what_comes_too_late_to_count_is_in_the_log() {
    let done = after(waiting(), &attempt_two(ReportKind::Completed, "14:12"));
    let late = after(done.clone(), &attempt_two(failed(), "14:11"));
    assert_eq!((late.status, late.sequence), (Status::Completed, done.sequence + 1));
    assert_eq!(after(late.clone(), &attempt_two(failed(), "14:11")), late);
}

#[test]
fn outcomes_of_two_attempts_count_by_attempt() {
    for kind in [ReportKind::Completed, ReportKind::InNetwork, failed()] {
        let newest = after(waiting(), &attempt_two(kind, "14:11"));
        let older = after(newest.clone(), &report(1, "14:19", ReportKind::Completed));
        assert_eq!((older.status, older.attempt), (newest.status, 2));
    }
}

#[test]
fn a_failure_after_a_reported_completion_counts_though_the_attempt_had_failed_before() {
    let failed_first = after(waiting(), &attempt_two(failed(), "14:11"));
    let done = after(failed_first, &attempt_two(ReportKind::Completed, "14:12"));
    let real = after(done.clone(), &attempt_two(failed(), "14:13"));
    assert_eq!((done.status, real.status, real.completion), (Status::Completed, Status::Failed, None));
    assert_eq!(after(real.clone(), &attempt_two(failed(), "14:13")), real);
    // What failed first comes again: it was overruled.
    assert_eq!(after(done.clone(), &attempt_two(failed(), "14:11")), done);
}
