//! Running a slot in order, the oldest failure first: where a stage of its flow is a FIFO queue, and where the runs of its
//! window take only so many, so that the others are postponed to later runs.
//!
//! One worker does at a time. It reads the slot's batches page by page, handles members a hundred at a time, notes how far
//! it is, and leaves the rest to the next work item when its invocation comes to an end. However many members a slot has,
//! no more than a few thousand of them are in memory.

use std::collections::HashMap;
use std::time::Instant;

use domain::{Claim, Flow, Interchange, InterchangeId, Minute, RunFill, Slot, Timestamp};
use table::{Heads, Lease, Leased, Progress, Unit};

use crate::execute::{Decision, Tally};
use crate::run::Moment;
use crate::run_slot::{cause, due, ordered};
use crate::{AppError, Runner, journal};

/// Members that are read at a time.
const MAX_READ: usize = 10_000;

/// Members that are handled at a time.
const MAX_HANDLED: usize = 100;

/// Where an interchange goes whose run is full: to which run, and how many a run takes.
type Postponed = HashMap<InterchangeId, (Minute, u32)>;

impl Runner {
    /// Handles the members of a slot in order, as many as the invocation has time for.
    pub(crate) async fn ordered(&self, slot: &Slot, at: Moment) -> Result<(), AppError> {
        let now = at.now;
        let unit = Unit::Run(slot.clone());
        let mut progress = match self.table.take_lease(&unit, now).await? {
            Leased::Taken(progress) => progress,
            Leased::Busy(_) if self.table.is_empty(slot).await? => return Ok(()),
            Leased::Busy(until) => return self.come_back(ordered(slot), until, now).await,
            Leased::Done => return Ok(()),
        };
        let went_on = self.go_on(slot, &mut progress, at).await;
        let noted = self.table.note_progress(slot, &progress, Lease::Release, now).await;
        match (went_on, noted) {
            (Ok(Ended::All), noted) => Ok(noted?),
            (Ok(Ended::Time), noted) => {
                noted?;
                self.work.send(&[ordered(slot)]).await
            }
            (Err(error), Ok(())) => Err(error),
            (Err(error), Err(lost)) => {
                tracing::warn!(error = crate::chain(&lost), "a lease was not released and ends by itself");
                Err(error)
            }
        }
    }

    async fn go_on(&self, slot: &Slot, progress: &mut Progress, at: Moment) -> Result<Ended, AppError> {
        let now = at.now;
        let flow = self.flow(&slot.flow, now).await?;
        if progress.generation == 0 || progress.ended {
            if self.table.is_empty(slot).await? {
                return Ok(Ended::All);
            }
            *progress = Progress { generation: progress.generation + 1, ..Progress::default() };
            self.table.note_progress(slot, progress, Lease::Keep, now).await?;
            self.table.take_into_run(slot, progress.generation).await?;
        }
        if let Some(left) = progress.left.take() {
            let postponed = left.postponed.iter().filter_map(|(id, (run, batch))| {
                Some((InterchangeId::new(id.as_str()).ok()?, (Minute::at_or_after(*run), *batch)))
            });
            let hundred = Hundred { ids: left.members()?, postponed: postponed.collect() };
            let heads = self.table.heads(&hundred.ids).await?;
            self.handle(slot, &flow, hundred, heads, progress, now).await?;
        }
        loop {
            let position = progress.position.clone();
            let members = self.table.next_members(slot, progress.generation, position.as_ref(), MAX_READ).await?;
            for members in members.chunks(MAX_HANDLED) {
                let ids: Vec<InterchangeId> = members.iter().map(|member| member.id.clone()).collect();
                let heads = self.table.heads(&ids).await?;
                let postponed = self.postponed(slot, &flow, &ids, &heads, progress, now).await?;
                progress.position = members.last().map(|member| member.position.clone());
                self.handle(slot, &flow, Hundred { ids, postponed }, heads, progress, now).await?;
                self.table.note_progress(slot, progress, Lease::Keep, now).await?;
                if Instant::now() >= at.until {
                    return Ok(Ended::Time);
                }
            }
            if members.len() < MAX_READ {
                progress.ended = true;
                // What is held stays until the flow is held no more.
                if !flow.is_held() {
                    self.table.remove_run(slot, progress.generation).await?;
                }
                return Ok(Ended::All);
            }
        }
    }

