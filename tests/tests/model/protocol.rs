//! The protocol as a model: which steps are possible in a state, and what each step does. [`Protocol`] can switch off one rule at a time,
//! so that the checks can show which defect the rule prevents.

use stateright::{Model, Property};

use crate::properties;
use crate::state::{Faults, Head, Holder, MEMBERS, Members, Phase, State, WORKERS, Worker};
use crate::worker::{self, Step};

/// Ticks that may pass before the time-out of a function kills an invocation.
pub(crate) const TIME_OUT: u8 = 1;

/// The largest difference between two clocks, in ticks: one is a tick ahead, the other a tick behind.
pub(crate) const SKEW: i8 = 2;

/// The shortest lease, in ticks, that is live by every clock as long as its worker is alive.
pub(crate) const LEASE: i8 = TIME_OUT.cast_signed() + SKEW;

/// One step of a history.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Action {
    /// The worker with this index takes a step.
    Work(usize, Step),
    /// `domain::Interchange::overdue` for the lowest claimed member. If its silence counts, it is completed. Otherwise `app::Runner` puts the
    /// work item on the queue again and the deadline moves.
    Overdue,
    /// A tick passes.
    Tick,
    /// SQS delivers the work item one more time, even after it was deleted.
    Duplicate,
    /// A waiting work item moves to a dead-letter queue or is purged.
    LoseItem,
    /// Another writer changes the head of this member before it is claimed.
    ChangeHead(usize),
}

impl Action {
    /// Whether this step is a fault. Progress must never depend on one.
    pub(crate) fn is_fault(self) -> bool {
        match self {
            Self::Work(_, step) => step.is_fault(),
            Self::Duplicate | Self::LoseItem | Self::ChangeHead(_) => true,
            Self::Overdue | Self::Tick => false,
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Leases {
    /// Expire this many ticks after they are taken, by the clock of the worker.
    For(i8),
    /// Stay live until they are released.
    WithoutExpiry,
    /// No worker takes one.
    Absent,
}

/// When silence counts as completion.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Silence {
    /// From the recorded send of the unit.
    FromRecordedSend,
    /// From the claim alone: defect 1, as it was before the send was recorded.
    FromClaim,
}

/// What happens at a deadline when silence does not count.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Unsent {
    QueuedAgain,
    Ignored,
}

/// Whether a release records the members that are still to be sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Left {
    Recorded,
    Forgotten,
}

/// The rules, and the faults that may happen.
#[derive(Clone, Debug)]
pub(crate) struct Protocol {
    pub(crate) leases: Leases,
    pub(crate) silence: Silence,
    pub(crate) unsent: Unsent,
    pub(crate) left: Left,
    /// Ticks from the first claim, the record or the re-queue to the deadline.
    pub(crate) within: u8,
    pub(crate) faults: Faults,
    /// How far the clocks of the two workers are ahead of the true time. Each pair is one initial state.
    pub(crate) skews: Vec<[i8; WORKERS]>,
}

impl Protocol {
    /// The protocol with all rules. A deadline passes while a worker may still be alive, which is the hardest case. The clocks of the workers
    /// agree, or they differ as much as they may. The workers are interchangeable, so it does not matter which of the two is ahead.
    pub(crate) fn whole(faults: Faults) -> Self {
        Self {
            leases: Leases::For(LEASE),
            silence: Silence::FromRecordedSend,
            unsent: Unsent::QueuedAgain,
            left: Left::Recorded,
            within: TIME_OUT,
            faults,
            skews: vec![[0, 0], [-1, 1]],
        }
    }

    fn tick(&self, state: &mut State) {
        for worker in state.workers.iter_mut().filter(|worker| worker.is_busy()) {
            worker.life -= 1;
        }
        if let (Some(lease), Leases::For(_)) = (&mut state.lease, self.leases) {
            lease.ticks -= 1;
            // A lease without a holder that has expired by every clock has no further effect.
            let live = state.workers.iter().any(|worker| lease.is_live_by(worker.skew));
            state.lease = Some(*lease).filter(|lease| live || lease.holder != Holder::Gone);
        }
        state.deadline = state.deadline.map(|ticks| ticks.saturating_sub(1));
    }

    /// Whether the silence of claimed members counts as completion.
    fn counts(&self, state: &State) -> bool {
        state.recorded || self.silence == Silence::FromClaim
    }

    fn overdue(&self, state: &mut State) {
        if !self.counts(state) {
            state.enqueue();
            state.deadline = Some(self.within);
            return;
        }
        let claimed = state.members(Head::Claimed);
        let member = claimed.lowest();
        state.heads[member] = Head::Completed;
        state.deadline = state.deadline.filter(|_| !claimed.without(member).is_empty());
    }

    /// Whether a tick can pass and changes anything. A worker whose time is up must end or be killed first.
    fn can_tick(&self, state: &State) -> bool {
        let timed = (state.lease.is_some() && self.leases != Leases::WithoutExpiry)
            || state.deadline.is_some_and(|ticks| ticks > 0)
            || state.workers.iter().any(Worker::is_busy);
        timed && state.workers.iter().all(|worker| !worker.is_busy() || worker.life > 0)
    }
}

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let begun = |skews: &[i8; WORKERS]| State {
            workers: skews.map(|skew| Worker { phase: Phase::Idle, life: 0, skew }),
            queued: 1,
            lease: None,
            left: Members::ALL,
            recorded: false,
            heads: [Head::Failed; MEMBERS],
            sent: [0; MEMBERS],
            deadline: None,
            faults: self.faults,
        };
        self.skews.iter().map(begun).collect()
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for worker in 0..WORKERS {
            actions.extend(worker::steps(state, worker).into_iter().map(|step| Action::Work(worker, step)));
        }
        for member in 0..MEMBERS {
            if state.heads[member] == Head::Failed && state.faults.changes > 0 {
                actions.push(Action::ChangeHead(member));
            }
        }
        if state.deadline == Some(0) && (self.counts(state) || self.unsent == Unsent::QueuedAgain) {
            actions.push(Action::Overdue);
        }
        if self.can_tick(state) {
            actions.push(Action::Tick);
        }
        if state.faults.duplicates > 0 {
            actions.push(Action::Duplicate);
        }
        if state.faults.lost_items > 0 && state.queued > 0 {
            actions.push(Action::LoseItem);
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Work(worker, step) => worker::take(self, &mut state, worker, step),
            Action::Tick => self.tick(&mut state),
            Action::Overdue => self.overdue(&mut state),
            Action::Duplicate => {
                state.faults.duplicates -= 1;
                state.enqueue();
            }
            Action::LoseItem => {
                state.faults.lost_items -= 1;
                state.queued -= 1;
            }
            Action::ChangeHead(member) => {
                state.faults.changes -= 1;
                state.heads[member] = Head::Changed;
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all()
    }
}
