//! What a change adds to the counts of jobs. They follow from where the interchange stands before and after it, never
//! from how it came there: an outcome that overrules another takes its place, whichever two they are.

use crate::{Interchange, JobId, Status};

/// A count of a job that changes with the interchanges it acted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JobCount {
    /// Sent back, deleted or rescheduled.
    Sent,
    /// Of those sent back: completed.
    Completed,
    /// Of those sent back: failed again.
    FailedAgain,
}

/// What the change from `before` to `after` adds to the counts of jobs. For a job that sends back, what was sent is at
/// all times the sum of what completed, what failed again and what is in flight. What something else acts on later
/// counts for the job as it stood then.
#[must_use]
pub fn job_counts(before: Option<&Interchange>, after: &Interchange) -> Vec<(JobId, JobCount, i64)> {
    let Some(job) = &after.job else { return Vec::new() };
    let before = before.filter(|before| before.job.as_ref() == Some(job));
    let (was, is) = (before.and_then(Interchange::counted_as), after.counted_as());
    let mut counts = Vec::new();
    if before.is_none() {
        counts.push((JobCount::Sent, 1));
    }
    if was != is {
        counts.extend(was.map(|count| (count, -1)));
        counts.extend(is.map(|count| (count, 1)));
    }
    counts.into_iter().map(|(count, by)| (job.clone(), count, by)).collect()
}

impl Interchange {
    /// The count in which it stands for the job that sent it; none while it is in flight, and where no job sent it.
    fn counted_as(&self) -> Option<JobCount> {
        match self.status {
            _ if !self.sent_by_job => None,
            Status::Completed => Some(JobCount::Completed),
            Status::Failed | Status::PartiallyFailed => Some(JobCount::FailedAgain),
            Status::WaitingForRetry
            | Status::WaitingForRestart
            | Status::InNetwork
            | Status::Deleted
            | Status::Erased => None,
        }
    }
}
