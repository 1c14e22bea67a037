//! Running a job: its selection is walked in steps, each step makes chunks, and each chunk is a work item of its own,
//! so that a job survives any crash and goes on where it was.

use domain::{
    CanarySays, Filter, Flow, Interchange, InterchangeId, Job, JobAction, JobId, JobStatus, Refusal, Selection, Take,
    Timestamp,
};
use queues::WorkItem;
use table::{JobRecord, Order, WalkStep};

use crate::execute::Decision;
use crate::{AppError, Runner, journal};

/// Seconds until a job looks again whether its canary's outcomes have come, or its flow is active again.
const LOOK_AGAIN: u32 = 30;

impl Runner {
    pub(crate) async fn walk(&self, id: &JobId, step: u64, first_chunk: u64, now: Timestamp) -> Result<(), AppError> {
        let Some(mut record) = self.table.job(id).await? else {
            tracing::error!(job = id.0, "work names no job");
            return Ok(());
        };
        if record.job.status == JobStatus::Canary && record.step == step {
            match self.canary(&record, now).await? {
                CanarySays::GoOn => {}
                CanarySays::Halt => return Ok(()),
                CanarySays::Wait => {
                    let again = WorkItem::Walk { job: id.0.clone(), step, first_chunk };
                    return Ok(self.work.send_later(vec![(again, LOOK_AGAIN)]).await?);
                }
            }
        }
        let works = matches!(record.job.status, JobStatus::Queued | JobStatus::Canary | JobStatus::Running);
        if record.step == step && works {
            let found = self.find(&record, step, first_chunk).await?;
            if self.table.record_step(id, &found, now).await? && found.status != record.job.status {
                journal::job(&record.job, found.status);
            }
            match self.table.job(id).await? {
                Some(recorded) => record = recorded,
                None => return Ok(()),
            }
        }
        // This very step is the last one recorded, now or before a crash: what follows from it is put on the queue.
        // Of a job that was cancelled meanwhile the chunks follow all the same: they say what was left alone.
        if record.step == step + 1 && !record.job.status.has_ended() {
            self.work.send_later(following(&record, step, first_chunk)).await?;
        }
        self.end_if_through(&record, now).await
    }

    /// What the canary's outcomes say; with bad news the job is halted.
    async fn canary(&self, record: &JobRecord, now: Timestamp) -> Result<CanarySays, AppError> {
        if record.done < record.chunks {
            return Ok(CanarySays::Wait);
        }
        let says = record.job.canary_says(&record.counts);
        if says == CanarySays::Halt {
            let why = format!("{} of the canary failed again", record.counts.failed_again);
            self.table.note_halt(&record.job.id, Some(&why)).await?;
            if self.table.end_job(&record.job, JobStatus::Canary, JobStatus::Halted, now).await? {
                journal::job(&record.job, JobStatus::Halted);
            }
        }
        Ok(says)
    }

    /// What the next step of a walk finds, oldest first.
    async fn find(&self, record: &JobRecord, step: u64, first_chunk: u64) -> Result<WalkStep, AppError> {
        let job = &record.job;
        let canary = job.limits.canary.filter(|_| step == 0).map(u64::from);
        let room = job.limits.cap.map_or(u64::MAX, |cap| cap.saturating_sub(record.counts.matched));
        let most = room.min(canary.unwrap_or(u64::MAX)).min(u64::from(job.limits.step()));
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let (ids, mut next) = match &job.selection {
            // The canary was all there is.
            _ if record.walked => (Vec::new(), None),
            Selection::Ids(ids) => named(ids, record.counts.matched, most),
            Selection::Filter(filter) => self.matching(record, filter, most).await?,
            Selection::All => self.matching(record, &Filter::default(), most).await?,
        };
        if ids.len() as u64 >= room {
            next = None;
        }
        let size = usize::try_from(job.limits.chunk()).unwrap_or(usize::MAX);
        let chunks = ids.chunks(size).map(<[InterchangeId]>::to_vec).collect();
        let status = if canary.is_some() { JobStatus::Canary } else { JobStatus::Running };
        Ok(WalkStep { step, first_chunk, chunks, next, status })
    }

    async fn matching(
        &self,
        record: &JobRecord,
        filter: &Filter,
        most: usize,
    ) -> Result<(Vec<InterchangeId>, Option<table::Position>), AppError> {
        let job = &record.job;
        let page = self.table.list(&job.flow, filter, Order::Oldest, most, record.position.as_ref()).await?;
        let ids = page.items.iter().filter(|i| job.selects(i)).map(|i| i.id.clone()).collect();
        Ok((ids, page.next))
    }

