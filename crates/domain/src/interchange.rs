//! The interchange: one message with everything that is known of it.

use jiff::Timestamp;

use crate::event::{Actor, Event, EventKind};
use crate::{
    Claim, Digest, ErrorInfo, Fingerprint, Flow, FlowName, InterchangeId, JobId, Known, Minute, NextRetry, NoRetry,
    Part, PayloadSide, Payloads, Phase, Reentry, ReportDigest, Revision, StorageLayout, Trigger, Unknown,
};

/// Where an interchange stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// It failed; people and the schedule may act.
    Failed,
    /// Some of its parts failed; people and the schedule may act.
    PartiallyFailed,
    /// The receiver payload is on its way.
    WaitingForRetry,
    /// The sender payload is on its way.
    WaitingForRestart,
    /// It reached the trading network and is not yet delivered.
    InNetwork,
    /// It went through.
    Completed,
    /// A person gave it up.
    Deleted,
    /// A person had its content removed.
    Erased,
}

impl Status {
    /// Every status, in the order of the life cycle.
    pub const ALL: [Self; 8] = [
        Self::Failed,
        Self::PartiallyFailed,
        Self::WaitingForRetry,
        Self::WaitingForRestart,
        Self::InNetwork,
        Self::Completed,
        Self::Deleted,
        Self::Erased,
    ];

    /// The word used in JSON and keys.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::PartiallyFailed => "partially_failed",
            Self::WaitingForRetry => "waiting_for_retry",
            Self::WaitingForRestart => "waiting_for_restart",
            Self::InNetwork => "in_network",
            Self::Completed => "completed",
            Self::Deleted => "deleted",
            Self::Erased => "erased",
        }
    }

    /// Reads the word back.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == word)
    }

    /// Whether it can be restarted, retried or deleted.
    #[must_use]
    pub fn is_failed(self) -> bool {
        matches!(self, Self::Failed | Self::PartiallyFailed)
    }

    /// Whether a re-entry was sent and nothing was heard of it.
    #[must_use]
    pub fn is_waiting(self) -> bool {
        matches!(self, Self::WaitingForRetry | Self::WaitingForRestart)
    }

    /// Whether an attempt is on its way.
    #[must_use]
    pub fn is_in_flight(self) -> bool {
        self.is_waiting() || self == Self::InNetwork
    }

    /// Whether nothing more is expected, so that its retention runs.
    #[must_use]
    pub fn is_resolved(self) -> bool {
        matches!(self, Self::Completed | Self::Deleted | Self::Erased)
    }

    /// Whether its payloads were removed on purpose.
    #[must_use]
    pub fn has_no_payloads(self) -> bool {
        matches!(self, Self::Deleted | Self::Erased)
    }
}

/// The parties of the message and the ids to correlate it with, as the pipeline reports them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parties {
    /// Who sent it.
    pub sender: Option<String>,
    /// Whom it is for.
    pub receiver: Option<String>,
    /// The partner whose retry policy applies.
    pub partner: Option<String>,
    /// Its id in the source application.
    pub source_id: Option<String>,
    /// Correlates it with the pipeline's own logs.
    pub correlation_id: Option<String>,
    /// W3C trace context.
    pub traceparent: Option<String>,
    /// The FIFO group of its re-entry.
    pub order_key: Option<String>,
}

/// The attempt that is on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flight {
    /// Retry or restart.
    pub action: Reentry,
    /// What caused it.
    pub trigger: Trigger,
    /// The unit of work that took it.
    pub claim: Claim,
    /// When it was taken; the send follows at once.
    pub sent_at: Timestamp,
    /// The exact payload revision.
    pub payload: Revision,
    /// Where it goes.
    pub queue_url: String,
    /// Whether a job waits for the outcome of its first messages, and this is one of them.
    pub canary: bool,
}

/// How a completion is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completion {
    /// The pipeline said so, at this time by its clock.
    Reported(Timestamp),
    /// Nothing was heard until the deadline of a silent flow.
    Assumed,
}

/// When it failed last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    /// By the pipeline's clock.
    pub at: Timestamp,
    /// When Reprise recorded it, by its own clock. Frozen selections use this time; delays use it if the
    /// pipeline's clock is ahead.
    pub recorded_at: Timestamp,
}

