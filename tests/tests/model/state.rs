//! The state of the model: the copies of one work item on the jobs queue, the unit's row, the heads of its members, the stage queue and two
//! workers. Every time is stored as the ticks that remain, so the number of states is finite although histories have no end.

/// Workers that run at the same time.
pub(crate) const WORKERS: usize = 2;

/// Members of the unit of work.
pub(crate) const MEMBERS: usize = 3;

/// Limit of the waiting copies of the work item: one more than there are workers. More copies add no new behaviour.
const MAX_QUEUED: u8 = 3;

/// A set of members, one bit each.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Members(u8);

impl Members {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const ALL: Self = Self((1 << MEMBERS) - 1);

    pub(crate) fn is_empty(self) -> bool {
        self == Self::NONE
    }

    /// The lowest member. Workers and deadlines process members in this order. The set must not be empty.
    pub(crate) fn lowest(self) -> usize {
        self.0.trailing_zeros() as usize
    }

    fn has(self, member: usize) -> bool {
        self.0 & (1 << member) != 0
    }

    pub(crate) fn with(self, member: usize) -> Self {
        Self(self.0 | (1 << member))
    }

    pub(crate) fn without(self, member: usize) -> Self {
        Self(self.0 & !(1 << member))
    }

    /// Whether `is` holds for each of them.
    pub(crate) fn all(self, is: impl Fn(usize) -> bool) -> bool {
        self.filter(is) == self
    }

    /// Those of this set for which `is` holds.
    pub(crate) fn filter(self, is: impl Fn(usize) -> bool) -> Self {
        (0..MEMBERS).filter(|member| self.has(*member) && is(*member)).fold(Self::NONE, Self::with)
    }
}

/// The status of a member's head. It never returns to an earlier status, so it also serves as the head's version.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Head {
    /// Failed, not claimed yet.
    Failed,
    /// Claimed by this unit of work, waiting for its outcome.
    Claimed,
    /// Completed by silence at its deadline.
    Completed,
    /// Changed by another writer before this unit claimed it. The unit skips it.
    Changed,
}

/// What a worker does next. `Idle` has no work item; in every other phase one copy of the work item is in flight.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Phase {
    Idle,
    /// Takes the lease.
    Leasing,
    /// Another worker's lease is live: puts a delayed copy of the work item on the queue.
    PuttingBack,
    /// Loads the heads of the members that are still to be sent.
    Loading,
    /// Claims `claim`, then sends them together with `send`, which are claimed already.
    Claiming {
        claim: Members,
        send: Members,
    },
    /// Sends `send`. `left` are the members not known to be on the stage.
    Sending {
        send: Members,
        left: Members,
    },
    /// Records the send of the unit.
    Recording,
    /// Did not finish: releases the lease and records that `left` are still to be sent.
    Releasing {
        left: Members,
    },
    /// Deletes the work item.
    Acknowledging,
}

/// A place in which one invocation of a function runs at a time.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Worker {
    pub(crate) phase: Phase,
    /// Ticks that may still pass before the time-out kills it; 0 when idle.
    pub(crate) life: u8,
    /// How far its clock is ahead of the true time, in ticks.
    pub(crate) skew: i8,
}

impl Worker {
    pub(crate) fn is_busy(&self) -> bool {
        self.phase != Phase::Idle
    }

    /// Whether it acts on its lease: it may claim and send.
    pub(crate) fn can_send(&self) -> bool {
        matches!(self.phase, Phase::Loading | Phase::Claiming { .. } | Phase::Sending { .. })
    }
}

/// Who holds the lease.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Holder {
    /// The invocation that runs in this place.
    Worker(usize),
    /// An invocation that has ended.
    Gone,
}

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Lease {
    pub(crate) holder: Holder,
    /// Its expiry minus the true time, in ticks.
    pub(crate) ticks: i8,
}

impl Lease {
    /// Whether it is live by a clock with this skew. At its expiry it is still live.
    pub(crate) fn is_live_by(self, skew: i8) -> bool {
        skew <= self.ticks
    }
}

/// How many faults of each kind may still happen.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub(crate) struct Faults {
    /// A worker dies between two of its steps.
    pub(crate) crashes: u8,
    /// A call takes effect, but its answer is lost.
    pub(crate) lost_answers: u8,
    /// A call fails without effect.
    pub(crate) failures: u8,
    /// SQS delivers the work item one more time.
    pub(crate) duplicates: u8,
    /// A waiting work item moves to a dead-letter queue or is purged.
    pub(crate) lost_items: u8,
    /// Another writer changes a head that is not claimed yet.
    pub(crate) changes: u8,
}

/// One state of the whole system.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct State {
    pub(crate) workers: [Worker; WORKERS],
    /// Waiting copies of the work item. A copy can be received at any time, so a delay of any length is covered.
    pub(crate) queued: u8,
    /// The unit's lease.
    pub(crate) lease: Option<Lease>,
    /// The members of the unit that are still to be sent.
    pub(crate) left: Members,
    /// Whether the send of the unit is recorded.
    pub(crate) recorded: bool,
    pub(crate) heads: [Head; MEMBERS],
    /// How many times each member was put on the stage.
    pub(crate) sent: [u8; MEMBERS],
    /// Ticks until the deadline of the claimed members; `None` when none is claimed. One deadline for all of them: the earliest.
    pub(crate) deadline: Option<u8>,
    pub(crate) faults: Faults,
}

impl State {
    /// Puts a copy of the work item on the queue.
    pub(crate) fn enqueue(&mut self) {
        self.queued = (self.queued + 1).min(MAX_QUEUED);
    }

    /// Moves a worker to `phase`. When its invocation ends, a lease that it holds has no holder any more.
    pub(crate) fn enter(&mut self, worker: usize, phase: Phase) {
        self.workers[worker].phase = phase;
        if phase != Phase::Idle {
            return;
        }
        self.workers[worker].life = 0;
        if let Some(lease) = self.lease.as_mut().filter(|lease| lease.holder == Holder::Worker(worker)) {
            lease.holder = Holder::Gone;
        }
    }

    pub(crate) fn holds_lease(&self, worker: usize) -> bool {
        self.lease.is_some_and(|lease| lease.holder == Holder::Worker(worker))
    }

    pub(crate) fn is_on_stage(&self, member: usize) -> bool {
        self.sent[member] > 0
    }

    /// The members whose head has this status.
    pub(crate) fn members(&self, head: Head) -> Members {
        Members::ALL.filter(|member| self.heads[member] == head)
    }
}
