//! Retries that are held, put off to a later run, or planned anew.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Category, Flow, Interchange, InterchangeId, Ladder, Minute, Reentry, Refusal, RetryPolicy, Schedule, Slot, Status,
    Window, WindowEvery, thin_out,
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

/// Failures of a run at 15:00: number `i` failed `i` seconds after 14:00.
fn members(count: usize) -> Vec<Interchange> {
    let one = |i: usize| {
        let mut interchange = failed_at_two();
        interchange.id = InterchangeId::new(format!("i-{i}")).unwrap();
        interchange.failure.at = at("14:00").checked_add(SignedDuration::from_secs(i as i64)).unwrap();
        interchange
    };
    (0..count).map(one).collect()
}

fn three() -> Minute {
    Minute::at_or_after(at("15:00"))
}

#[test]
fn a_held_retry_keeps_its_slot_and_has_no_time() {
    let failed = failed_at_two();
    let slot = slot_of(&failed);
    let held = failed.clone().hold(&slot, at("14:05")).unwrap();
    assert_eq!(kinds(&held), ["retry_held"]);
    assert_eq!((held.after.due, held.after.next_retry_at), (failed.due, None));
    assert_eq!(held.after.hold(&slot, at("14:20")), None, "it is held once");
    assert_eq!(waiting().hold(&slot, at("14:20")), None);
}

#[test]
fn a_retry_is_put_off_only_from_its_own_slot() {
    let failed = failed_at_two();
    let slot = slot_of(&failed);
    let put_off = failed.clone().put_off(&slot, three(), 10, at("14:05")).unwrap();
    assert_eq!(kinds(&put_off), ["retry_scheduled"]);
    assert_eq!((put_off.after.due, put_off.after.next_retry_at), (Some(three()), Some(three())));
    assert_eq!(put_off.after.put_off(&slot, three(), 10, at("14:05")), None);
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

#[test]
fn a_full_run_keeps_the_oldest_and_the_rest_fill_the_runs_that_follow() {
    let members = members(5);
    let shuffled: Vec<&Interchange> = [3, 0, 4, 2, 1].map(|i| &members[i]).to_vec();
    let held = BTreeMap::from([(Minute::at_or_after(at("16:00")), 1)]);
    let put_off = thin_out(&shuffled, three(), &hourly(2), at("12:00"), &held);
    let told: Vec<(&str, _)> = put_off.iter().map(|(id, to)| (id.as_str(), to.timestamp())).collect();
    assert_eq!(told, [("i-2", at("16:00")), ("i-3", at("17:00")), ("i-4", at("17:00"))]);
}

proptest! {
    #[test]
    fn no_run_exceeds_its_batch_and_nobody_is_starved(
        count in 0usize..60, batch in 1u32..10, held in prop::collection::vec(0u32..12, 0..8),
    ) {
        let members = members(count);
        let window = hourly(batch);
        let mut runs = vec![three()];
        for _ in 0..80 {
            runs.push(window.run_after(*runs.last().unwrap(), at("12:00")));
        }
        let held: BTreeMap<Minute, u32> = runs[1..].iter().copied().zip(held).collect();
        let all: Vec<&Interchange> = members.iter().collect();
        let put_off = thin_out(&all, three(), &window, at("12:00"), &held);
        let mut takes: BTreeMap<Minute, u32> = BTreeMap::new();
        for (_, to) in &put_off {
            prop_assert!(runs[1..].contains(to), "only runs of the window");
            *takes.entry(*to).or_default() += 1;
        }
        prop_assert!(count - put_off.len() <= batch as usize);
        for (run, taken) in &takes {
            prop_assert!(taken + held.get(run).copied().unwrap_or(0) <= batch);
        }
        // In order of age, and each in the first run that has room: nobody waits behind a younger one.
        let times: Vec<Minute> = put_off.iter().map(|(_, to)| *to).collect();
        prop_assert!(times.is_sorted());
        let ids: BTreeSet<&InterchangeId> = put_off.iter().map(|(id, _)| id).collect();
        prop_assert_eq!(ids.len(), put_off.len());
        if let Some(last) = times.last() {
            for run in runs[1..].iter().take_while(|run| *run < last) {
                let full = takes.get(run).copied().unwrap_or(0) + held.get(run).copied().unwrap_or(0) >= batch;
                prop_assert!(full, "a run is left open before {last}");
            }
        }
    }
}