    /// Handles some members. Where a service fails, those that are not done are noted as left.
    async fn handle(
        &self,
        slot: &Slot,
        flow: &Flow,
        hundred: Hundred,
        heads: Heads,
        progress: &mut Progress,
        now: Timestamp,
    ) -> Result<(), AppError> {
        let Hundred { ids, postponed } = hundred;
        let mut tally = Tally::default();
        let handled =
            self.handle_in_order(slot, flow, &ids, &postponed, heads, progress.generation, &mut tally, now).await;
        journal::slot(slot, ids.len(), tally.changed.len());
        self.looker.request(&tally.canaries).await;
        if let Err(error) = handled {
            let mut left = tally.left(&ids);
            let later = postponed.into_iter().map(|(id, (run, batch))| (id.to_string(), (run.timestamp(), batch)));
            left.postponed = later.filter(|(id, _)| left.ids.contains(id)).collect();
            progress.left = Some(left).filter(|left| !left.ids.is_empty());
            return Err(error);
        }
        if !flow.is_held() {
            tally.skipped.iter().for_each(|(id, why)| journal::skipped(id, why, None, Some(slot)));
        }
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "what one hundred members need, used once")]
    async fn handle_in_order(
        &self,
        slot: &Slot,
        flow: &Flow,
        ids: &[InterchangeId],
        postponed: &Postponed,
        heads: Heads,
        generation: u64,
        tally: &mut Tally,
        now: Timestamp,
    ) -> Result<(), AppError> {
        let sends = self.recorded_sends(slot, &heads, flow).await?;
        let cause = cause(Claim::Run { slot: slot.clone(), generation });
        let decide = |interchange: Interchange| match postponed.get(&interchange.id) {
            Some((to, batch)) => interchange
                .postpone(slot, *to, *batch, now)
                .map_or(Decision::Skip("handled"), |change| Decision::Commit(Box::new(change))),
            None => due(interchange, slot, flow, &cause, &sends, now),
        };
        self.executor.execute(ids, Some(heads), decide, tally, now).await
    }

    /// Which of these members the run has no room for, and the runs that take them: those after this one that are not past,
    /// each filled up before the next, around what is enrolled in them already.
    async fn postponed(
        &self,
        slot: &Slot,
        flow: &Flow,
        ids: &[InterchangeId],
        heads: &Heads,
        progress: &mut Progress,
        now: Timestamp,
    ) -> Result<Postponed, AppError> {
        let mut postponed = Postponed::new();
        if flow.is_held() {
            return Ok(postponed);
        }
        let claim = Claim::Run { slot: slot.clone(), generation: progress.generation };
        for interchange in ids.iter().filter_map(|id| heads.get(id)) {
            let partner = interchange.parties.partner.as_deref();
            let Some(window) = flow.batched_window(partner) else { continue };
            let batch = window.batch.unwrap_or(u32::MAX);
            let policy = flow.policy_of(partner).unwrap_or_default().to_owned();
            let kept = progress.fills.get(&policy);
            let mut fill = kept.map_or_else(
                || RunFill::of(slot.minute, batch),
                |(run, room)| RunFill { run: Minute::at_or_after(*run), room: *room },
            );
            let is_waiting = interchange.status.is_failed() && interchange.due == Some(slot.minute);
            // A worker that died in this hundred took these: they have their place already.
            let has_place = interchange.is_claimed_by(&claim) || interchange.due == Some(fill.run);
            if is_waiting {
                while fill.room == 0 {
                    let run = fill.next(window, flow.activated_at, now);
                    let enrolled = self.table.enrolled(&Slot { minute: run, flow: flow.name.clone() }).await?;
                    fill = RunFill { run, room: batch.saturating_sub(u32::try_from(enrolled).unwrap_or(u32::MAX)) };
                }
                if fill.run != slot.minute {
                    postponed.insert(interchange.id.clone(), (fill.run, batch));
                }
            } else if !has_place {
                continue;
            }
            fill.room = fill.room.saturating_sub(1);
            progress.fills.insert(policy, (fill.run.timestamp(), fill.room));
        }
        Ok(postponed)
    }
}

/// Members that are handled together.
struct Hundred {
    ids: Vec<InterchangeId>,
    postponed: Postponed,
}

/// Why a worker stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// All members are handled.
    All,
    /// The invocation has no more time.
    Time,
}
