//! A job: one bulk restart, retry or delete over a selection of a flow's interchanges.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::{
    Actor, Cause, Claim, Filter, Flow, FlowName, Interchange, JobLimits, Reentry, Refusal, Selection, Status, Trigger,
};

/// Identifies a job.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(pub String);

/// What a job does to each interchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobAction {
    /// Sends it back.
    Reenter(Reentry),
    /// Gives it up.
    Delete,
    /// Removes its content, in any status.
    Erase,
    /// Reschedules its next retry.
    Reschedule,
}

impl JobAction {
    /// The word used in JSON and paths.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reenter(action) => action.as_str(),
            Self::Delete => "delete",
            Self::Erase => "erase",
            Self::Reschedule => "reschedule",
        }
    }

    /// Whether outcomes follow from it: without them a canary would never be over.
    #[must_use]
    pub fn has_outcomes(self) -> bool {
        matches!(self, Self::Reenter(_))
    }

    /// The statuses it acts on where a selection names none.
    #[must_use]
    pub fn statuses(self) -> Vec<Status> {
        match self {
            Self::Erase => Status::ALL.into_iter().filter(|status| *status != Status::Erased).collect(),
            Self::Reenter(_) | Self::Delete | Self::Reschedule => vec![Status::Failed, Status::PartiallyFailed],
        }
    }

    /// Reads the word back.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Reenter(Reentry::Retry), Self::Reenter(Reentry::Restart), Self::Delete, Self::Erase, Self::Reschedule]
            .into_iter()
            .find(|action| action.as_str() == word)
    }
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobStatus {
    /// Accepted, not begun.
    Queued,
    /// Waits for what its first messages come to.
    Canary,
    /// At work.
    Running,
    /// Asked to stop.
    Cancelling,
    /// Stopped by a person.
    Cancelled,
    /// Stopped by itself.
    Halted,
    /// Done.
    Completed,
}

impl JobStatus {
    const ALL: [Self; 7] =
        [Self::Queued, Self::Canary, Self::Running, Self::Cancelling, Self::Cancelled, Self::Halted, Self::Completed];

    /// The word used in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Canary => "canary",
            Self::Running => "running",
            Self::Cancelling => "cancelling",
            Self::Cancelled => "cancelled",
            Self::Halted => "halted",
            Self::Completed => "completed",
        }
    }

    /// Reads the word back.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == word)
    }

    /// Whether nothing more will happen.
    #[must_use]
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Cancelled | Self::Halted | Self::Completed)
    }
}

/// What a job has come to so far.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JobCounts {
    /// Found by the selection.
    pub matched: u64,
    /// Sent back (or deleted).
    pub sent: u64,
    /// Left alone, by reason.
    pub skips: BTreeMap<String, u64>,
    /// Reported completed since.
    pub completed: u64,
    /// Failed again since.
    pub failed_again: u64,
}

impl JobCounts {
    /// Counts as cancelled what was matched and neither sent nor skipped when the job was cancelled.
    pub fn cancel_rest(&mut self) {
        let rest = self.matched.saturating_sub(self.sent + self.skipped());
        if rest > 0 {
            *self.skips.entry("cancelled".to_owned()).or_default() += rest;
        }
    }

    /// All that was left alone.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.skips.values().sum()
    }
}

/// What the canary's outcomes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CanaryResult {
    /// Not all have come.
    Wait,
    /// They all completed.
    GoOn,
    /// One failed again, or could not be sent.
    Halt,
}

/// A job as it was asked for, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    pub id: JobId,
    /// The flow it acts on.
    pub flow: FlowName,
    /// What it does.
    pub action: JobAction,
    /// The interchanges that it acts on.
    pub selection: Selection,
    /// Why.
    pub reason: String,
    /// Who asked.
    pub actor: String,
    /// The selection is frozen at this time: what fails later is not taken.
    pub as_of: Timestamp,
    /// The limits that it keeps to.
    pub limits: JobLimits,
    /// Where it stands.
    pub status: JobStatus,
    /// Why it stopped by itself, or does not go on now.
    pub halt: Option<String>,
    /// Its work failed too often and was set aside: it goes on when a person says so.
    pub stuck: bool,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
}

