//! Putting an interchange back into the pipeline, giving it up, and what follows when SQS refuses.

use jiff::Timestamp;

use crate::event::{Actor, EventKind, FailureNoted, Requested};
use crate::{
    Category, Change, Claim, ConfirmationMode, ErrorInfo, Flight, Flow, Interchange, JobAction, JobId, PayloadSide,
    Revision, Slot, Status,
};

/// The maximum number of attempts. Reports of later attempts are not accepted, so no later attempt is started.
pub const MAX_ATTEMPTS: u32 = 1_000_000;

/// The error code of a re-entry that its stage queue refused.
const SEND_FAILED: &str = "send_failed";

/// How an interchange re-enters the pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reentry {
    /// The receiver payload at the receiver stage: mapping is skipped.
    Retry,
    /// The sender payload at the sender stage: mapping runs again.
    Restart,
}

impl Reentry {
    /// The word used in JSON and paths.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Restart => "restart",
        }
    }

    /// The payload it sends.
    #[must_use]
    pub fn side(self) -> PayloadSide {
        match self {
            Self::Retry => PayloadSide::Receiver,
            Self::Restart => PayloadSide::Sender,
        }
    }
}

/// What caused an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// A person.
    Manual,
    /// The retry schedule.
    Scheduled,
}

impl Trigger {
    /// The word used in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Scheduled => "scheduled",
        }
    }
}

/// Why an interchange is sent back or deleted, and by what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// The work item.
    pub claim: Claim,
    /// Who.
    pub actor: Actor,
    /// What kind of cause.
    pub trigger: Trigger,
    /// Why; people must say.
    pub reason: Option<String>,
    /// The job it is part of.
    pub job: Option<JobId>,
    /// Whether it is one of the first messages of a job, whose outcomes the job waits for.
    pub canary: bool,
}

/// What is known of the send of an attempt that is waiting, when its deadline passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordedSend {
    /// The unit of work that took it recorded at this time that all its messages are on the stage.
    At(Timestamp),
    /// No send is recorded, so a missing outcome means nothing.
    Missing,
}

/// Why an action cannot be done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, thiserror::Error)]
pub enum Refusal {
    /// Only what is failed or partially failed can be acted on.
    #[error("the interchange is {}, and only failed and partially_failed ones can be acted on", status.as_str())]
    NotFailed {
        /// What it is instead.
        status: Status,
    },
    /// It is erased already.
    #[error("the interchange is erased")]
    Erased,
    /// A retry has nothing to send.
    #[error("there is no receiver payload to retry")]
    NoReceiverPayload,
    /// A restart has nothing to send.
    #[error("there is no sender payload to restart")]
    NoSenderPayload,
    /// The interchange has had every attempt there is.
    #[error("the interchange is at attempt {MAX_ATTEMPTS}, and there is none after it")]
    NoAttemptLeft,
    /// The flow is switched off.
    #[error("the flow is inactive")]
    FlowInactive,
    /// The flow names no queue for that stage.
    #[error("the flow has no {} stage queue", side.as_str())]
    StageNotConfigured {
        /// The stage that is missing.
        side: PayloadSide,
    },
    /// This release does not understand what the flow's stored configuration says about that stage.
    #[error("what is configured as the flow's {} stage is not understood by this release", side.as_str())]
    StageNotUnderstood {
        /// The stage that is not understood.
        side: PayloadSide,
    },
}

/// What SQS said when it refused a message permanently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendFailure {
    /// Who asked for the re-entry, as far as is known.
    pub actor: Actor,
    /// The error text of SQS.
    pub error: String,
    /// The queue that refused.
    pub queue_url: Option<String>,
}

