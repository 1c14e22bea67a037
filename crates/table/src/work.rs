//! One interchange's pending commit: as it was loaded, as it shall be, and the events between.

use crate::Enrolled;
use domain::{Change, Digest, Event, Interchange, JobId, Minute, Slot};

/// A change that waits to be committed. Several reports of one batch on one interchange fold into one.
#[derive(Debug, Clone)]
pub struct Work {
    /// As the table has it; `None` when it is new.
    pub before: Option<Interchange>,
    /// As it shall be.
    pub after: Interchange,
    /// Appended to the log, oldest first.
    pub events: Vec<Event>,
    /// Payloads that are committed in the item of these events, packed.
    pub(crate) inline: Vec<(Digest, Vec<u8>)>,
}

impl Work {
    /// The first change of an interchange that was loaded as `before`.
    #[must_use]
    pub fn new(before: Option<Interchange>, change: Change) -> Self {
        Self { before, after: change.after, events: change.events, inline: Vec::new() }
    }

    /// Adds a change that was decided on what this work leads to.
    pub fn then(&mut self, change: Change) {
        self.after = change.after;
        self.events.extend(change.events);
    }

    /// The slot in which it must be enrolled, when this work gives it a new one.
    #[must_use]
    pub fn enrols_in(&self) -> Option<Slot> {
        let due: Minute = self.after.due?;
        let already = self.before.as_ref().is_some_and(|before| before.due == Some(due));
        (!already).then(|| Slot { minute: due, flow: self.after.flow.clone() })
    }

    /// What it is enrolled as there.
    #[must_use]
    pub fn enrolled_as(&self) -> Enrolled {
        if self.after.status.is_failed() { Enrolled::Retries } else { Enrolled::Deadlines }
    }

    /// The job that waited for the outcome which this work brings.
    #[must_use]
    pub fn ends_canary(&self) -> Option<&JobId> {
        self.before.as_ref()?.canary_of().filter(|_| !self.after.status.is_in_flight())
    }

    /// The head's version once this is committed.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.expected_version() + 1
    }

    pub(crate) fn expected_version(&self) -> u64 {
        self.before.as_ref().map_or(0, |before| before.version)
    }
}
