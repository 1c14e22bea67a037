//! Retries that are held, postponed to a later run, or rescheduled.

use std::collections::BTreeMap;

use domain::{
    Category, Flow, Interchange, Ladder, Minute, Reentry, Refusal, RetryPolicy, RunFill, Schedule, Slot, Status,
    Window, WindowEvery,
};
use jiff::SignedDuration;
use proptest::prelude::*;

use super::{at, by_hand, failed_at_two, flow, kinds, waiting};

fn slot_of(interchange: &Interchange) -> Slot {
    Slot { minute: interchange.due.unwrap(), flow: interchange.flow.clone() }
}

fn hourly(batch: u32) -> Window {
    Window { every: WindowEvery::Hour, interval: 1, lapse: SignedDuration::ZERO, batch: Some(batch), limit: 4 }
}

fn three() -> Minute {
    Minute::at_or_after(at("15:00"))
}

#[test]
fn a_held_retry_keeps_its_slot_and_has_no_time() {
    let failed = failed_at_two();
    let slot = slot_of(&failed);
    let held = failed.clone().hold(&slot, &flow(), at("14:05")).unwrap();
    assert_eq!(kinds(&held), ["retry_held"]);
    assert_eq!((held.after.due, held.after.next_retry_at), (failed.due, None));
    assert_eq!(held.after.hold(&slot, &flow(), at("14:20")), None, "it is held once");
    assert_eq!(waiting().hold(&slot, &flow(), at("14:20")), None);
}

#[test]
fn a_retry_is_put_off_only_from_its_own_slot() {
    let failed = failed_at_two();
    let slot = slot_of(&failed);
    let postpone = failed.clone().postpone(&slot, three(), 10, at("14:05")).unwrap();
    assert_eq!(kinds(&postpone), ["retry_scheduled"]);
    assert_eq!((postpone.after.due, postpone.after.next_retry_at), (Some(three()), Some(three())));
    assert_eq!(postpone.after.postpone(&slot, three(), 10, at("14:05")), None);
}

#[test]
fn planning_anew_takes_the_policy_as_it_is_now() {
    let delays = vec![SignedDuration::from_hours(2)];
    let retry = RetryPolicy { schedule: Schedule::Ladder(Ladder { delays }), ..RetryPolicy::default() };
    let changed = Flow { retry, ..flow() };
    let replanned = failed_at_two().replan(&by_hand(), &changed, at("14:03")).unwrap();
    assert_eq!(replanned.after.next_retry_at.unwrap().timestamp(), at("16:00"));
    assert_eq!(kinds(&replanned), ["retry_scheduled"]);
    let none = RetryPolicy { categories: [Category::Business].into(), ..RetryPolicy::default() };
    let replanned = failed_at_two().replan(&by_hand(), &Flow { retry: none, ..flow() }, at("14:03")).unwrap();
    assert_eq!((replanned.after.next_retry_at, replanned.after.due), (None, None));
    let refused = waiting().replan(&by_hand(), &flow(), at("14:12"));
    assert_eq!(refused, Err(Refusal::NotFailed { status: Status::WaitingForRetry }));
}

#[test]
fn an_impossible_retry_says_why_and_waits_for_a_person() {
    let mut bare = failed_at_two();
    bare.sender_payloads = domain::Payloads::default();
    let refusal = bare.clone().reenter(Reentry::Restart, &by_hand(), &flow(), at("14:05")).unwrap_err();
    let skipped = bare.cannot_be_retried(refusal, at("14:05")).unwrap();
    assert_eq!(kinds(&skipped), ["retry_skipped"]);
    assert_eq!((skipped.after.due, skipped.after.next_retry_at), (None, None));
}

/// Which run takes each of `count` members that come in order to a run at 15:00, when later runs hold some already.
fn runs_of(count: usize, window: &Window, held: &BTreeMap<Minute, u32>, now: &str) -> Vec<Minute> {
    let batch = window.batch.unwrap();
    let mut fill = RunFill::of(three(), batch);
    let mut runs = Vec::new();
    for _ in 0..count {
        while fill.room == 0 {
            let run = fill.next(window, at("12:00"), at(now));
            fill = RunFill { run, room: batch.saturating_sub(held.get(&run).copied().unwrap_or(0)) };
        }
        fill.room -= 1;
        runs.push(fill.run);
    }
    runs
}

#[test]
fn a_full_run_keeps_the_first_and_the_rest_fill_the_runs_that_follow() {
    let held = BTreeMap::from([(Minute::at_or_after(at("16:00")), 1)]);
    let runs: Vec<_> = runs_of(5, &hourly(2), &held, "15:00").iter().map(|run| run.timestamp()).collect();
    assert_eq!(runs, ["15:00", "15:00", "16:00", "17:00", "17:00"].map(at));
}

#[test]
fn a_run_that_is_late_postpones_to_no_run_that_is_past() {
    let runs: Vec<_> = runs_of(4, &hourly(1), &BTreeMap::new(), "17:30").iter().map(|run| run.timestamp()).collect();
    assert_eq!(runs, ["15:00", "18:00", "19:00", "20:00"].map(at));
}

proptest! {
    #[test]
    fn no_run_exceeds_its_batch_and_none_is_left_open(
        count in 0usize..60, batch in 1u32..10, held in prop::collection::vec(0u32..12, 0..8),
    ) {
        let window = hourly(batch);
        let mut all = vec![three()];
        for _ in 0..80 {
            all.push(window.run_after(*all.last().unwrap(), at("12:00")));
        }
        let held: BTreeMap<Minute, u32> = all[1..].iter().copied().zip(held).collect();
        let runs = runs_of(count, &window, &held, "15:00");
        let mut takes: BTreeMap<Minute, u32> = BTreeMap::new();
        for run in &runs {
            prop_assert!(all.contains(run), "only runs of the window");
            *takes.entry(*run).or_default() += 1;
        }
        for (run, taken) in &takes {
            prop_assert!(taken + held.get(run).copied().unwrap_or(0) <= batch);
        }
        prop_assert!(runs.is_sorted(), "nobody waits behind a younger one");
        if let Some(last) = runs.last() {
            for run in all.iter().take_while(|run| *run < last) {
                let full = takes.get(run).copied().unwrap_or(0) + held.get(run).copied().unwrap_or(0) >= batch;
                prop_assert!(full, "a run is left open before {last}");
            }
        }
    }
}
