//! What a worker does with a work item: receive, lease, load, claim, send, record, acknowledge; and what it does when a call fails.

use crate::protocol::{Leases, Left, Protocol, TIME_OUT};
use crate::state::{Head, Holder, Lease, Members, Phase, State};

/// How a call ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Answer {
    Done,
    /// It failed without effect.
    Failed,
    /// It took effect, but its answer was lost.
    Lost,
}

/// A step of a worker, and the function that it stands for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Step {
    /// `app::Runner` receives a copy of the work item.
    Receive,
    /// `table::take_lease`: a conditional write, refused while another worker's lease is live or when the send is recorded.
    TakeLease(Answer),
    /// The load in `app::Executor::execute`: one read of the heads of the members that are still to be sent.
    Load,
    /// The commit in `app::Executor::execute`: one claim, on the condition that the head's version is unchanged.
    Claim(Answer),
    /// `queues::StageQueues::send`: one batch to the stage. A batch holds one message, so every partial result of a larger batch is covered.
    Send(Answer),
    /// `table::finish_*`: one write that records the send of the unit, on the condition that the worker holds the lease.
    Record(Answer),
    /// `table::finish_*` after a failed call: one write that releases the lease and records the members that are still to be sent. Then the
    /// work item is made visible again. A release that fails leaves the same state as a crash before it, so it is not a case of its own.
    Release,
    /// `app::Runner` puts a delayed copy of the work item on the queue.
    PutBack,
    /// `app::Runner` returns and the work item is deleted.
    Acknowledge,
    /// The worker dies, by its time-out or otherwise, and its work item becomes visible again.
    Crash,
}

impl Step {
    /// Whether this step is a fault.
    pub(crate) fn is_fault(self) -> bool {
        match self {
            Self::TakeLease(answer) | Self::Claim(answer) | Self::Send(answer) | Self::Record(answer) => {
                answer != Answer::Done
            }
            Self::Crash => true,
            Self::Receive | Self::Load | Self::Release | Self::PutBack | Self::Acknowledge => false,
        }
    }
}

/// The steps that this worker can take now.
pub(crate) fn steps(state: &State, worker: usize) -> Vec<Step> {
    let call = |step: fn(Answer) -> Step| {
        let mut steps = vec![step(Answer::Done)];
        steps.extend((state.faults.failures > 0).then(|| step(Answer::Failed)));
        steps.extend((state.faults.lost_answers > 0).then(|| step(Answer::Lost)));
        steps
    };
    let mut steps = match state.workers[worker].phase {
        Phase::Idle if state.queued == 0 => return Vec::new(),
        Phase::Idle => return vec![Step::Receive],
        Phase::Leasing => call(Step::TakeLease),
        Phase::PuttingBack => vec![Step::PutBack],
        Phase::Loading => vec![Step::Load],
        Phase::Claiming { .. } => call(Step::Claim),
        Phase::Sending { .. } => call(Step::Send),
        Phase::Recording => call(Step::Record),
        Phase::Releasing { .. } => vec![Step::Release],
        Phase::Acknowledging => vec![Step::Acknowledge],
    };
    steps.extend((state.faults.crashes > 0).then_some(Step::Crash));
    steps
}

/// Takes a step of this worker.
///
/// # Panics
/// When the step is none of [`steps`].
pub(crate) fn take(protocol: &Protocol, state: &mut State, worker: usize, step: Step) {
    let phase = match (step, state.workers[worker].phase) {
        (Step::Receive, Phase::Idle) => {
            state.queued -= 1;
            state.workers[worker].life = TIME_OUT;
            Phase::Leasing
        }
        (Step::TakeLease(answer), Phase::Leasing) => take_lease(protocol, state, worker, answer),
        (Step::Load, Phase::Loading) => {
            let claim = state.left.filter(|member| state.heads[member] == Head::Failed);
            let send = state.left.filter(|member| state.heads[member] == Head::Claimed);
            claiming(claim, send)
        }
        (Step::Claim(answer), Phase::Claiming { claim, send }) => commit(protocol, state, claim, send, answer),
        (Step::Send(answer), Phase::Sending { send, left }) => put_on_stage(state, send, left, answer),
        (Step::Record(answer), Phase::Recording) => record(protocol, state, worker, answer),
        (Step::Release, Phase::Releasing { left }) => {
            if state.holds_lease(worker) {
                state.lease = None;
                state.left = if protocol.left == Left::Recorded { left } else { state.left };
            }
            give_up(state)
        }
        (Step::PutBack, Phase::PuttingBack) => {
            state.enqueue();
            Phase::Acknowledging
        }
        (Step::Acknowledge, Phase::Acknowledging) => Phase::Idle,
        (Step::Crash, _) => {
            state.faults.crashes -= 1;
            give_up(state)
        }
        (step, phase) => unreachable!("{step:?} in {phase:?}"),
    };
    state.enter(worker, phase);
}

