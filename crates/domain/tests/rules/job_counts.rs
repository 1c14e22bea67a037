//! What jobs count: at all times, what was sent is what completed, what failed again and what is in flight.

use std::collections::BTreeMap;

use domain::{
    Actor, Cause, Change, Confirmation, ConfirmationMode, Flow, Interchange, JobCount, JobId, Received, Reentry,
    Report, ReportKind, SendFailure, Slot, Timestamp, Verdict, job_counts, receive,
};
use jiff::ToSpan;
use proptest::prelude::*;

use super::{RECORDED, at, by_hand, by_schedule, change, failed, failed_at_two, flow, judge, report};

#[derive(Debug, Clone)]
enum Step {
    Report(Report),
    /// By one of two jobs, or by a person.
    Reenter(Option<u8>),
    Retry,
    Delete(bool),
    Reschedule,
    /// Whether the flow is silent.
    Overdue(bool),
    SendFailed,
}

const SENDING: [&str; 2] = ["job-0", "job-1"];
const DELETING: &str = "job-delete";
const RESCHEDULING: &str = "job-reschedule";

fn by_job(job: &str) -> Cause {
    Cause { job: Some(JobId(job.to_owned())), ..by_hand() }
}

fn any_report() -> impl Strategy<Value = Report> {
    let kind = prop_oneof![Just(failed()), Just(ReportKind::Completed), Just(ReportKind::InNetwork)];
    (proptest::option::of(1u32..5), proptest::option::of(0i64..7_200), kind).prop_map(|(attempt, second, kind)| {
        let mut report = report(attempt, None, kind);
        report.occurred_at = second.map(|second| at("13:30") + second.seconds());
        report
    })
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => any_report().prop_map(Step::Report),
        3 => proptest::option::of(0u8..2).prop_map(Step::Reenter),
        1 => Just(Step::Retry),
        1 => any::<bool>().prop_map(Step::Delete),
        1 => Just(Step::Reschedule),
        2 => any::<bool>().prop_map(Step::Overdue),
        1 => Just(Step::SendFailed),
    ]
}

fn taken(known: Interchange, step: &Step, now: Timestamp) -> Option<Change> {
    let flow = flow();
    match step {
        Step::Report(report) => match receive(
            Some(known),
            report,
            Received { queued_at: now, now, flow: &flow, epoch: domain::Epoch::FIRST },
        ) {
            Verdict::Change(change) => Some(*change),
            Verdict::Repeat | Verdict::NeverFailed => None,
        },
        Step::Reenter(job) => {
            let cause = job.map_or_else(by_hand, |job| by_job(SENDING[usize::from(job)]));
            // A job acts on an interchange once.
            let acts = known.job.is_none() || known.job != cause.job;
            acts.then(|| known.reenter(Reentry::Retry, &cause, &flow, now).ok()).flatten()
        }
        Step::Retry => known.reenter(Reentry::Retry, &by_schedule(), &flow, now).ok(),
        Step::Delete(by_a_job) => {
            let cause = if *by_a_job { by_job(DELETING) } else { by_hand() };
            known.delete(&cause, &flow, now).ok()
        }
        Step::Reschedule => known.replan(&by_job(RESCHEDULING), &flow, now).ok(),
        Step::Overdue(silent) => {
            let mode = if *silent { ConfirmationMode::Silent } else { ConfirmationMode::Confirms };
            let flow = Flow { confirmation: Confirmation { mode, ..Confirmation::default() }, ..flow };
            let slot = Slot { minute: known.due?, flow: flow.name.clone() };
            known.overdue(&slot, &flow, RECORDED, now)
        }
        Step::SendFailed => {
            let failure = SendFailure { actor: Actor::Scheduler, error: "no such queue".to_owned(), queue_url: None };
            let attempt = known.attempt;
            known.send_failed(attempt, &failure, now)
        }
    }
}

type Counts = BTreeMap<(JobId, JobCount), i64>;

fn of(counts: &Counts, job: &str, count: JobCount) -> i64 {
    counts.get(&(JobId(job.to_owned()), count)).copied().unwrap_or(0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn what_a_job_sent_has_completed_failed_again_or_is_in_flight(
        steps in proptest::collection::vec(any_step(), 1..40)
    ) {
        let mut known = failed_at_two();
        let mut counts = Counts::new();
        for (minute, step) in (0i64..).zip(&steps) {
            let Some(change) = taken(known.clone(), step, at("14:01") + minute.minutes()) else { continue };
            for (job, count, by) in job_counts(Some(&known), &change.after) {
                *counts.entry((job, count)).or_default() += by;
            }
            known = change.after;
            for job in SENDING {
                let [sent, completed, failed_again] =
                    [JobCount::Sent, JobCount::Completed, JobCount::FailedAgain].map(|count| of(&counts, job, count));
                let is_its_own = known.job.as_ref().is_some_and(|own| own.0 == job);
                let in_flight = i64::from(is_its_own && known.status.is_in_flight());
                prop_assert!(completed >= 0 && failed_again >= 0);
                prop_assert_eq!(sent, completed + failed_again + in_flight, "{} after {:?}", job, step);
            }
            for job in [DELETING, RESCHEDULING] {
                let of = |count| of(&counts, job, count);
                prop_assert_eq!((of(JobCount::Completed), of(JobCount::FailedAgain)), (0, 0), "{} after {:?}", job, step);
            }
        }
    }
}

#[test]
fn an_outcome_that_overrules_another_takes_its_place_in_the_counts() {
    let sent = failed_at_two().reenter(Reentry::Retry, &by_job("job-0"), &flow(), at("14:10")).unwrap().after;
    let minute = sent.due.unwrap();
    let slot = Slot { minute, flow: flow().name };
    let silent = Confirmation { mode: ConfirmationMode::Silent, ..Confirmation::default() };
    let silent = Flow { confirmation: silent, ..flow() };
    let told = |known: &Interchange, kind, time| change(judge(Some(known), &report(2, time, kind), time)).after;
    let reported_failed = told(&sent, failed(), "14:11");
    let reported_completed = told(&sent, ReportKind::Completed, "14:11");
    let assumed_failed = sent.clone().overdue(&slot, &flow(), RECORDED, at("14:25")).unwrap().after;
    let assumed_completed = sent.clone().overdue(&slot, &silent, RECORDED, at("14:25")).unwrap().after;
    let (plus, minus) = ((JobCount::Completed, 1), (JobCount::Completed, -1));
    let (again, no_more) = ((JobCount::FailedAgain, 1), (JobCount::FailedAgain, -1));
    for (before, kind, expected) in [
        (&sent, failed(), vec![again]),
        (&sent, ReportKind::Completed, vec![plus]),
        (&sent, ReportKind::InNetwork, vec![]),
        (&reported_failed, ReportKind::Completed, vec![no_more, plus]),
        (&reported_failed, ReportKind::InNetwork, vec![no_more]),
        (&reported_completed, failed(), vec![minus, again]),
        (&assumed_failed, ReportKind::Completed, vec![no_more, plus]),
        (&assumed_failed, ReportKind::InNetwork, vec![no_more]),
        (&assumed_failed, failed(), vec![]),
        (&assumed_completed, failed(), vec![minus, again]),
        (&assumed_completed, ReportKind::Completed, vec![]),
    ] {
        let after = told(before, kind, "14:30");
        let counts: Vec<_> = job_counts(Some(before), &after).into_iter().map(|(_, count, by)| (count, by)).collect();
        assert_eq!(counts, expected, "{:?} to {:?}", before.status, after.status);
    }
}
