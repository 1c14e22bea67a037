//! The runner: takes the work on the jobs queue, be it of a job (`run_job.rs`) or a batch of a slot that is due. Every
//! piece may come twice, and after a crash comes again.

use domain::{Actor, Cause, Claim, Flow, FlowName, Interchange, JobId, Minute, Slot, Stages, Timestamp, Trigger};
use queues::{StageQueues, WorkItem, WorkQueue};
use table::Table;

use crate::execute::{Decision, Executor};
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
            WorkItem::Chunk { job, chunk } => self.chunk(&JobId(job.clone()), *chunk, now).await,
            WorkItem::Slot { flow, minute, batch } => {
                let slot = FlowName::new(flow.as_str()).ok().zip(minute.parse().ok());
                match slot.map(|(flow, minute)| Slot { flow, minute: Minute::at_or_after(minute) }) {
                    Some(slot) => self.slot(&slot, batch, now).await,
                    None => {
                        tracing::error!(flow, minute, "work names no slot");
                        Ok(())
                    }
                }
            }
        }
    }

    /// Sees to one batch of a slot. Members that are handled otherwise by now are passed over; those of an inactive
    /// flow are held, and the sweep brings them back.
    async fn slot(&self, slot: &Slot, batch: &str, now: Timestamp) -> Result<(), AppError> {
        let Some(pack) = self.table.pack(slot, batch).await? else { return Ok(()) };
        let flow = self.flow(&slot.flow, now).await?;
        let cause = Cause {
            claim: Claim(format!("slot:{}:{}", slot.flow, slot.minute)),
            actor: Actor::Scheduler,
            trigger: Trigger::Scheduled,
            reason: None,
            job: None,
        };
        let decide = |interchange| due(interchange, slot, &flow, &cause, now);
        let tally = self.executor.execute(&pack.ids, decide, now).await?;
        if !tally.skips.contains_key(HELD) {
            self.table.delete_pack(slot, batch).await?;
        }
        Ok(())
    }

    pub(crate) async fn flow(&self, name: &FlowName, now: Timestamp) -> Result<Flow, AppError> {
        let flow = self.table.flow(name).await?;
        Ok(flow.unwrap_or_else(|| Flow::registered(name.clone(), &self.defaults, now)))
    }
}

const HELD: &str = "flow-inactive";

fn due(interchange: Interchange, slot: &Slot, flow: &Flow, cause: &Cause, now: Timestamp) -> Decision {
    if interchange.is_claimed_by(&cause.claim) && interchange.due != Some(slot.minute) {
        return Decision::Resend;
    }
    if interchange.flow != slot.flow || interchange.due != Some(slot.minute) {
        return Decision::Skip("handled");
    }
    if let Some(change) = interchange.clone().overdue(slot, flow, now) {
        return Decision::Commit(Box::new(change));
    }
    if !flow.active {
        return Decision::Skip(HELD);
    }
    let action = interchange.automatic_action(flow);
    match interchange.clone().reenter(action, cause, flow, now) {
        Ok(change) => Decision::Commit(Box::new(change)),
        Err(refusal) => match interchange.cannot_be_retried(refusal, now) {
            Some(change) => Decision::Commit(Box::new(change)),
            None => Decision::Skip(refusal.slug()),
        },
    }
}