    pub(crate) async fn chunk(&self, id: &JobId, number: u64, now: Timestamp) -> Result<(), AppError> {
        let Some(record) = self.table.job(id).await? else {
            tracing::error!(job = id.0, "work names no job");
            return Ok(());
        };
        let chunk = self.table.chunk(id, number).await?;
        if let Some(chunk) = chunk.filter(|chunk| !chunk.done) {
            let flow = self.flow(&record.job.flow, now).await?;
            if record.job.status != JobStatus::Cancelling {
                if !flow.active && record.job.action != JobAction::Reschedule {
                    return self.pause(&record, number).await;
                }
                if record.job.halt.is_some() {
                    self.table.note_halt(id, None).await?;
                }
            }
            let decide = |interchange| decide(&record.job, interchange, &flow, now);
            let tally = self.executor.execute(&chunk.ids, decide, now).await?;
            if self.table.finish_chunk(id, number, &tally.skips(), now).await? {
                tally.skipped.iter().for_each(|(skipped, why)| journal::skipped(skipped, why, Some(id), None));
            }
        }
        match self.table.job(id).await? {
            Some(record) => self.end_if_through(&record, now).await,
            None => Ok(()),
        }
    }

    /// Leaves a chunk for later because the flow is inactive; the job says so.
    async fn pause(&self, record: &JobRecord, chunk: u64) -> Result<(), AppError> {
        let why = Refusal::FlowInactive.to_string();
        if record.job.halt.as_ref() != Some(&why) {
            self.table.note_halt(&record.job.id, Some(&why)).await?;
        }
        let again = WorkItem::Chunk { job: record.job.id.0.clone(), chunk };
        Ok(self.work.send_later(vec![(again, LOOK_AGAIN)]).await?)
    }

    async fn end_if_through(&self, record: &JobRecord, now: Timestamp) -> Result<(), AppError> {
        let (from, to) = match record.job.status {
            JobStatus::Running if record.is_through() => (JobStatus::Running, JobStatus::Completed),
            JobStatus::Cancelling if record.done >= record.chunks => (JobStatus::Cancelling, JobStatus::Cancelled),
            _ => return Ok(()),
        };
        if self.table.end_job(&record.job, from, to, now).await? {
            journal::job(&record.job, to);
        }
        Ok(())
    }
}

/// The next of the ids that a job names, after those it has matched.
fn named(ids: &[InterchangeId], matched: u64, most: usize) -> (Vec<InterchangeId>, Option<table::Position>) {
    let from = usize::try_from(matched).unwrap_or(usize::MAX).min(ids.len());
    let to = from.saturating_add(most).min(ids.len());
    let next = (to < ids.len()).then(|| table::Position(to.to_string()));
    (ids[from..to].to_vec(), next)
}

/// The work that follows from a step: its chunks, at the job's rate, and the next step after them. The step after
/// a canary is due at once; it waits for the outcomes itself.
fn following(record: &JobRecord, step: u64, first_chunk: u64) -> Vec<(WorkItem, u32)> {
    let job = &record.job;
    let limits = job.limits;
    let second = |position: u64| u32::try_from(limits.second_of(position)).unwrap_or(u32::MAX);
    let chunk_at = |chunk: u64| second((chunk - first_chunk) * u64::from(limits.chunk()));
    let mut work: Vec<(WorkItem, u32)> = (first_chunk..record.chunks)
        .map(|chunk| (WorkItem::Chunk { job: job.id.0.clone(), chunk }, chunk_at(chunk)))
        .collect();
    if job.status == JobStatus::Canary || (!record.walked && job.status == JobStatus::Running) {
        let next = WorkItem::Walk { job: job.id.0.clone(), step: step + 1, first_chunk: record.chunks };
        work.push((next, chunk_at(record.chunks)));
    }
    work
}

fn decide(job: &Job, interchange: Interchange, flow: &Flow, now: Timestamp) -> Decision {
    match job.take(&interchange) {
        Take::Skip(reason) => Decision::Skip(reason),
        Take::Resume => Decision::Resume,
        Take::Act if job.status == JobStatus::Cancelling => Decision::Skip("cancelled"),
        Take::Act => {
            let decided = match job.action {
                JobAction::Reenter(action) => interchange.reenter(action, &job.cause(), flow, now),
                JobAction::Delete => interchange.delete(&job.cause(), flow, now),
                JobAction::Reschedule => interchange.replan(&job.cause(), flow, now),
            };
            decided.map_or_else(|refusal| Decision::Skip(refusal.slug()), |change| Decision::Commit(Box::new(change)))
        }
    }
}
