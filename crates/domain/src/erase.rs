//! Erasing an interchange: what a partner or a person wrote goes. What an audit needs stays: ids, times, the digests of the payloads, who
//! acted, and who erased it and why.

use jiff::Timestamp;

use crate::event::{Event, EventKind, FailureNoted};
use crate::{Cause, Change, ErrorInfo, Fingerprint, Interchange, Parties, Refusal, Revision, Status, Unknown};

impl Interchange {
    /// Erases it, in any status and also while its flow is inactive.
    ///
    /// # Errors
    /// `Erased` when it is erased already.
    pub fn erase(self, cause: &Cause, now: Timestamp) -> Result<Change, Refusal> {
        if self.status == Status::Erased {
            return Err(Refusal::Erased);
        }
        let mut change = Change::of(self.without_texts());
        let next = &mut change.after;
        next.status = Status::Erased;
        next.job.clone_from(&cause.job);
        next.sent_by_job = false;
        next.leave_schedule();
        let kind = EventKind::Erased { reason: cause.reason.clone().unwrap_or_default(), job: cause.job.clone() };
        change.log(now, cause.actor.clone(), kind);
        Ok(change)
    }

    fn without_texts(mut self) -> Self {
        let Parties { source_id, correlation_id, .. } = self.parties;
        self.parties = Parties { source_id, correlation_id, ..Parties::default() };
        self.origin = None;
        self.error = self.error.without_texts();
        self.group = Fingerprint::of(None, None);
        self.parts.iter_mut().for_each(|part| part.message = None);
        let all = [&mut self.sender_payloads, &mut self.receiver_payloads, &mut self.attributes];
        all.into_iter().flat_map(|payloads| &mut payloads.0).for_each(Revision::forget_content_type);
        self.unknown = Unknown::default();
        self
    }
}

impl Revision {
    fn forget_content_type(&mut self) {
        self.meta.content_type = None;
    }
}

impl ErrorInfo {
    fn without_texts(self) -> Self {
        Self { category: self.category, code: None, message: None }
    }
}

impl Event {
    /// The event without what a partner or a person wrote. The event that says who erased it keeps the reason.
    #[must_use]
    pub fn without_texts(self) -> Self {
        Self { kind: self.kind.without_texts(), warnings: Vec::new(), ..self }
    }

    /// The error text of a failure, which may stand elsewhere as the sample of its group.
    #[must_use]
    pub fn error_text(&self) -> Option<&str> {
        match &self.kind {
            EventKind::Failed(failure) | EventKind::PartiallyFailed(failure) => failure.error.message.as_deref(),
            EventKind::SendFailed { error, .. } => Some(error),
            _ => None,
        }
    }
}

impl EventKind {
    fn without_texts(self) -> Self {
        match self {
            Self::Failed(failure) => Self::Failed(failure.without_texts()),
            Self::PartiallyFailed(failure) => Self::PartiallyFailed(failure.without_texts()),
            Self::RetryScheduled { next_retry_at, .. } => Self::RetryScheduled { next_retry_at, why: String::new() },
            Self::Requested(mut requested) => {
                requested.reason = None;
                requested.payload.forget_content_type();
                Self::Requested(requested)
            }
            Self::SendFailed { queue_url, .. } => Self::SendFailed { error: String::new(), queue_url },
            Self::Exhausted { .. } => Self::Exhausted { rule: String::new() },
            Self::LateOutcome { outcome, occurred_at, sender_payload, receiver_payload } => Self::LateOutcome {
                outcome,
                occurred_at,
                sender_payload: sender_payload.map(without_content_type),
                receiver_payload: receiver_payload.map(without_content_type),
            },
            Self::Deleted { job, .. } => Self::Deleted { reason: String::new(), job },
            Self::Other { kind, .. } => Self::Other { kind, stored: "null".to_owned() },
            same @ (Self::RetryHeld
            | Self::RetrySkipped { .. }
            | Self::InNetwork { .. }
            | Self::Completed { .. }
            | Self::AssumedCompleted
            | Self::OutcomeOverdue
            | Self::Erased { .. }) => same,
        }
    }
}

impl FailureNoted {
    fn without_texts(self) -> Self {
        Self {
            origin: None,
            error: self.error.without_texts(),
            sender_payload: self.sender_payload.map(without_content_type),
            receiver_payload: self.receiver_payload.map(without_content_type),
            ..self
        }
    }
}

fn without_content_type(mut revision: Revision) -> Revision {
    revision.forget_content_type();
    revision
}
