//! Running a job: its selection is walked in steps, each step makes chunks, and each chunk is a work item of its own,
//! so that a job survives any crash and goes on where it was.

use domain::{
    CanarySays, Filter, Flow, Interchange, InterchangeId, Job, JobAction, JobId, JobStatus, Refusal, Selection, Take,
    Timestamp,
};
use queues::WorkItem;
use table::{JobRecord, Order, Position, WalkStep};

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
            let sent_less = record.job.canary_lacks(&record.counts) > 0 && !record.walked;
            match self.canary(&record, now).await? {
                CanarySays::Halt => return Ok(()),
                CanarySays::Wait if record.done < record.chunks || !sent_less => {
                    let again = WorkItem::Walk { job: id.0.clone(), step, first_chunk };
                    return Ok(self.work.send_later(vec![(again, LOOK_AGAIN)]).await?);
                }
                CanarySays::GoOn | CanarySays::Wait => {}
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
            let flow = self.flow(&record.job.flow, now).await?;
            self.work.send_later(following(&record, step, first_chunk, pace(&record.job, &flow))).await?;
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

    /// What the next step of a walk finds, oldest first. As long as the canary is short, that is up to the last one that
    /// it needs.
    async fn find(&self, record: &JobRecord, step: u64, first_chunk: u64) -> Result<WalkStep, AppError> {
        let job = &record.job;
        let begins = matches!(job.status, JobStatus::Queued | JobStatus::Canary);
        let canary = Some(job.canary_lacks(&record.counts)).filter(|lacks| *lacks > 0 && begins && !record.walked);
        let room = job.limits.cap.map_or(u64::MAX, |cap| cap.saturating_sub(record.counts.matched));
        let most = usize::try_from(room.min(u64::from(job.limits.step()))).unwrap_or(usize::MAX);
        let Found { ids, mut next } = match &job.selection {
            // The canary was all there is.
            _ if record.walked => Found::default(),
            Selection::Ids(ids) => self.named(record, ids, most, canary).await?,
            Selection::Filter(filter) => self.matching(record, filter, most, canary).await?,
            Selection::All => self.matching(record, &Filter::default(), most, canary).await?,
        };
        if ids.len() as u64 >= room {
            next = None;
        }
        let size = usize::try_from(job.limits.chunk()).unwrap_or(usize::MAX);
        let chunks = ids.chunks(size).map(<[InterchangeId]>::to_vec).collect();
        let status = if canary.is_some() { JobStatus::Canary } else { JobStatus::Running };
        Ok(WalkStep { step, first_chunk, chunks, next, status })
    }

    /// The next ones that the selection finds.
    async fn matching(
        &self,
        record: &JobRecord,
        filter: &Filter,
        most: usize,
        canary: Option<u64>,
    ) -> Result<Found, AppError> {
        let job = &record.job;
        let page = self.table.list(&job.flow, filter, Order::Oldest, most, record.position.as_ref()).await?;
        let mut found: Vec<&Interchange> = page.items.iter().filter(|i| job.selects(i)).collect();
        let mut next = page.next;
        if let Some(end) = canary.and_then(|wanted| end_of_canary(job, found.iter().map(|i| Some(*i)), wanted)) {
            if end < found.len() {
                next = Some(Position::of(found[end - 1]));
            }
            found.truncate(end);
        }
        Ok(Found { ids: found.into_iter().map(|i| i.id.clone()).collect(), next })
    }

    /// The next ones that the selection names, after those that were matched.
    async fn named(
        &self,
        record: &JobRecord,
        ids: &[InterchangeId],
        most: usize,
        canary: Option<u64>,
    ) -> Result<Found, AppError> {
        let from = usize::try_from(record.counts.matched).unwrap_or(usize::MAX).min(ids.len());
        let mut named = &ids[from..from.saturating_add(most).min(ids.len())];
        if let Some(wanted) = canary {
            let heads = self.table.heads(named).await?;
            let end = end_of_canary(&record.job, named.iter().map(|id| heads.get(id)), wanted);
            named = end.map_or(named, |end| &named[..end]);
        }
        let to = from + named.len();
        Ok(Found { ids: named.to_vec(), next: (to < ids.len()).then(|| Position(to.to_string())) })
    }

    pub(crate) async fn chunk(&self, id: &JobId, number: u64, pace: Pace, now: Timestamp) -> Result<(), AppError> {
        let Some(record) = self.table.job(id).await? else {
            tracing::error!(job = id.0, "work names no job");
            return Ok(());
        };
        let chunk = self.table.chunk(id, number).await?;
        if let Some(chunk) = chunk.filter(|chunk| !chunk.done) {
            let flow = self.flow(&record.job.flow, now).await?;
            if record.job.status != JobStatus::Cancelling {
                if !flow.active && record.job.action != JobAction::Reschedule {
                    return self.pause(&record, number, pace).await;
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
        let Some(record) = self.table.job(id).await? else { return Ok(()) };
        if pace == Pace::InOrder && !record.job.status.has_ended() {
            self.go_on_after(&record, number).await?;
        }
        self.end_if_through(&record, now).await
    }

    /// Puts on the queue what comes after a chunk that is done: the next one, or the next step. A next one that is done
    /// has seen to what follows from it.
    async fn go_on_after(&self, record: &JobRecord, chunk: u64) -> Result<(), AppError> {
        let job = &record.job;
        let item = if chunk + 1 < record.chunks {
            if self.table.chunk(&job.id, chunk + 1).await?.is_some_and(|next| next.done) {
                return Ok(());
            }
            Some(WorkItem::Chunk { job: job.id.0.clone(), chunk: chunk + 1, in_order: true })
        } else {
            next_step(record, record.step)
        };
        let after = u32::try_from(job.limits.seconds_after(chunk)).unwrap_or(u32::MAX);
        Ok(self.work.send_later(item.map(|item| (item, after)).into_iter().collect()).await?)
    }

    /// Leaves a chunk for later because the flow is inactive; the job says so.
    async fn pause(&self, record: &JobRecord, chunk: u64, pace: Pace) -> Result<(), AppError> {
        let why = Refusal::FlowInactive.to_string();
        if record.job.halt.as_ref() != Some(&why) {
            self.table.note_halt(&record.job.id, Some(&why)).await?;
        }
        let again = WorkItem::Chunk { job: record.job.id.0.clone(), chunk, in_order: pace == Pace::InOrder };
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

/// What a step of a walk found.
#[derive(Default)]
struct Found {
    ids: Vec<InterchangeId>,
    /// Where the next step goes on; `None` when there is no more.
    next: Option<Position>,
}

/// How a job's chunks follow one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Side by side, as many as run-job does at a time.
    SideBySide,
    /// Each is put on the queue by the one before it.
    InOrder,
}

/// Chunks for a FIFO queue stand in a row, for the oldest of a group to be sent first. So do those of a canary, of which
/// the last one brings up the step that looks whether there were enough.
fn pace(job: &Job, flow: &Flow) -> Pace {
    if job.status == JobStatus::Canary || job.keeps_order(flow) { Pace::InOrder } else { Pace::SideBySide }
}

/// How many of these it takes until `wanted` of them can be acted on, as far as they tell now; `None` where all of them
/// are not enough.
fn end_of_canary<'a>(job: &Job, found: impl Iterator<Item = Option<&'a Interchange>>, wanted: u64) -> Option<usize> {
    let will_be_sent = found.map(|i| i.is_some_and(|i| job.would_skip(i).is_none()));
    let mut sent = will_be_sent.scan(0, |sent, will| {
        *sent += u64::from(will);
        Some(*sent)
    });
    sent.position(|sent| sent >= wanted).map(|last| last + 1)
}

/// The work that follows from a step: its chunks, at the job's rate, and the next step after them; of chunks that stand in
/// a row the first one alone. The step after a canary waits for the outcomes itself.
fn following(record: &JobRecord, step: u64, first_chunk: u64, pace: Pace) -> Vec<(WorkItem, u32)> {
    let job = &record.job;
    let limits = job.limits;
    if pace == Pace::InOrder && first_chunk < record.chunks {
        return vec![(WorkItem::Chunk { job: job.id.0.clone(), chunk: first_chunk, in_order: true }, 0)];
    }
    let second = |position: u64| u32::try_from(limits.second_of(position)).unwrap_or(u32::MAX);
    let chunk_at = |chunk: u64| second((chunk - first_chunk) * u64::from(limits.chunk()));
    let mut work: Vec<(WorkItem, u32)> = (first_chunk..record.chunks)
        .map(|chunk| (WorkItem::Chunk { job: job.id.0.clone(), chunk, in_order: false }, chunk_at(chunk)))
        .collect();
    work.extend(next_step(record, step + 1).map(|next| (next, chunk_at(record.chunks))));
    work
}

/// The step after those that are recorded, where there is one.
fn next_step(record: &JobRecord, step: u64) -> Option<WorkItem> {
    let job = &record.job;
    let more = job.status == JobStatus::Canary || (!record.walked && job.status == JobStatus::Running);
    more.then(|| WorkItem::Walk { job: job.id.0.clone(), step, first_chunk: record.chunks })
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
