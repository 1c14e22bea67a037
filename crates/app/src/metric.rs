//! What is counted for those who watch the stack. Counts are told to the log's subscriber under a target of their own;
//! their outcomes are not known here.

use domain::{Event, EventKind, Timestamp};

/// The target of counts: `metric` names what is counted, `by` how much, `since` (milliseconds since 1970) when what has
/// now been done began.
pub const METRICS: &str = "reprise::metrics";

/// What is counted. Each is counted after the commit that makes it so, so that work which comes again counts once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    /// Messages of the failures queue that were news.
    Ingested,
    /// Messages of the failures queue that were known already.
    Duplicates,
    /// How long after it happened a message was kept; after it was queued where the pipeline's clock is ahead of that.
    IngestLag,
    /// Re-entries, as a job counts them: what SQS refuses permanently has failed again.
    Sent,
    /// Re-entries that went through, as reported or assumed.
    Completed,
    /// Re-entries that failed, by a report, by silence or by SQS.
    FailedAgain,
    /// Interchanges without an automatic retry left.
    Exhausted,
    /// Slots of active flows that a sweep found overdue; counted by each sweep, zero included.
    OverdueSlots,
    /// Jobs that ended because their canary failed.
    JobsHalted,
    /// Work items that failed too often and were set aside.
    WorkSetAside,
    /// Messages on the jobs queue that are not work of Reprise, and were not done.
    WorkRefused,
}

impl Metric {
    /// Every metric.
    pub const ALL: [Self; 11] = [
        Self::Ingested,
        Self::Duplicates,
        Self::IngestLag,
        Self::Sent,
        Self::Completed,
        Self::FailedAgain,
        Self::Exhausted,
        Self::OverdueSlots,
        Self::JobsHalted,
        Self::WorkSetAside,
        Self::WorkRefused,
    ];

    /// Its name in CloudWatch.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ingested => "Ingested",
            Self::Duplicates => "Duplicates",
            Self::IngestLag => "IngestLag",
            Self::Sent => "Sent",
            Self::Completed => "Completed",
            Self::FailedAgain => "FailedAgain",
            Self::Exhausted => "Exhausted",
            Self::OverdueSlots => "OverdueSlots",
            Self::JobsHalted => "JobsHalted",
            Self::WorkSetAside => "WorkSetAside",
            Self::WorkRefused => "WorkRefused",
        }
    }

    /// Reads the name back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.as_str() == name)
    }
}

/// Adds `by`, zero included.
pub(crate) fn count(metric: Metric, by: usize) {
    tracing::info!(target: METRICS, metric = metric.as_str(), by = by as u64);
}

/// Counts a message that was news and is kept now.
pub(crate) fn ingested(since: Timestamp) {
    count(Metric::Ingested, 1);
    tracing::info!(target: METRICS, metric = Metric::IngestLag.as_str(), since = since.as_millisecond());
}

/// Counts what committed events came to.
pub(crate) fn committed(events: &[Event]) {
    for metric in events.iter().filter_map(of) {
        count(metric, 1);
    }
}

fn of(event: &Event) -> Option<Metric> {
    match &event.kind {
        EventKind::Requested(_) => Some(Metric::Sent),
        EventKind::Completed { .. } | EventKind::AssumedCompleted => Some(Metric::Completed),
        EventKind::Failed(_) | EventKind::PartiallyFailed(_) => (event.attempt > 1).then_some(Metric::FailedAgain),
        EventKind::OutcomeOverdue | EventKind::SendFailed { .. } => Some(Metric::FailedAgain),
        EventKind::Exhausted { .. } => Some(Metric::Exhausted),
        EventKind::RetryScheduled { .. }
        | EventKind::RetryHeld
        | EventKind::RetrySkipped { .. }
        | EventKind::InNetwork { .. }
        | EventKind::LateOutcome { .. }
        | EventKind::Deleted { .. }
        | EventKind::Erased { .. }
        | EventKind::Other { .. } => None,
    }
}
