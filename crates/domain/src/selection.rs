//! Which interchanges a list shows and a job takes: one predicate for both.

use jiff::Timestamp;

use crate::{Category, Fingerprint, Interchange, InterchangeId, JobId, Phase, Status};

/// What a job acts on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "there is one in a job, and it is hardly ever moved")]
pub enum Selection {
    /// These, 1-1000 of them.
    Ids(Vec<InterchangeId>),
    /// What the filter matches.
    Filter(Filter),
    /// Every failed and partially failed interchange of the flow.
    All,
}

/// A filter over a flow's interchanges; what is left out matches everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Any of these; empty means failed and partially failed.
    pub status: Vec<Status>,
    /// Failed at or after.
    pub from: Option<Timestamp>,
    /// Failed before.
    pub to: Option<Timestamp>,
    /// The error message contains this, whatever the case.
    pub message: Option<String>,
    /// Exactly this sender.
    pub sender: Option<String>,
    /// Exactly this receiver.
    pub receiver: Option<String>,
    /// Exactly this origin.
    pub origin: Option<String>,
    pub phase: Option<Phase>,
    pub category: Option<Category>,
    /// Exactly this source id.
    pub source_id: Option<String>,
    /// This failure group.
    pub group: Option<Fingerprint>,
    /// Last acted on by this job.
    pub job: Option<JobId>,
}

impl Filter {
    /// The statuses it walks.
    #[must_use]
    pub fn statuses(&self) -> Vec<Status> {
        if self.status.is_empty() { vec![Status::Failed, Status::PartiallyFailed] } else { self.status.clone() }
    }

    /// Whether it asks for nothing but status and time of failure.
    #[must_use]
    pub fn is_by_status_and_time(&self) -> bool {
        *self == Self { status: self.status.clone(), from: self.from, to: self.to, ..Self::default() }
    }

    /// Whether an interchange is one of those meant.
    #[must_use]
    pub fn matches(&self, interchange: &Interchange) -> bool {
        let is = |wanted: &Option<String>, has: &Option<String>| wanted.is_none() || wanted == has;
        self.statuses().contains(&interchange.status)
            && self.from.is_none_or(|from| interchange.failure.at >= from)
            && self.to.is_none_or(|to| interchange.failure.at < to)
            && is(&self.sender, &interchange.parties.sender)
            && is(&self.receiver, &interchange.parties.receiver)
            && is(&self.source_id, &interchange.parties.source_id)
            && is(&self.origin, &interchange.origin)
            && self.phase.is_none_or(|phase| interchange.phase == phase)
            && self.category.is_none_or(|category| interchange.error.category == category)
            && self.group.as_ref().is_none_or(|group| interchange.group == *group)
            && (self.job.is_none() || self.job == interchange.job)
            && self.message.as_deref().is_none_or(|part| message_contains(interchange, part))
    }
}

fn message_contains(interchange: &Interchange, part: &str) -> bool {
    let message = interchange.error.message.as_deref().unwrap_or_default();
    message.to_lowercase().contains(&part.to_lowercase())
}