impl Interchange {
    /// Releases a failed interchange back into the pipeline as its next attempt.
    ///
    /// # Errors
    /// The [`Refusal`] that applies first: flow inactive, not failed, no attempt left, nothing to send, no queue to send to.
    pub fn reenter(self, action: Reentry, cause: &Cause, flow: &Flow, now: Timestamp) -> Result<Change, Refusal> {
        if !flow.active {
            return Err(Refusal::FlowInactive);
        }
        self.must_be_failed()?;
        let payload = self.payload_for(action)?.clone();
        let queue_url = flow.stage_queue(action)?.to_owned();
        let mut change = Change::of(self);
        let next = &mut change.after;
        next.attempt += 1;
        next.tries += 1;
        if cause.trigger == Trigger::Scheduled {
            next.automatic += 1;
        }
        next.status = match action {
            Reentry::Retry => Status::WaitingForRetry,
            Reentry::Restart => Status::WaitingForRestart,
        };
        next.flight = Some(Flight {
            action,
            trigger: cause.trigger,
            claim: cause.claim.clone(),
            sent_at: now,
            payload: payload.clone(),
            queue_url: queue_url.clone(),
            canary: cause.canary,
        });
        next.job = cause.job.clone();
        next.sent_by_job = cause.job.is_some();
        next.due = Some(flow.confirmation.deadline(now));
        next.next_retry_at = None;
        let requested = Requested {
            action,
            trigger: cause.trigger,
            reason: cause.reason.clone(),
            job: cause.job.clone(),
            side: action.side(),
            payload,
            queue_url,
        };
        change.log(now, cause.actor.clone(), EventKind::Requested(Box::new(requested)));
        Ok(change)
    }

    /// Gives up a failed interchange: its payloads are removed, head and log stay for the audit.
    ///
    /// # Errors
    /// `NotFailed`; `FlowInactive`, since every manual action needs an active flow.
    pub fn delete(self, cause: &Cause, flow: &Flow, now: Timestamp) -> Result<Change, Refusal> {
        if !flow.active {
            return Err(Refusal::FlowInactive);
        }
        self.must_be_failed()?;
        let mut change = Change::of(self);
        change.after.status = Status::Deleted;
        change.after.job = cause.job.clone();
        change.after.sent_by_job = false;
        change.after.leave_schedule();
        let kind = EventKind::Deleted { reason: cause.reason.clone().unwrap_or_default(), job: cause.job.clone() };
        change.log(now, cause.actor.clone(), kind);
        Ok(change)
    }

    /// Puts an interchange back to failed because SQS refused its re-entry permanently. It waits for a person:
    /// the same message would be refused again.
    ///
    /// `None` when the attempt that could not be sent is no longer the one in flight.
    #[must_use]
    pub fn send_failed(self, attempt: u32, failure: &SendFailure, now: Timestamp) -> Option<Change> {
        if self.attempt != attempt || !self.status.is_waiting() {
            return None;
        }
        let mut change = Change::of(self);
        let next = &mut change.after;
        next.error = ErrorInfo {
            category: Category::System,
            code: Some(SEND_FAILED.to_owned()),
            message: Some(failure.error.clone()),
        };
        next.fails(Status::Failed, now, now);
        let kind = EventKind::SendFailed { error: failure.error.clone(), queue_url: failure.queue_url.clone() };
        change.log(now, failure.actor.clone(), kind);
        Some(change)
    }

    /// Whether its newest attempt never left: its stage queue refused the message.
    #[must_use]
    pub fn is_send_failed(&self) -> bool {
        self.status.is_failed() && self.error.code.as_deref() == Some(SEND_FAILED)
    }

    /// Removes an interchange whose automatic retry is impossible from the schedule and logs the reason: it waits
    /// for a person. `None` when it is not failed any more.
    #[must_use]
    pub fn cannot_be_retried(self, refusal: Refusal, now: Timestamp) -> Option<Change> {
        if !self.status.is_failed() {
            return None;
        }
        let mut change = Change::of(self);
        change.after.leave_schedule();
        change.after.retry_note = Some(refusal.to_string());
        change.log(now, Actor::Scheduler, EventKind::RetrySkipped { why: refusal.to_string() });
        Some(change)
    }

