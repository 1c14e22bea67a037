//! The runner: takes the work on the jobs queue, be it of a job (`run_job.rs`), of a slot that is due (`run_slot.rs`,
//! `run_ordered.rs`) or of a request (`run_request.rs`). Every piece may come twice, at the same moment or after a crash:
//! each unit of work is leased before anything of it is done.

use std::time::Instant;

use domain::{Flow, FlowName, InterchangeId, JobId, Minute, Slot, Stages, Timestamp};
use queues::{StageQueues, WorkItem};
use table::{Table, Unit};

use crate::execute::Executor;
use crate::look::Looker;
use crate::run_job::Pace;
use crate::{AppError, Slots, WorkSender, journal};

/// Does the work on the jobs queue.
#[derive(Debug)]
pub struct Runner {
    pub(crate) table: Table,
    pub(crate) work: WorkSender,
    pub(crate) executor: Executor,
    pub(crate) looker: Looker,
    defaults: Stages,
}

/// When one piece of work is done.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Reprise's clock.
    pub now: Timestamp,
    /// When the invocation must come to an end.
    pub until: Instant,
}

impl Runner {
    /// Works on `table`, sends through `stages`, and leaves further work at `work`.
    #[must_use]
    pub fn new(table: Table, slots: Slots, stages: StageQueues, work: WorkSender, defaults: Stages) -> Self {
        let looker = Looker::new(table.clone(), work.clone());
        Self { executor: Executor::new(table.clone(), slots, stages), table, work, looker, defaults }
    }

    /// Does one piece of work. When this succeeds the piece is done, or is on the queue again, and its message can be
    /// acknowledged.
    ///
    /// # Errors
    /// When a service fails: the same piece is to be done again.
    pub async fn run(&self, item: &WorkItem, at: Moment) -> Result<(), AppError> {
        let now = at.now;
        match item {
            WorkItem::Walk { job, step, first_chunk } => self.walk(&JobId(job.clone()), *step, *first_chunk, now).await,
            WorkItem::Chunk { job, chunk, in_order } => {
                let pace = if *in_order { Pace::InOrder } else { Pace::SideBySide };
                self.chunk(&JobId(job.clone()), *chunk, pace, now).await
            }
            WorkItem::Look { job } => self.looker.look(&JobId(job.clone()), now).await,
            WorkItem::Reopen { job, from } => self.looker.reopen(&JobId(job.clone()), *from, now).await,
            WorkItem::Slot { flow, minute, batches } => match slot(flow, minute, now) {
                Some(slot) => self.slot(&slot, batches, now).await,
                None => Ok(()),
            },
            WorkItem::Ordered { flow, minute } => match slot(flow, minute, now) {
                Some(slot) => self.ordered(&slot, at).await,
                None => Ok(()),
            },
            WorkItem::Send { interchange, request } => match InterchangeId::new(interchange.as_str()) {
                Ok(id) => self.request(&id, request, now).await,
                Err(error) => {
                    tracing::error!(interchange, %error, "a work item names no interchange");
                    Ok(())
                }
            },
        }
    }

    /// Sets a work item aside that failed too often: what it belongs to says so, and everything it was to do can still
    /// be found in the table.
    ///
    /// # Errors
    /// When a service fails: the item is to be set aside again.
    pub async fn set_aside(&self, item: &WorkItem) -> Result<(), AppError> {
        journal::set_aside(item);
        match item {
            WorkItem::Walk { job, .. }
            | WorkItem::Chunk { job, .. }
            | WorkItem::Look { job }
            | WorkItem::Reopen { job, .. } => {
                let why = "its work failed too often and was set aside: resume the job, or cancel it";
                Ok(self.table.note_stuck(&JobId(job.clone()), why).await?)
            }
            // The sweep brings a slot up again; a request is sent again at its deadline.
            WorkItem::Slot { .. } | WorkItem::Ordered { .. } | WorkItem::Send { .. } => Ok(()),
        }
    }

    /// Puts a work item back that met another worker's lease, for when that lease has ended.
    pub(crate) async fn come_back(&self, item: WorkItem, until: Timestamp, now: Timestamp) -> Result<(), AppError> {
        let wait = until.duration_since(now).as_secs().clamp(0, 900);
        let seconds = u32::try_from(wait).unwrap_or(0) + 1;
        self.work.send_later(vec![(item, seconds)]).await
    }

    /// Gives a lease up after a failure. Where that fails too, the lease ends by itself.
    pub(crate) async fn give_up(&self, unit: &Unit, left: Option<&table::Left>, now: Timestamp) {
        if let Err(error) = self.table.release_lease(unit, left, now).await {
            tracing::warn!(error = crate::chain(&error), "a lease was not released and ends by itself");
        }
    }

    pub(crate) async fn flow(&self, name: &FlowName, now: Timestamp) -> Result<Flow, AppError> {
        Ok(self.configured(self.table.flow(name).await?, name, now))
    }

    /// A flow as it was read, or as it is registered by its first failure.
    pub(crate) fn configured(&self, flow: Option<Flow>, name: &FlowName, now: Timestamp) -> Flow {
        flow.unwrap_or_else(|| Flow::registered(name.clone(), &self.defaults, now))
    }
}

/// The slot that a work item names; none whose minute is still to come.
fn slot(flow: &str, minute: &str, now: Timestamp) -> Option<Slot> {
    let named = FlowName::new(flow).ok().zip(minute.parse().ok());
    let slot = named.map(|(flow, minute)| Slot { flow, minute: Minute::at_or_after(minute) });
    let due = slot.filter(|slot| slot.is_due(now));
    if due.is_none() {
        tracing::error!(flow, minute, "a work item names no slot that is due");
    }
    due
}