/// One message travelling through a flow; its id never changes, however often it is reprocessed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interchange {
    pub id: InterchangeId,
    pub flow: FlowName,
    /// Where it stands.
    pub status: Status,
    /// The newest attempt; 1 is the main execution.
    pub attempt: u32,
    /// Re-entries so far.
    pub tries: u32,
    /// Automatic re-entries so far: the rung of the ladder.
    pub automatic: u32,
    /// Where it failed last.
    pub phase: Phase,
    /// The step that reported the last failure.
    pub origin: Option<String>,
    /// Whose message it is.
    pub parties: Parties,
    /// The last error.
    pub error: ErrorInfo,
    /// Its failure group.
    pub group: Fingerprint,
    /// What became of its parts, where the last failure told.
    pub parts: Vec<Part>,
    /// The last failure.
    pub failure: Failure,
    /// The attempt on its way, while one is.
    pub flight: Option<Flight>,
    /// How its completion is known, once it is completed.
    pub completion: Option<Completion>,
    /// The slot it takes part in: its next retry while failed, its deadline while an attempt is
    /// on its way.
    pub due: Option<Minute>,
    /// The next automatic retry.
    pub next_retry_at: Option<Minute>,
    /// Why the next retry is when it is: "3rd of 5, ladder, partner GLOBEX".
    pub retry_note: Option<String>,
    /// No automatic retry is left.
    pub exhausted: bool,
    /// The job that acted on it last.
    pub job: Option<JobId>,
    /// That job sent it back, so its outcome counts for the job; the job did not delete or reschedule it.
    pub sent_by_job: bool,
    /// Stored sender payloads: at most [`MAX_REVISIONS`](crate::MAX_REVISIONS) a side, and the one in flight.
    pub sender_payloads: Payloads,
    /// Stored receiver payloads.
    pub receiver_payloads: Payloads,
    /// The kept message attributes of a dead letter.
    pub attributes: Payloads,
    /// Which outcomes of the newest [`MAX_KNOWN_ATTEMPTS`](crate::MAX_KNOWN_ATTEMPTS) attempts are known, to tell repeats
    /// from news.
    pub known: Vec<(u32, Known)>,
    /// Digests of the newest reports that named a time and no attempt, or another epoch: at most
    /// [`MAX_SEEN`](crate::MAX_SEEN). They tell such a report from its repeat.
    pub seen: Vec<ReportDigest>,
    /// Events logged so far.
    pub sequence: u64,
    /// Commits so far; 0 before the first.
    pub version: u64,
    /// Where its log and its payloads are kept.
    pub storage: StorageLayout,
    /// What a later release stored of it.
    pub unknown: Unknown,
}

impl Interchange {
    /// The number of the event that brought the bytes with this digest, on any side; `None` if they are not stored.
    #[must_use]
    pub fn brought_by(&self, digest: Digest) -> Option<u64> {
        let all = [&self.sender_payloads, &self.receiver_payloads, &self.attributes];
        let revision = all.into_iter().flat_map(|payloads| &payloads.0).find(|r| r.meta.digest == digest);
        revision.map(|revision| revision.event)
    }

    /// The kept payloads of one side.
    #[must_use]
    pub fn payloads(&self, side: PayloadSide) -> &Payloads {
        match side {
            PayloadSide::Sender => &self.sender_payloads,
            PayloadSide::Receiver => &self.receiver_payloads,
        }
    }

    /// Whether `claim` took the attempt that is waiting now.
    #[must_use]
    pub fn is_claimed_by(&self, claim: &Claim) -> bool {
        self.status.is_waiting() && self.flight.as_ref().is_some_and(|f| f.claim == *claim)
    }

    /// The job that waits for the outcome of this attempt before it goes on.
    #[must_use]
    pub fn canary_of(&self) -> Option<&JobId> {
        let flight = self.flight.as_ref().filter(|_| self.status.is_in_flight())?;
        self.job.as_ref().filter(|_| flight.canary)
    }

    pub(crate) fn leave_schedule(&mut self) {
        self.due = None;
        self.next_retry_at = None;
        self.retry_note = None;
        self.flight = None;
    }

    pub(crate) fn fails(&mut self, status: Status, at: Timestamp, recorded_at: Timestamp) {
        self.status = status;
        self.failure = Failure { at, recorded_at };
        self.completion = None;
        self.unknown.category = None;
        self.group = Fingerprint::of(self.error.code.as_deref(), self.error.message.as_deref());
        self.leave_schedule();
    }

    pub(crate) fn completes(&mut self, how: Completion) {
        self.status = Status::Completed;
        self.completion = Some(how);
        self.leave_schedule();
    }
}

/// A decided change that is not yet committed: the interchange as it will be, and the events that say why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The interchange after it; its version is still the one before.
    pub after: Interchange,
    /// What is appended to the log, oldest first.
    pub events: Vec<Event>,
}

impl Change {
    pub(crate) fn of(after: Interchange) -> Self {
        Self { after, events: Vec::new() }
    }

    pub(crate) fn log(&mut self, at: Timestamp, actor: Actor, kind: EventKind) {
        self.log_attempt(at, self.after.attempt, actor, kind);
    }

    pub(crate) fn log_attempt(&mut self, at: Timestamp, attempt: u32, actor: Actor, kind: EventKind) {
        self.after.sequence += 1;
        let warnings = Vec::new();
        self.events.push(Event { sequence: self.after.sequence, at, attempt, actor, kind, warnings });
    }

    /// Gives a failed interchange its next automatic retry, or says why there is none.
    pub(crate) fn plan(&mut self, flow: &Flow, retry_after: Option<jiff::SignedDuration>, now: Timestamp) {
        match flow.next_retry(&self.after, retry_after, now) {
            Ok(NextRetry { at, why }) => {
                self.after.exhausted = false;
                self.after.due = Some(at);
                self.after.next_retry_at = Some(at);
                self.after.retry_note = Some(why.clone());
                self.log(now, Actor::Scheduler, EventKind::RetryScheduled { next_retry_at: at, why });
            }
            Err(none) => {
                self.after.retry_note = Some(none.to_string());
                let was = std::mem::replace(&mut self.after.exhausted, matches!(none, NoRetry::Exhausted { .. }));
                if let NoRetry::Exhausted { rule } = none
                    && !was
                {
                    self.log(now, Actor::Scheduler, EventKind::Exhausted { rule });
                }
            }
        }
    }
}
