//! The runner: takes the work on the jobs queue, be it of a job (`run_job.rs`) or of a slot that is due (`run_slot.rs`).
//! Every piece may come twice, and after a crash comes again.

use domain::{Flow, FlowName, JobId, Minute, Slot, Stages, Timestamp};
use queues::{StageQueues, WorkItem, WorkQueue};
use table::Table;

use crate::execute::Executor;
use crate::run_job::Pace;
use crate::{AppError, Slots};

/// Does the work on the jobs queue.
#[derive(Debug)]
pub struct Runner {
    pub(crate) table: Table,
    pub(crate) work: WorkQueue,
    pub(crate) executor: Executor,
    defaults: Stages,
}

impl Runner {
    /// Works on `table`, sends through `stages`, and leaves further work at `work`.
    #[must_use]
    pub fn new(table: Table, slots: Slots, stages: StageQueues, work: WorkQueue, defaults: Stages) -> Self {
        Self { executor: Executor::new(table.clone(), slots, stages), table, work, defaults }
    }

    /// Does one piece of work. When this succeeds the piece is done and its message can be acknowledged.
    ///
    /// # Errors
    /// When a service did not do its part: the same piece is to be done again.
    pub async fn run(&self, item: &WorkItem, now: Timestamp) -> Result<(), AppError> {
        match item {
            WorkItem::Walk { job, step, first_chunk } => self.walk(&JobId(job.clone()), *step, *first_chunk, now).await,
            WorkItem::Chunk { job, chunk, in_order } => {
                let pace = if *in_order { Pace::InOrder } else { Pace::SideBySide };
                self.chunk(&JobId(job.clone()), *chunk, pace, now).await
            }
            WorkItem::Slot { flow, minute, batches } => match slot(flow, minute) {
                Some(slot) => self.slot(&slot, batches, now).await,
                None => Ok(()),
            },
            WorkItem::Line { flow, minute, after, ids } => match slot(flow, minute) {
                Some(slot) if ids.is_empty() => self.line_up(&slot, after.as_deref(), now).await,
                Some(slot) => self.serve(&slot, after.as_deref(), ids, now).await,
                None => Ok(()),
            },
            WorkItem::Run { flow, minute } => match slot(flow, minute) {
                Some(slot) => self.window_run(&slot, now).await,
                None => Ok(()),
            },
        }
    }

    pub(crate) async fn flow(&self, name: &FlowName, now: Timestamp) -> Result<Flow, AppError> {
        let flow = self.table.flow(name).await?;
        Ok(flow.unwrap_or_else(|| Flow::registered(name.clone(), &self.defaults, now)))
    }
}

/// The slot that a work item names.
fn slot(flow: &str, minute: &str) -> Option<Slot> {
    let slot = FlowName::new(flow).ok().zip(minute.parse().ok());
    if slot.is_none() {
        tracing::error!(flow, minute, "work names no slot");
    }
    slot.map(|(flow, minute)| Slot { flow, minute: Minute::at_or_after(minute) })
}
