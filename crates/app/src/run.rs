//! The runner: takes the work on the jobs queue, walks a job's selection in chunks and sees to each chunk, and to
//! each batch of a slot that is due. Every piece may come twice, and after a crash comes again.

use domain::{
    Actor, Cause, Claim, Flow, FlowName, Interchange, InterchangeId, Job, JobAction, JobId, JobStatus, Minute,
    Selection, Slot, Stages, Take, Timestamp, Trigger,
};
use queues::{StageQueues, WorkItem, WorkQueue};
use table::{JobRecord, Order, Table, WalkStep};

use crate::execute::{Decision, Executor};
use crate::{AppError, Slots};

/// Interchanges of one chunk: what one transaction's worth of heads, times two, can take in a second or two.
const CHUNK: usize = 100;

/// Interchanges that one step of a walk looks for.
const STEP: usize = 1_000;

/// Does the work on the jobs queue.
#[derive(Debug)]
pub struct Runner {
    table: Table,
    work: WorkQueue,
    executor: Executor,
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

    async fn walk(&self, id: &JobId, step: u64, first_chunk: u64, now: Timestamp) -> Result<(), AppError> {
        let Some(record) = self.table.job(id).await? else {
            tracing::error!(job = id.0, "work names no job");
            return Ok(());
        };
        if record.step == step && matches!(record.job.status, JobStatus::Queued | JobStatus::Running) {
            let found = self.find(&record, step, first_chunk).await?;
            self.table.record_step(id, &found, now).await?;
        }
        let Some(record) = self.table.job(id).await? else { return Ok(()) };
        // This very step is the last one recorded, now or before a crash: what follows from it is put on the queue.
        if record.step == step + 1 && record.job.status == JobStatus::Running {
            let mut next: Vec<WorkItem> =
                (first_chunk..record.chunks).map(|chunk| WorkItem::Chunk { job: id.0.clone(), chunk }).collect();
            if !record.walked {
                next.push(WorkItem::Walk { job: id.0.clone(), step: step + 1, first_chunk: record.chunks });
            }
            self.work.send(&next).await?;
        }
        self.end_if_through(&record, now).await
    }

    /// What the next step of a walk finds, oldest first.
    async fn find(&self, record: &JobRecord, step: u64, first_chunk: u64) -> Result<WalkStep, AppError> {
        let job = &record.job;
        let room = job.cap.map_or(u64::MAX, |cap| cap.saturating_sub(record.counts.matched));
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        let (mut ids, mut next) = match &job.selection {
            Selection::Ids(ids) => (ids.clone(), None),
            Selection::Filter(_) | Selection::All => {
                let filter = match &job.selection {
                    Selection::Filter(filter) => filter.clone(),
                    _ => domain::Filter::default(),
                };
                let limit = STEP.min(room);
                let page = self.table.list(&job.flow, &filter, Order::Oldest, limit, record.position.as_ref()).await?;
                let ids = page.items.iter().filter(|i| job.selects(i)).map(|i| i.id.clone()).collect();
                (ids, page.next)
            }
        };
        ids.truncate(room);
        if ids.len() == room {
            next = None;
        }
        let chunks = ids.chunks(CHUNK).map(<[InterchangeId]>::to_vec).collect();
        Ok(WalkStep { step, first_chunk, chunks, next })
    }

    async fn chunk(&self, id: &JobId, number: u64, now: Timestamp) -> Result<(), AppError> {
        let Some(record) = self.table.job(id).await? else {
            tracing::error!(job = id.0, "work names no job");
            return Ok(());
        };
        let chunk = self.table.chunk(id, number).await?;
        if let Some(chunk) = chunk.filter(|chunk| !chunk.done) {
            let skips = if record.job.status == JobStatus::Running {
                let flow = self.flow(&record.job.flow, now).await?;
                let decide = |interchange| decide(&record.job, interchange, &flow, now);
                self.executor.execute(&chunk.ids, decide, now).await?.skips
            } else {
                [("cancelled".to_owned(), chunk.ids.len() as u64)].into()
            };
            self.table.finish_chunk(id, number, &skips).await?;
        }
        match self.table.job(id).await? {
            Some(record) => self.end_if_through(&record, now).await,
            None => Ok(()),
        }
    }

    async fn end_if_through(&self, record: &JobRecord, now: Timestamp) -> Result<(), AppError> {
        let end = match record.job.status {
            JobStatus::Running if record.is_through() => JobStatus::Completed,
            JobStatus::Cancelling if record.done >= record.chunks => JobStatus::Cancelled,
            _ => return Ok(()),
        };
        self.table.end_job(&record.job, record.job.status, end, now).await?;
        Ok(())
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

    async fn flow(&self, name: &FlowName, now: Timestamp) -> Result<Flow, AppError> {
        let flow = self.table.flow(name).await?;
        Ok(flow.unwrap_or_else(|| Flow::registered(name.clone(), &self.defaults, now)))
    }
}

const HELD: &str = "flow-inactive";

fn decide(job: &Job, interchange: Interchange, flow: &Flow, now: Timestamp) -> Decision {
    match job.take(&interchange) {
        Take::Skip(reason) => Decision::Skip(reason),
        Take::Resend => Decision::Resend,
        Take::Act => {
            let decided = match job.action {
                JobAction::Reenter(action) => interchange.reenter(action, &job.cause(), flow, now),
                JobAction::Delete => interchange.delete(&job.cause(), flow, now),
            };
            decided.map_or_else(|refusal| Decision::Skip(refusal.slug()), |change| Decision::Commit(Box::new(change)))
        }
    }
}

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
