//! What must hold in every state, and what some history must reach, so that the rest does not hold only because nothing happens.

use stateright::{Model, Property};

use crate::protocol::{Action, Protocol};
use crate::state::{Head, Members, Phase, State, Worker};

pub(crate) const NO_SILENT_LOSS: &str = "nothing is completed by silence that was not on the stage";
pub(crate) const RECORD_IS_TRUE: &str = "when the send is recorded, every claimed member is on the stage";
pub(crate) const NO_REPEAT: &str = "a member is sent again at most once per crash and lost answer";
pub(crate) const ONE_SENDER: &str = "at most one worker can send";
pub(crate) const NO_STANDSTILL: &str = "when no step is possible any more, the unit is done";
const COMPLETED: &str = "all members can be completed by silence";
const PUT_BACK: &str = "a work item can meet a live lease";

pub(crate) fn all() -> Vec<Property<Protocol>> {
    vec![
        Property::always(NO_SILENT_LOSS, |_, state: &State| {
            state.members(Head::Completed).all(|member| state.is_on_stage(member))
        }),
        Property::always(RECORD_IS_TRUE, |_, state: &State| !state.recorded || claimed_are_on_stage(state)),
        Property::always(NO_REPEAT, |protocol: &Protocol, state: &State| {
            let crashes = protocol.faults.crashes - state.faults.crashes;
            let lost = protocol.faults.lost_answers - state.faults.lost_answers;
            state.sent.iter().all(|times| *times <= 1 + crashes + lost)
        }),
        Property::always(ONE_SENDER, |_, state: &State| {
            state.workers.iter().filter(|worker| worker.can_send()).count() <= 1
        }),
        Property::always(NO_STANDSTILL, |protocol: &Protocol, state: &State| {
            is_done(state) || can_go_on(protocol, state)
        }),
        Property::sometimes(COMPLETED, |_, state: &State| state.members(Head::Completed) == Members::ALL),
        Property::sometimes(PUT_BACK, |_, state: &State| {
            state.workers.iter().any(|worker| worker.phase == Phase::PuttingBack)
        }),
    ]
}

/// Whether the unit is done: no work item waits, no worker is busy, every claimed member is on the stage and the send is recorded.
pub(crate) fn is_done(state: &State) -> bool {
    let claimed = !state.members(Head::Claimed).is_empty();
    let quiet = state.queued == 0 && !state.workers.iter().any(Worker::is_busy);
    quiet && claimed_are_on_stage(state) && (state.recorded || !claimed)
}

fn claimed_are_on_stage(state: &State) -> bool {
    state.members(Head::Claimed).all(|member| state.is_on_stage(member))
}

/// Whether any step other than a fault is possible.
fn can_go_on(protocol: &Protocol, state: &State) -> bool {
    let mut actions: Vec<Action> = Vec::new();
    protocol.actions(state, &mut actions);
    actions.into_iter().any(|action| !action.is_fault())
}
