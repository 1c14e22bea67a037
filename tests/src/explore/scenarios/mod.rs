//! The scenarios: small, quick, and the same in every run apart from the faults.

mod jobs;
mod lives;
mod slots;

use std::fmt;

use super::pipeline::Pipeline;
use crate::invariants::Outcome;

/// A sequence of reports and requests about a few dozen messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scenario {
    /// Failures of two flows with repeats, and outcomes of attempts that Reprise did not send.
    Ingest,
    /// The first failure of an unconfigured flow registers the flow.
    Registration,
    /// Retry, restart and delete of one interchange.
    ByHand,
    /// Erases one interchange in several statuses, then others by a job.
    Erase,
    /// Every outcome of an attempt, with repeats.
    Outcomes,
    /// A job of several chunks with a rate.
    JobChunks,
    /// A job with canaries that complete.
    JobCanary,
    /// A job whose canary fails.
    JobHalted,
    /// A job that is cancelled while it runs.
    JobCancelled,
    /// A delete job, then a restart job.
    JobDeletes,
    /// A job to a FIFO queue.
    JobOrdered,
    /// A job in a flow without outcomes.
    JobSilent,
    /// A slot that falls due, in a flow without outcomes.
    SlotSilent,
    /// A slot that falls due, and a deadline that passes, in a flow that confirms.
    SlotOverdue,
    /// A slot to a FIFO queue.
    SlotOrdered,
    /// A window with more messages than one run takes.
    Window,
    /// A slot whose schedule is lost, and the sweep that folds count rows.
    Sweep,
    /// A changed policy with a job that reschedules the waiting retries.
    Reschedule,
    /// A flow that is deactivated while a slot falls due, and activated again.
    Inactive,
}

impl Scenario {
    /// All of them.
    pub const ALL: [Self; 19] = [
        Self::Ingest,
        Self::Registration,
        Self::ByHand,
        Self::Erase,
        Self::Outcomes,
        Self::JobChunks,
        Self::JobCanary,
        Self::JobHalted,
        Self::JobCancelled,
        Self::JobDeletes,
        Self::JobOrdered,
        Self::JobSilent,
        Self::SlotSilent,
        Self::SlotOverdue,
        Self::SlotOrdered,
        Self::Window,
        Self::Sweep,
        Self::Reschedule,
        Self::Inactive,
    ];

    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Registration => "registration",
            Self::ByHand => "by-hand",
            Self::Erase => "erase",
            Self::Outcomes => "outcomes",
            Self::JobChunks => "job-chunks",
            Self::JobCanary => "job-canary",
            Self::JobHalted => "job-halted",
            Self::JobCancelled => "job-cancelled",
            Self::JobDeletes => "job-deletes",
            Self::JobOrdered => "job-ordered",
            Self::JobSilent => "job-silent",
            Self::SlotSilent => "slot-silent",
            Self::SlotOverdue => "slot-overdue",
            Self::SlotOrdered => "slot-ordered",
            Self::Window => "window",
            Self::Sweep => "sweep",
            Self::Reschedule => "reschedule",
            Self::Inactive => "inactive",
        }
    }

    pub(super) async fn run(self, pipeline: &mut Pipeline) {
        match self {
            Self::Ingest => lives::ingest(pipeline).await,
            Self::Registration => lives::registration(pipeline).await,
            Self::ByHand => lives::by_hand(pipeline).await,
            Self::Erase => lives::erase(pipeline).await,
            Self::Outcomes => lives::outcomes(pipeline).await,
            Self::JobChunks => jobs::chunks(pipeline).await,
            Self::JobCanary => jobs::canary(pipeline).await,
            Self::JobHalted => jobs::halted(pipeline).await,
            Self::JobCancelled => jobs::cancelled(pipeline).await,
            Self::JobDeletes => jobs::deletes(pipeline).await,
            Self::JobOrdered => jobs::ordered(pipeline).await,
            Self::JobSilent => jobs::silent(pipeline).await,
            Self::SlotSilent => slots::silent(pipeline).await,
            Self::SlotOverdue => slots::overdue(pipeline).await,
            Self::SlotOrdered => slots::ordered(pipeline).await,
            Self::Window => slots::window(pipeline).await,
            Self::Sweep => slots::sweep(pipeline).await,
            Self::Reschedule => slots::reschedule(pipeline).await,
            Self::Inactive => slots::inactive(pipeline).await,
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Everything that is sent completes.
fn completes(_: usize, _: u32) -> &'static [Outcome] {
    &[Outcome::Completed]
}

/// No attempt gets an outcome.
fn no_outcome(_: usize, _: u32) -> &'static [Outcome] {
    &[]
}
