//! A report that comes again as a new message, as a redrive makes it: known by its digest, whatever its queue time.

use domain::{Interchange, MAX_SEEN, Reentry, Report, ReportDigest, ReportKind, Status, Verdict};

use super::{at, by_hand, change, failed, flow, judge, report};

/// Without an attempt, as read from a message of its own.
fn told(occurred: impl Into<Option<&'static str>>, kind: ReportKind, body: &str) -> Report {
    Report { digest: Some(ReportDigest::of(body.as_bytes())), ..report(None, occurred, kind) }
}

fn retried(known: Interchange, now: &str) -> Interchange {
    known.reenter(Reentry::Retry, &by_hand(), &flow(), at(now)).unwrap().after
}

#[test]
fn a_known_failure_that_is_redriven_does_not_fail_the_attempt_in_flight() {
    let first = told("14:00", failed(), "the failure");
    let waiting = retried(change(judge(None, &first, "14:00")).after, "14:10");
    assert_eq!(judge(Some(&waiting), &first, "14:12"), Verdict::Repeat);
    let second = change(judge(Some(&waiting), &told("14:11", failed(), "another failure"), "14:12")).after;
    assert_eq!((second.status, second.attempt), (Status::Failed, 2));
}

#[test]
fn a_known_completion_that_is_redriven_does_not_complete_a_later_attempt() {
    let failure = change(judge(None, &told("14:00", failed(), "1"), "14:00")).after;
    let completion = told("14:02", ReportKind::Completed, "2");
    let done = change(judge(Some(&failure), &completion, "14:02")).after;
    let again = change(judge(Some(&done), &told("14:05", failed(), "3"), "14:05")).after;
    assert_eq!(judge(Some(&retried(again, "14:10")), &completion, "14:12"), Verdict::Repeat);
}

#[test]
fn the_same_words_without_attempt_and_time_are_the_outcome_of_the_attempt_in_flight() {
    let words = told(None, failed(), "failed");
    let waiting = retried(change(judge(None, &words, "14:00")).after, "14:10");
    let second = change(judge(Some(&waiting), &words, "14:12")).after;
    assert_eq!((second.attempt, second.seen.len()), (2, 0));
}

#[test]
fn the_newest_sixteen_reports_are_remembered() {
    let mut known = change(judge(None, &told("14:00", failed(), "0"), "14:00")).after;
    let times = ["14:01", "14:02", "14:03", "14:04", "14:05", "14:06", "14:07", "14:08", "14:09", "14:10"];
    for (i, time) in times.into_iter().chain(["14:11", "14:12", "14:13", "14:14", "14:15", "14:16"]).enumerate() {
        known = change(judge(Some(&known), &told(time, failed(), &format!("{}", i + 1)), time)).after;
    }
    assert_eq!((known.seen.len(), known.seen[0]), (MAX_SEEN, ReportDigest::of(b"1")));
}

#[test]
fn a_report_that_names_its_attempt_needs_no_digest() {
    let named = Report { digest: Some(ReportDigest::of(b"x")), ..report(1, "14:00", failed()) };
    assert!(change(judge(None, &named, "14:00")).after.seen.is_empty());
}
