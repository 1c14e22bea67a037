//! Looking at a job from outside its own work: what its outcomes, a person or the sweep may let it do. A look does
//! no work of the job; what is due is put on the jobs queue.

use std::collections::BTreeSet;

use domain::{CanaryResult, JobId, JobStatus, Timestamp};
use queues::WorkItem;
use table::{JobRecord, Table};

use crate::{AppError, WorkSender, journal};

/// Chunks that one look puts back on the queue.
const MAX_REOPENED: usize = 1_000;

/// Looks at jobs.
#[derive(Debug, Clone)]
pub(crate) struct Looker {
    table: Table,
    work: WorkSender,
}

impl Looker {
    pub(crate) fn new(table: Table, work: WorkSender) -> Self {
        Self { table, work }
    }

    /// Has jobs looked at whose canary has an outcome. Where that fails, the sweep looks.
    pub(crate) async fn request(&self, jobs: &BTreeSet<JobId>) {
        let items: Vec<WorkItem> = jobs.iter().map(|job| WorkItem::Look { job: job.0.clone() }).collect();
        if let Err(error) = self.work.send(&items).await {
            tracing::warn!(error = crate::chain(&error), "the sweep looks at the jobs whose canary has an outcome");
        }
    }

    /// Does what is due about a job: ends it, halts it, or puts its next step on the queue.
    pub(crate) async fn look(&self, id: &JobId, now: Timestamp) -> Result<(), AppError> {
        match self.table.job(id).await? {
            Some(record) => self.look_at(&record, now).await,
            None => Ok(()),
        }
    }

    pub(crate) async fn look_at(&self, record: &JobRecord, now: Timestamp) -> Result<(), AppError> {
        match record.job.status {
            JobStatus::Canary if self.canary(record, now).await? == CanaryResult::GoOn => {
                let job = record.job.id.0.clone();
                let next = WorkItem::Walk { job, step: record.step, first_chunk: record.chunks };
                self.work.send(&[next]).await
            }
            _ => self.end_if_finished(record, now).await,
        }
    }

    /// What the canary's outcomes say; with bad news the job is halted. A canary whose messages were not all found, as
    /// others were faster, goes on to look for more.
    pub(crate) async fn canary(&self, record: &JobRecord, now: Timestamp) -> Result<CanaryResult, AppError> {
        if record.done < record.chunks {
            return Ok(CanaryResult::Wait);
        }
        let result = record.job.canary_result(&record.counts);
        if result == CanaryResult::Halt {
            let why = format!("{} of the canary failed again", record.counts.failed_again);
            self.table.note_halt(&record.job.id, Some(&why)).await?;
            if self.table.end_job(&record.job, JobStatus::Canary, JobStatus::Halted, now).await? {
                journal::job(&record.job, JobStatus::Halted);
            }
        }
        let is_short = record.job.canary_lacks(&record.counts) > 0 && !record.scan_complete;
        Ok(if result == CanaryResult::Wait && is_short { CanaryResult::GoOn } else { result })
    }

    /// Ends a job that has nothing left to do; one that is cancelled, as soon as nobody may be at one of its chunks.
    pub(crate) async fn end_if_finished(&self, record: &JobRecord, now: Timestamp) -> Result<(), AppError> {
        let is_idle = record.done >= record.chunks || !record.is_leased(now);
        let (from, to) = match record.job.status {
            JobStatus::Running if record.is_finished() => (JobStatus::Running, JobStatus::Completed),
            JobStatus::Cancelling if is_idle => (JobStatus::Cancelling, JobStatus::Cancelled),
            _ => return Ok(()),
        };
        if self.table.end_job(&record.job, from, to, now).await? {
            journal::job(&record.job, to);
        }
        Ok(())
    }

    /// Puts everything of a job back on the queue that nobody works on.
    pub(crate) async fn resume(&self, id: &JobId) -> Result<(), AppError> {
        self.work.send(&[WorkItem::Reopen { job: id.0.clone(), from: 0 }]).await
    }

    /// Puts the open chunks of a job back on the queue, from the chunk `from` on, and the next step of its walk. Where
    /// chunks follow one another that is the first open chunk alone, and the step once there is none.
    pub(crate) async fn reopen(&self, id: &JobId, from: u64, now: Timestamp) -> Result<(), AppError> {
        let Some(record) = self.table.job(id).await?.filter(|record| !record.job.status.has_ended()) else {
            return Ok(());
        };
        let flow = self.table.flow(&record.job.flow).await?;
        let in_order = record.job.status == JobStatus::Canary || flow.is_some_and(|flow| record.job.keeps_order(&flow));
        let (mut chunks, mut next) = self.table.open_chunks(id, from, now).await?;
        if in_order {
            chunks.truncate(1);
            next = next.filter(|_| chunks.is_empty());
        } else if chunks.len() > MAX_REOPENED {
            next = Some(chunks[MAX_REOPENED]);
            chunks.truncate(MAX_REOPENED);
        }
        let job = || id.0.clone();
        let goes_on = !record.scan_complete && next.is_none() && (!in_order || record.done >= record.chunks);
        let walk = goes_on.then(|| WorkItem::Walk { job: job(), step: record.step, first_chunk: record.chunks });
        let mut items: Vec<WorkItem> =
            chunks.into_iter().map(|chunk| WorkItem::Chunk { job: job(), chunk, in_order }).collect();
        items.extend(next.map(|from| WorkItem::Reopen { job: job(), from }));
        items.extend(walk);
        self.work.send(&items).await
    }
}
