//! What holds for any history of reports and actions.

use domain::{Interchange, Received, Reentry, Report, ReportKind, Status, Timestamp, Verdict, receive};
use jiff::ToSpan;
use proptest::prelude::*;

use super::{RECORDED, at, by_hand, by_schedule, failed, flow, report};

#[derive(Debug, Clone)]
enum Step {
    Report(Report),
    Reenter(Reentry),
    Delete,
    Overdue,
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
        4 => any_report().prop_map(Step::Report),
        2 => prop_oneof![Just(Reentry::Retry), Just(Reentry::Restart)].prop_map(Step::Reenter),
        1 => Just(Step::Delete),
        1 => Just(Step::Overdue),
    ]
}

/// What a step makes of what is known, with the number of events it logged; `None` when nothing changes.
fn taken(known: Option<Interchange>, step: &Step, now: Timestamp) -> Option<(Interchange, usize)> {
    let flow = flow();
    let change = match (step, known) {
        (Step::Report(report), known) => {
            match receive(known, report, Received { queued_at: now, now, flow: &flow, epoch: domain::Epoch::FIRST }) {
                Verdict::Change(change) => Some(*change),
                Verdict::Repeat | Verdict::NeverFailed => None,
            }
        }
        (_, None) => None,
        // It is not there for anything but a report.
        (_, Some(known)) if known.is_early() => None,
        (Step::Reenter(action), Some(known)) => {
            let cause = if *action == Reentry::Retry { by_schedule() } else { by_hand() };
            known.reenter(*action, &cause, &flow, now).ok()
        }
        (Step::Delete, Some(known)) => known.delete(&by_hand(), &flow, now).ok(),
        (Step::Overdue, Some(known)) => known.due.and_then(|minute| {
            let slot = domain::Slot { minute, flow: known.flow.clone() };
            known.overdue(&slot, &flow, RECORDED, now)
        }),
    };
    change.map(|change| (change.after, change.events.len()))
}

fn is_consistent(known: &Interchange) -> bool {
    let scheduled = known.next_retry_at.is_none() || (known.status.is_failed() && known.due == known.next_retry_at);
    let flight = known.flight.is_none() || known.status.is_in_flight();
    let resolved = !known.status.is_resolved() || known.due.is_none();
    let completion = known.status != Status::Completed || known.completion.is_some();
    let waiting = !known.status.is_waiting() || (known.due.is_some() && known.flight.is_some());
    scheduled && flight && resolved && completion && waiting && !(known.exhausted && known.next_retry_at.is_some())
}

proptest! {
    #[test]
    fn any_history_leaves_head_and_log_consistent(steps in proptest::collection::vec(any_step(), 1..30)) {
        let mut known: Option<Interchange> = None;
        for (minute, step) in (0i64..).zip(&steps) {
            let before = known.clone();
            let Some((after, events)) = taken(known.clone(), step, at("14:00") + minute.minutes()) else { continue };
            prop_assert!(is_consistent(&after), "{:?}", after);
            let (sequence, attempt) = before.map_or((0, 0), |before| (before.sequence, before.attempt));
            prop_assert_eq!(after.sequence, sequence + events as u64);
            prop_assert!((events > 0) != after.is_early() && after.attempt >= attempt);
            known = Some(after);
        }
    }

    #[test]
    fn a_report_delivered_again_at_any_time_right_after_changes_nothing(
        steps in proptest::collection::vec(any_step(), 0..15), last in any_report()
    ) {
        let mut known: Option<Interchange> = None;
        for (minute, step) in (0i64..).zip(&steps) {
            known = taken(known.clone(), step, at("14:00") + minute.minutes()).map(|(after, _)| after).or(known);
        }
        let queued_at = at("15:00");
        let flow = flow();
        let received = |now| Received { queued_at, now, flow: &flow, epoch: domain::Epoch::FIRST };
        if let Verdict::Change(change) = receive(known, &last, received(queued_at)) {
            for later in [0, 1, 600] {
                let again = receive(Some(change.after.clone()), &last, received(queued_at + later.minutes()));
                prop_assert_eq!(again, Verdict::Repeat);
            }
        }
    }
}