/// What a job does about one interchange of its selection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Take {
    /// Act on it.
    Act,
    /// The same job acted on it before: only the follow-up work may be left to do.
    Resume,
    /// Leave it alone.
    Skip(&'static str),
}

impl Job {
    /// The cause that the events of one of its chunks name.
    #[must_use]
    pub fn cause(&self, chunk: u64) -> Cause {
        Cause {
            claim: Claim::Chunk { job: self.id.clone(), number: chunk },
            actor: Actor::Person(self.actor.clone()),
            trigger: Trigger::Manual,
            reason: Some(self.reason.clone()),
            job: Some(self.id.clone()),
            canary: self.status == JobStatus::Canary,
        }
    }

    /// How many messages the canary still needs; skipped ones do not count. 0 if there is no canary.
    #[must_use]
    pub fn canary_lacks(&self, counts: &JobCounts) -> u64 {
        self.limits.canary.map_or(0, |canary| u64::from(canary).saturating_sub(counts.sent))
    }

    /// Whether its messages go to a queue that keeps the order in which they come.
    #[must_use]
    pub fn keeps_order(&self, flow: &Flow) -> bool {
        matches!(self.action, JobAction::Reenter(action) if flow.keeps_order_at(action))
    }

    /// Why the job would skip an interchange in its current state; `None` if the job would act on it.
    #[must_use]
    pub fn would_skip(&self, interchange: &Interchange) -> Option<&'static str> {
        match self.take(interchange) {
            Take::Skip(reason) => Some(reason),
            Take::Resume => None,
            Take::Act => interchange.refusal(self.action).map(Refusal::slug),
        }
    }

    /// What the outcomes of the canary say, once its chunks are done.
    #[must_use]
    pub fn canary_result(&self, counts: &JobCounts) -> CanaryResult {
        if counts.failed_again > 0 {
            CanaryResult::Halt
        } else if counts.completed >= counts.sent {
            CanaryResult::GoOn
        } else {
            CanaryResult::Wait
        }
    }

    /// Whether an interchange belongs to the frozen selection, as far as its row tells.
    #[must_use]
    pub fn selects(&self, interchange: &Interchange) -> bool {
        interchange.failure.recorded_at <= self.as_of
            && interchange.job.as_ref() != Some(&self.id)
            && match &self.selection {
                Selection::Ids(ids) => ids.contains(&interchange.id),
                Selection::Filter(_) | Selection::All => self.filter().is_some_and(|f| f.matches(interchange)),
            }
    }

    /// The filter of its selection, with the statuses that the action acts on where the selection names none; `None` where it names ids.
    #[must_use]
    pub fn filter(&self) -> Option<Filter> {
        let filter = match &self.selection {
            Selection::Ids(_) => return None,
            Selection::Filter(filter) => filter.clone(),
            Selection::All => Filter::default(),
        };
        let status = if filter.status.is_empty() { self.action.statuses() } else { filter.status };
        Some(Filter { status, ..filter })
    }

    /// What to do about an interchange of the selection as it stands now.
    #[must_use]
    pub fn take(&self, interchange: &Interchange) -> Take {
        // An interchange of another flow counts as not found: a caller may not be allowed to know of it.
        if interchange.flow != self.flow {
            return Take::Skip("not-found");
        }
        if interchange.job.as_ref() == Some(&self.id) {
            return Take::Resume;
        }
        if interchange.status.is_failed() && interchange.failure.recorded_at > self.as_of {
            return Take::Skip("failed-later");
        }
        Take::Act
    }
}

impl Refusal {
    /// The reason's name in problems and in a job's skips.
    #[must_use]
    pub fn slug(self) -> &'static str {
        match self {
            Self::NotFailed { .. } => "not-failed",
            Self::Erased => "erased",
            Self::NoReceiverPayload => "no-receiver-payload",
            Self::NoSenderPayload => "no-sender-payload",
            Self::NoAttemptLeft => "no-attempt-left",
            Self::FlowInactive => "flow-inactive",
            Self::StageNotConfigured { .. } => "stage-not-configured",
            Self::StageNotUnderstood { .. } => "stage-not-understood",
        }
    }
}
