//! The event log: every fact about an interchange, appended, never changed.

use jiff::Timestamp;

use crate::{ErrorInfo, JobId, Known, Minute, PayloadSide, Phase, Reentry, Revision, Trigger, Warning};

/// Who caused an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A caller of the API: the token's subject or the caller's ARN.
    Person(String),
    /// An automatic retry.
    Scheduler,
    /// A report.
    Pipeline,
}

impl Actor {
    /// The text in the log.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Person(name) => name,
            Self::Scheduler => "scheduler",
            Self::Pipeline => "pipeline",
        }
    }
}

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Counts from 1 without a gap.
    pub sequence: u64,
    /// When it was recorded, by Reprise's clock.
    pub at: Timestamp,
    /// The attempt it speaks of.
    pub attempt: u32,
    /// Who caused it.
    pub actor: Actor,
    /// What happened.
    pub kind: EventKind,
    /// Fields of the report behind it that were not taken as they came.
    pub warnings: Vec<Warning>,
}

/// What happened, with what is particular to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
    /// The attempt failed as a whole.
    Failed(FailureNoted),
    /// Some parts of the attempt failed.
    PartiallyFailed(FailureNoted),
    /// The next automatic retry has its time.
    RetryScheduled {
        /// When.
        next_retry_at: Minute,
        /// Why then, in words: "2nd of 5, ladder".
        why: String,
    },
    /// A retry fell due while its flow was inactive.
    RetryHeld,
    /// A retry fell due and could not be done.
    RetrySkipped {
        /// Why not.
        why: String,
    },
    /// It was sent back: the snapshot of the attempt that starts.
    Requested(Box<Requested>),
    /// The attempt reached the trading network.
    InNetwork {
        /// By the pipeline's clock.
        occurred_at: Timestamp,
    },
    /// The attempt went through.
    Completed {
        /// By the pipeline's clock.
        occurred_at: Timestamp,
    },
    /// Nothing was heard of the attempt, which in a silent flow means that it went through.
    AssumedCompleted,
    /// Nothing was heard of the attempt, which in a confirming flow is a failure.
    OutcomeOverdue,
    /// SQS refused the message permanently.
    SendFailed {
        /// What SQS said.
        error: String,
        /// The queue that refused.
        queue_url: Option<String>,
    },
    /// No automatic retry is left.
    Exhausted {
        /// The rule that ended it.
        rule: String,
    },
    /// An outcome that came too late to change where the interchange stands.
    LateOutcome {
        /// What it said.
        outcome: Known,
        /// By the pipeline's clock.
        occurred_at: Timestamp,
        /// The sender payload that it brought, where that was never seen before.
        sender_payload: Option<Revision>,
        /// The receiver payload that it brought, where that was never seen before.
        receiver_payload: Option<Revision>,
    },
    /// A person gave it up.
    Deleted {
        /// Why.
        reason: String,
        /// The job that did it.
        job: Option<JobId>,
    },
    /// A person had its content removed.
    Erased {
        /// Why.
        reason: String,
        /// The job that did it.
        job: Option<JobId>,
    },
    /// An event that this release does not know, or knows otherwise. Only what is read has it; nothing here makes one.
    Other {
        /// The word under which it is stored.
        kind: String,
        /// What is stored with it, JSON.
        stored: String,
    },
}

impl EventKind {
    /// The word used in JSON and in the log's lines; of an event that is not known, the API shows its own word.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Other { .. } => "other",
            Self::Failed(_) => "failed",
            Self::PartiallyFailed(_) => "partially_failed",
            Self::RetryScheduled { .. } => "retry_scheduled",
            Self::RetryHeld => "retry_held",
            Self::RetrySkipped { .. } => "retry_skipped",
            Self::Requested(requested) => match requested.action {
                Reentry::Retry => "retry_requested",
                Reentry::Restart => "restart_requested",
            },
            Self::InNetwork { .. } => "in_network",
            Self::Completed { .. } => "completed",
            Self::AssumedCompleted => "assumed_completed",
            Self::OutcomeOverdue => "outcome_overdue",
            Self::SendFailed { .. } => "send_failed",
            Self::Exhausted { .. } => "exhausted",
            Self::LateOutcome { .. } => "late_outcome",
            Self::Deleted { .. } => "deleted",
            Self::Erased { .. } => "erased",
        }
    }
}

impl EventKind {
    /// The payload revisions that it names, by side.
    pub fn revisions(&self) -> impl Iterator<Item = (PayloadSide, &Revision)> {
        let [sender, receiver] = match self {
            Self::Failed(failure) | Self::PartiallyFailed(failure) => {
                [failure.sender_payload.as_ref(), failure.receiver_payload.as_ref()]
            }
            Self::LateOutcome { sender_payload, receiver_payload, .. } => {
                [sender_payload.as_ref(), receiver_payload.as_ref()]
            }
            Self::Requested(requested) => match requested.side {
                PayloadSide::Sender => [Some(&requested.payload), None],
                PayloadSide::Receiver => [None, Some(&requested.payload)],
            },
            _ => [None, None],
        };
        let sender = sender.map(|revision| (PayloadSide::Sender, revision));
        sender.into_iter().chain(receiver.map(|revision| (PayloadSide::Receiver, revision)))
    }
}

/// A failure as the log keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureNoted {
    /// By the pipeline's clock.
    pub occurred_at: Timestamp,
    /// Where.
    pub phase: Phase,
    /// The step that reported it.
    pub origin: Option<String>,
    pub error: ErrorInfo,
    /// The payload revisions known after it.
    pub sender_payload: Option<Revision>,
    /// The payload revisions known after it.
    pub receiver_payload: Option<Revision>,
    /// The job whose re-entry failed.
    pub job: Option<JobId>,
}

/// A re-entry as the log keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requested {
    /// Retry or restart.
    pub action: Reentry,
    /// What caused it.
    pub trigger: Trigger,
    /// The reason a person gave.
    pub reason: Option<String>,
    /// The job that asked.
    pub job: Option<JobId>,
    /// Which payload is sent.
    pub side: PayloadSide,
    /// Its exact revision.
    pub payload: Revision,
    /// The queue it is sent to.
    pub queue_url: String,
}
