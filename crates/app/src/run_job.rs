//! Running a job: its selection is walked in steps, each step makes chunks, and each chunk is a work item of its own,
//! so that a job survives any crash and goes on where it was.

use std::collections::BTreeMap;

use domain::{
    CanaryResult, Flow, Interchange, InterchangeId, Job, JobAction, JobId, JobStatus, Refusal, Selection, Take,
    Timestamp,
};
use queues::WorkItem;
use table::{Chunk, JobRecord, Leased, Left, Order, Position, Row, Unit, WalkStep};

use crate::execute::{Decision, Tally, UNREADABLE};
use crate::{AppError, Runner, journal};

impl Runner {
    /// Takes a step of a job's walk, and puts what follows from it on the queue.
    pub(crate) async fn walk(&self, id: &JobId, step: u64, first_chunk: u64, now: Timestamp) -> Result<(), AppError> {
        let unit = Unit::Walk(id.clone());
        match self.table.take_lease(&unit, now).await? {
            Leased::Done => return Ok(()),
            Leased::Busy(until) => {
                let is_over = |record: JobRecord| record.queued_steps > step || record.job.status.has_ended();
                if self.table.job(id).await?.is_none_or(is_over) {
                    return Ok(());
                }
                let again = WorkItem::Walk { job: id.0.clone(), step, first_chunk };
                return self.come_back(again, until, now).await;
            }
            Leased::Taken(_) => {}
        }
        let walked = self.take_step(id, step, first_chunk, now).await;
        match walked {
            Ok(()) => Ok(self.table.drop_lease(&unit).await?),
            Err(error) => {
                self.give_up(&unit, None, now).await;
                Err(error)
            }
        }
    }

    async fn take_step(&self, id: &JobId, step: u64, first_chunk: u64, now: Timestamp) -> Result<(), AppError> {
        let Some(mut record) = self.table.job(id).await? else {
            tracing::error!(job = id.0, "a work item names no job");
            return Ok(());
        };
        if record.job.status == JobStatus::Canary && record.step == step {
            // The function that commits an outcome has the job looked at, and so does the sweep.
            if self.looker.canary(&record, now).await? != CanaryResult::GoOn {
                return Ok(());
            }
        }
        let flow = self.flow(&record.job.flow, now).await?;
        let works = matches!(record.job.status, JobStatus::Queued | JobStatus::Canary | JobStatus::Running);
        if record.step == step && works {
            if let Some(why) = paused(&record.job, &flow) {
                return self.pause(&record, why).await;
            }
            let found = self.find(&record, step, first_chunk).await?;
            if self.table.record_step(id, &found, now).await? && found.status != record.job.status {
                journal::job(&record.job, found.status);
            }
            match self.table.job(id).await? {
                Some(recorded) => record = recorded,
                None => return Ok(()),
            }
        }
        // This step is the last one recorded, now or before a crash: its follow-up work is put on the queue.
        if record.step == step + 1 && record.queued_steps <= step && !record.job.status.has_ended() {
            self.work.send_later(following(&record, step, first_chunk, pace(&record.job, &flow))).await?;
            self.table.note_queued(id, step).await?;
        }
        self.looker.end_if_finished(&record, now).await
    }