/// Counts the fault, if the answer is one, and returns whether the call takes effect.
fn takes_effect(state: &mut State, answer: Answer) -> bool {
    match answer {
        Answer::Done => {}
        Answer::Failed => state.faults.failures -= 1,
        Answer::Lost => state.faults.lost_answers -= 1,
    }
    answer != Answer::Failed
}

/// The invocation ends, and its work item becomes visible again.
fn give_up(state: &mut State) -> Phase {
    state.enqueue();
    Phase::Idle
}

fn take_lease(protocol: &Protocol, state: &mut State, worker: usize, answer: Answer) -> Phase {
    let skew = state.workers[worker].skew;
    let free = !state.recorded && !state.lease.is_some_and(|lease| lease.is_live_by(skew));
    let ticks = match protocol.leases {
        Leases::For(ticks) => Some(ticks + skew),
        Leases::WithoutExpiry => Some(i8::MAX),
        Leases::Absent => None,
    };
    if takes_effect(state, answer) && free {
        state.lease = ticks.map(|ticks| Lease { holder: Holder::Worker(worker), ticks });
    }
    match answer {
        Answer::Done if state.recorded => Phase::Acknowledging,
        Answer::Done if free => Phase::Loading,
        Answer::Done => Phase::PuttingBack,
        Answer::Failed | Answer::Lost => give_up(state),
    }
}

fn claiming(claim: Members, send: Members) -> Phase {
    if claim.is_empty() { sending(send, send) } else { Phase::Claiming { claim, send } }
}

fn sending(send: Members, left: Members) -> Phase {
    match (send.is_empty(), left.is_empty()) {
        (false, _) => Phase::Sending { send, left },
        (true, false) => Phase::Releasing { left },
        (true, true) => Phase::Recording,
    }
}

fn commit(protocol: &Protocol, state: &mut State, claim: Members, send: Members, answer: Answer) -> Phase {
    let member = claim.lowest();
    if takes_effect(state, answer) && state.heads[member] == Head::Failed {
        state.heads[member] = Head::Claimed;
        state.deadline = state.deadline.or(Some(protocol.within));
    }
    // On a version conflict the head is loaded and decided again: it is this unit's own claim, or it is skipped.
    let own = state.heads[member] == Head::Claimed;
    match answer {
        Answer::Done => claiming(claim.without(member), if own { send.with(member) } else { send }),
        Answer::Failed | Answer::Lost => Phase::Releasing { left: state.left },
    }
}

fn put_on_stage(state: &mut State, send: Members, left: Members, answer: Answer) -> Phase {
    let member = send.lowest();
    if takes_effect(state, answer) {
        state.sent[member] += 1;
    }
    sending(send.without(member), if answer == Answer::Done { left.without(member) } else { left })
}

fn record(protocol: &Protocol, state: &mut State, worker: usize, answer: Answer) -> Phase {
    let holds = protocol.leases == Leases::Absent || state.holds_lease(worker);
    if takes_effect(state, answer) && holds {
        state.recorded = true;
        state.left = Members::NONE;
        state.lease = None;
        state.deadline = state.deadline.map(|_| protocol.within);
    }
    match answer {
        Answer::Done if holds => Phase::Acknowledging,
        Answer::Done => give_up(state),
        Answer::Failed | Answer::Lost => Phase::Releasing { left: Members::NONE },
    }
}
