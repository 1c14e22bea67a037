//! The checks: with all rules every property holds, and with one rule switched off the checker finds the defect that it prevents.

use std::collections::BTreeSet;

use stateright::{Checker, HasDiscoveries, Model};

use crate::ending::search;
use crate::properties::{NO_REPEAT, NO_SILENT_LOSS, NO_STANDSTILL, ONE_SENDER};
use crate::protocol::{Action, LEASE, Leases, Left, Protocol, Silence, TIME_OUT, Unsent};
use crate::state::Faults;
use crate::worker::{Answer, Step};

/// Asserts that every property holds in every state, and that every unit is done in the end once faults stop.
fn holds(faults: Faults) {
    let protocol = Protocol::whole(faults);
    let checker = protocol.clone().checker().spawn_bfs().join();
    checker.assert_properties();
    let ending = search(&protocol);
    assert_eq!(ending.states, checker.unique_state_count());
    assert_eq!(ending.stuck, None);
}

/// The steps of a history up to the first state in which the property does not hold, if there is one.
fn breach(protocol: &Protocol, property: &'static str) -> Option<Vec<Action>> {
    let until = HasDiscoveries::AnyOf(BTreeSet::from([property]));
    let checker = protocol.clone().checker().finish_when(until).spawn_bfs().join();
    let holds = protocol.property(property).condition;
    // What the checker reports may go on after the breach.
    let history = checker.discovery(property)?.into_vec().into_iter();
    Some(history.take_while(|(state, _)| holds(protocol, state)).filter_map(|(_, action)| action).collect())
}

fn has(history: &[Action], is: impl Fn(Step) -> bool) -> bool {
    history.iter().any(|action| matches!(action, Action::Work(_, step) if is(*step)))
}

#[test]
fn all_properties_hold_with_two_crashes_and_a_second_delivery() {
    holds(Faults { crashes: 2, duplicates: 1, ..Faults::default() });
}

#[test]
fn all_properties_hold_with_a_failed_call_and_a_lost_answer() {
    holds(Faults { failures: 1, lost_answers: 1, ..Faults::default() });
}

#[test]
fn all_properties_hold_with_a_crash_and_a_lost_answer() {
    holds(Faults { crashes: 1, lost_answers: 1, ..Faults::default() });
}

#[test]
fn all_properties_hold_with_a_crash_and_a_failed_call() {
    holds(Faults { crashes: 1, failures: 1, ..Faults::default() });
}

#[test]
fn all_properties_hold_with_a_crash_a_second_delivery_and_a_lost_work_item() {
    holds(Faults { crashes: 1, duplicates: 1, lost_items: 1, ..Faults::default() });
}

#[test]
fn all_properties_hold_with_a_crash_and_a_head_changed_by_another_writer() {
    holds(Faults { crashes: 1, changes: 1, ..Faults::default() });
}

#[test]
fn silence_judged_by_the_claim_alone_completes_a_message_that_a_dead_worker_never_sent() {
    let faults = Faults { crashes: 1, ..Faults::default() };
    let protocol = Protocol { silence: Silence::FromClaim, within: TIME_OUT + 1, ..Protocol::whole(faults) };

    let history = breach(&protocol, NO_SILENT_LOSS).expect("the defect is found");

    assert!(has(&history, |step| step == Step::Crash), "{history:?}");
    assert_eq!(history.last(), Some(&Action::Overdue));
}

#[test]
fn silence_judged_by_the_claim_alone_completes_a_message_that_sqs_did_not_take() {
    let faults = Faults { failures: 1, ..Faults::default() };
    let protocol = Protocol { silence: Silence::FromClaim, within: TIME_OUT + 1, ..Protocol::whole(faults) };

    let history = breach(&protocol, NO_SILENT_LOSS).expect("the defect is found");

    assert!(!has(&history, |step| step == Step::Crash), "{history:?}");
    assert_eq!(history.last(), Some(&Action::Overdue));
}

#[test]
fn without_a_lease_a_second_delivery_sends_twice_although_no_worker_died() {
    let faults = Faults { duplicates: 1, ..Faults::default() };
    let protocol = Protocol { leases: Leases::Absent, ..Protocol::whole(faults) };

    assert!(breach(&protocol, NO_REPEAT).is_some());
    assert_eq!(breach(&Protocol::whole(faults), NO_REPEAT), None);
}

#[test]
fn a_lease_one_tick_too_short_lets_two_workers_send_when_their_clocks_differ() {
    let faults = Faults { duplicates: 1, ..Faults::default() };
    let short = Protocol { leases: Leases::For(LEASE - 1), ..Protocol::whole(faults) };

    assert!(breach(&short, ONE_SENDER).is_some());
    assert!(breach(&short, NO_REPEAT).is_some());
    assert_eq!(breach(&Protocol { skews: vec![[0, 0]], ..short }, ONE_SENDER), None);
}

#[test]
fn a_lease_that_never_expires_blocks_its_unit_after_a_crash() {
    let faults = Faults { crashes: 1, ..Faults::default() };
    let protocol = Protocol { leases: Leases::WithoutExpiry, ..Protocol::whole(faults) };

    assert!(search(&protocol).stuck.is_some());
}

#[test]
fn a_release_that_does_not_record_the_unsent_members_repeats_the_sent_ones() {
    let faults = Faults { failures: 1, ..Faults::default() };
    let protocol = Protocol { left: Left::Forgotten, ..Protocol::whole(faults) };

    let history = breach(&protocol, NO_REPEAT).expect("a repeat is found");

    assert!(has(&history, |step| step == Step::Send(Answer::Failed) || step == Step::Record(Answer::Failed)));
}

#[test]
fn a_deadline_that_does_not_queue_the_work_again_leaves_a_claim_unsent_after_a_lost_work_item() {
    let faults = Faults { crashes: 1, lost_items: 1, ..Faults::default() };
    let protocol = Protocol { unsent: Unsent::Ignored, ..Protocol::whole(faults) };

    assert!(breach(&protocol, NO_STANDSTILL).is_some());
    assert!(search(&protocol).stuck.is_some());
}