    /// Judges an interchange whose deadline passed without an outcome; `None` when this slot is not its deadline.
    ///
    /// Silence counts from the recorded send. Without one, or if time is left, only the deadline moves: for a message that
    /// was not on the stage, silence completes nothing and uses up no attempt.
    #[must_use]
    pub fn overdue(self, slot: &Slot, flow: &Flow, send: RecordedSend, now: Timestamp) -> Option<Change> {
        if !self.status.is_in_flight() || self.due != Some(slot.minute) {
            return None;
        }
        let moved = match send {
            RecordedSend::Missing if self.status.is_waiting() => Some(flow.confirmation.deadline(now)),
            RecordedSend::At(at) if self.status.is_waiting() => {
                Some(flow.confirmation.deadline(at)).filter(|deadline| *deadline > slot.minute)
            }
            RecordedSend::Missing | RecordedSend::At(_) => None,
        };
        let mut change = Change::of(self);
        if let Some(deadline) = moved {
            change.after.due = Some(deadline);
            return Some(change);
        }
        match flow.confirmation.mode {
            ConfirmationMode::Silent => {
                change.after.completes(crate::Completion::Assumed);
                change.log(now, Actor::Scheduler, EventKind::AssumedCompleted);
            }
            ConfirmationMode::Confirms => {
                let next = &mut change.after;
                next.error = ErrorInfo {
                    category: Category::NoOutcome,
                    code: None,
                    message: Some("no outcome was reported before the deadline".to_owned()),
                };
                next.fails(Status::Failed, now, now);
                change.log(now, Actor::Scheduler, EventKind::OutcomeOverdue);
                change.plan(flow, None, now);
            }
        }
        Some(change)
    }

    /// The action of an automatic retry: the one that the flow fixes, else the one for the phase. If that one has no
    /// payload to send, it is the other one.
    #[must_use]
    pub fn automatic_action(&self, flow: &Flow) -> Reentry {
        let by_phase = match self.phase {
            crate::Phase::Delivery => Reentry::Retry,
            crate::Phase::Processing => Reentry::Restart,
        };
        let action = flow.retry_for(self.parties.partner.as_deref()).action.unwrap_or(by_phase);
        match action {
            Reentry::Retry if self.receiver_payloads.current().is_none() => Reentry::Restart,
            Reentry::Restart if self.sender_payloads.current().is_none() => Reentry::Retry,
            action => action,
        }
    }

    /// Why `action` would be refused now, judged by the interchange alone; its flow may refuse more.
    #[must_use]
    pub fn refusal(&self, action: JobAction) -> Option<Refusal> {
        let payload = match action {
            JobAction::Reenter(action) => self.payload_for(action).err(),
            JobAction::Delete | JobAction::Reschedule => None,
            JobAction::Erase => return (self.status == Status::Erased).then_some(Refusal::Erased),
        };
        self.must_be_failed().err().or(payload)
    }

    fn must_be_failed(&self) -> Result<(), Refusal> {
        if self.status.is_failed() { Ok(()) } else { Err(Refusal::NotFailed { status: self.status }) }
    }

    fn payload_for(&self, action: Reentry) -> Result<&Revision, Refusal> {
        match action {
            _ if self.attempt >= MAX_ATTEMPTS => Err(Refusal::NoAttemptLeft),
            Reentry::Retry => self.receiver_payloads.current().ok_or(Refusal::NoReceiverPayload),
            Reentry::Restart => self.sender_payloads.current().ok_or(Refusal::NoSenderPayload),
        }
    }

    /// The failure as the log keeps it.
    pub(crate) fn failure_noted(&self, occurred_at: Timestamp) -> FailureNoted {
        FailureNoted {
            occurred_at,
            phase: self.phase,
            origin: self.origin.clone(),
            error: self.error.clone(),
            sender_payload: self.sender_payloads.current().cloned(),
            receiver_payload: self.receiver_payloads.current().cloned(),
            job: self.job.clone(),
        }
    }
}