    /// What the next step of a walk finds, oldest first. As long as the canary is short, that is up to the last one that
    /// it needs.
    async fn find(&self, record: &JobRecord, step: u64, first_chunk: u64) -> Result<WalkStep, AppError> {
        let job = &record.job;
        let begins = matches!(job.status, JobStatus::Queued | JobStatus::Canary);
        let canary =
            Some(job.canary_lacks(&record.counts)).filter(|lacks| *lacks > 0 && begins && !record.scan_complete);
        let room = job.limits.cap.map_or(u64::MAX, |cap| cap.saturating_sub(record.counts.matched));
        let most = usize::try_from(room.min(u64::from(job.limits.step()))).unwrap_or(usize::MAX);
        let Found { ids, mut next } = match &job.selection {
            // The canary already took everything that there was to take.
            _ if record.scan_complete => Found::default(),
            Selection::Ids(ids) => self.named(record, ids, most, canary).await?,
            Selection::Filter(_) | Selection::All => self.matching(record, most, canary).await?,
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
    async fn matching(&self, record: &JobRecord, most: usize, canary: Option<u64>) -> Result<Found, AppError> {
        let job = &record.job;
        let filter = job.filter().unwrap_or_default();
        let page = self.table.list(&job.flow, &filter, Order::Oldest, most, record.position.as_ref()).await?;
        // An unreadable row may be part of the selection: it is included, and skipped with its reason.
        let is_taken = |row: &&Row| row.as_ref().map_or(true, |interchange| job.selects(interchange));
        let mut found: Vec<&Row> = page.items.iter().filter(is_taken).collect();
        let mut next = page.next;
        let readable = found.iter().map(|row| row.as_ref().ok());
        if let Some(end) = canary.and_then(|wanted| end_of_canary(job, readable, wanted)) {
            if end < found.len() {
                next = Some(position(found[end - 1]));
            }
            found.truncate(end);
        }
        Ok(Found { ids: found.into_iter().map(|row| id(row).clone()).collect(), next })
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

    /// Handles one chunk of a job. One worker does at a time, and nobody once it is done.
    pub(crate) async fn chunk(&self, id: &JobId, number: u64, pace: Pace, now: Timestamp) -> Result<(), AppError> {
        let unit = Unit::Chunk(id.clone(), number);
        let progress = match self.table.take_lease(&unit, now).await? {
            Leased::Taken(progress) => progress,
            Leased::Busy(until) => {
                if self.table.chunk(id, number).await?.is_none_or(|chunk| chunk.done) {
                    return Ok(());
                }
                return self.come_back(chunk_item(id, number, pace), until, now).await;
            }
            Leased::Done => return Ok(()),
        };
        let Some(record) = self.table.job(id).await? else {
            tracing::error!(job = id.0, "a work item names no job");
            return Ok(self.table.drop_lease(&unit).await?);
        };
        match self.table.chunk(id, number).await? {
            Some(chunk) if !chunk.done => {
                let flow = self.flow(&record.job.flow, now).await?;
                let goes_on = !matches!(record.job.status, JobStatus::Cancelling) && !record.job.status.has_ended();
                if let Some(why) = paused(&record.job, &flow).filter(|_| goes_on) {
                    self.give_up(&unit, progress.left.as_ref(), now).await;
                    return self.pause(&record, why).await;
                }
                if goes_on && record.job.halt.is_some() && !record.job.stuck {
                    self.table.note_halt(id, None).await?;
                }
                self.handle_chunk(&record.job, number, chunk, progress.left, &flow, now).await?;
            }
            _ => self.table.drop_lease(&unit).await?,
        }
        let Some(record) = self.table.job(id).await? else { return Ok(()) };
        if pace == Pace::InOrder && !record.job.status.has_ended() {
            self.go_on_after(&record, number).await?;
        }
        self.looker.end_if_finished(&record, now).await
    }

    /// Acts on the members of a leased chunk that are left. Where a service fails, what is left then is written to the lease.
    async fn handle_chunk(
        &self,
        job: &Job,
        number: u64,
        chunk: Chunk,
        left: Option<Left>,
        flow: &Flow,
        now: Timestamp,
    ) -> Result<(), AppError> {
        let (ids, skipped_before) = match left {
            Some(left) => (left.members()?, left.skips),
            None => (chunk.ids, BTreeMap::new()),
        };
        let mut tally = Tally::default();
        let decide = |interchange| decide(job, number, interchange, flow, now);
        let executed = match self.executor.execute(&ids, None, decide, &mut tally, now).await {
            Ok(()) => self.judge_unreadable(job, &mut tally).await,
            Err(error) => Err(error),
        };
        tally.skipped.iter().for_each(|(skipped, why)| journal::skipped(skipped, why, Some(&job.id), None));
        let mut skips = tally.skips();
        // What a cancelled job leaves alone is counted once, when it ends.
        skips.remove(CANCELLED);
        for (reason, count) in skipped_before {
            *skips.entry(reason).or_default() += count;
        }
        let finished = match executed {
            Ok(()) => self.table.finish_chunk(&job.id, number, &skips, now).await.map(drop).map_err(AppError::from),
            Err(error) => Err(error),
        };
        if finished.is_err() {
            let left = Left { skips, ..tally.left(&ids) };
            self.give_up(&Unit::Chunk(job.id.clone(), number), Some(&left), now).await;
        }
        finished
    }

    /// Changes the skip reason of unreadable ids that a selection lists to not-found if they are not of the job's flow.
    async fn judge_unreadable(&self, job: &Job, tally: &mut Tally) -> Result<(), AppError> {
        let unreadable = tally.skipped.iter().filter(|(_, why)| *why == UNREADABLE).map(|(id, _)| id);
        let unreadable: Vec<InterchangeId> = unreadable.cloned().collect();
        if unreadable.is_empty() || !matches!(job.selection, Selection::Ids(_)) {
            return Ok(());
        }
        let heads = self.table.heads(&unreadable).await?;
        for (id, why) in tally.skipped.iter_mut().filter(|(_, why)| *why == UNREADABLE) {
            if !heads.is_unreadable_of(id, &job.flow) {
                *why = "not-found";
            }
        }
        Ok(())
    }

    /// Puts on the queue what comes after a chunk that is done: the next one, or the next step. A next one that is done
    /// has already queued what follows from it.
    async fn go_on_after(&self, record: &JobRecord, chunk: u64) -> Result<(), AppError> {
        let job = &record.job;
        let item = if chunk + 1 < record.chunks {
            if self.table.chunk(&job.id, chunk + 1).await?.is_some_and(|next| next.done) {
                return Ok(());
            }
            Some(chunk_item(&job.id, chunk + 1, Pace::InOrder))
        } else {
            next_step(record, record.step)
        };
        let after = u32::try_from(job.limits.seconds_after(chunk)).unwrap_or(u32::MAX);
        self.work.send_later(item.map(|item| (item, after)).into_iter().collect()).await
    }

    /// Notes why a job does not go on. When its flow is active again, the job is looked at; the sweep of jobs looks too.
    async fn pause(&self, record: &JobRecord, why: Refusal) -> Result<(), AppError> {
        let why = why.to_string();
        if record.job.halt.as_ref() != Some(&why) {
            self.table.note_halt(&record.job.id, Some(&why)).await?;
        }
        Ok(())
    }
}

fn id(row: &Row) -> &InterchangeId {
    match row {
        Ok(interchange) => &interchange.id,
        Err(unreadable) => &unreadable.id,
    }
}

fn position(row: &Row) -> Position {
    match row {
        Ok(interchange) => Position::of(interchange),
        Err(unreadable) => unreadable.position.clone(),
    }
}

/// Why a job does not go on now: its flow is inactive, or its stage is of a kind that another release has.
fn paused(job: &Job, flow: &Flow) -> Option<Refusal> {
    let not_understood = || match job.action {
        JobAction::Reenter(action) => {
            flow.stage_queue(action).err().filter(|refusal| matches!(refusal, Refusal::StageNotUnderstood { .. }))
        }
        JobAction::Delete | JobAction::Erase | JobAction::Reschedule => None,
    };
    let needs_active = !matches!(job.action, JobAction::Erase | JobAction::Reschedule);
    let is_inactive = !flow.active && needs_active;
    is_inactive.then_some(Refusal::FlowInactive).or_else(not_understood)
}

fn chunk_item(job: &JobId, chunk: u64, pace: Pace) -> WorkItem {
    WorkItem::Chunk { job: job.0.clone(), chunk, in_order: pace == Pace::InOrder }
}

/// Why a cancelled job leaves an interchange alone.
const CANCELLED: &str = "cancelled";

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

/// Chunks for a FIFO queue run one after another, so that the oldest of a group is sent first. So do those of a canary:
/// the last one queues the step that checks whether enough were sent.
fn pace(job: &Job, flow: &Flow) -> Pace {
    if job.status == JobStatus::Canary || job.keeps_order(flow) { Pace::InOrder } else { Pace::SideBySide }
}

/// How many of these are needed to act on `wanted` of them, judged by their current state; `None` if all of them
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
    let more = job.status == JobStatus::Canary || (!record.scan_complete && job.status == JobStatus::Running);
    more.then(|| WorkItem::Walk { job: job.id.0.clone(), step, first_chunk: record.chunks })
}

fn decide(job: &Job, chunk: u64, interchange: Interchange, flow: &Flow, now: Timestamp) -> Decision {
    match job.take(&interchange) {
        Take::Skip(reason) => Decision::Skip(reason),
        Take::Resume => Decision::Resume,
        Take::Act if job.status == JobStatus::Cancelling || job.status.has_ended() => Decision::Skip(CANCELLED),
        Take::Act => {
            let decided = match job.action {
                JobAction::Reenter(action) => interchange.reenter(action, &job.cause(chunk), flow, now),
                JobAction::Delete => interchange.delete(&job.cause(chunk), flow, now),
                JobAction::Erase => interchange.erase(&job.cause(chunk), now),
                JobAction::Reschedule => interchange.replan(&job.cause(chunk), flow, now),
            };
            decided.map_or_else(|refusal| Decision::Skip(refusal.slug()), |change| Decision::Commit(Box::new(change)))
        }
    }
}
