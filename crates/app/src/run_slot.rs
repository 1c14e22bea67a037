//! Running a slot that is due: its members are retried, or judged where it is their deadline. Members that were handled
//! otherwise by now no longer name this slot and are passed over.

use std::collections::{HashMap, HashSet};

use domain::{
    Actor, Cause, Claim, Completion, Flow, Interchange, InterchangeId, RecordedSend, Slot, Timestamp, Trigger,
};
use queues::WorkItem;
use table::{Heads, Left, Pack, RecordedSends};

use crate::execute::{Decision, Tally};
use crate::{AppError, Runner, journal};

impl Runner {
    /// Handles some batches of a slot, those that no other worker holds; the others come back. Batches of a flow that is held
    /// are kept.
    pub(crate) async fn slot(&self, slot: &Slot, batches: &[String], now: Timestamp) -> Result<(), AppError> {
        let leased = self.table.lease_packs(slot, batches, now).await?;
        self.table.record_removed(slot, &leased.removed, now).await?;
        if let Some(until) = leased.until {
            let (flow, minute) = (slot.flow.to_string(), slot.minute.to_string());
            self.come_back(WorkItem::Slot { flow, minute, batches: leased.busy }, until, now).await?;
        }
        let packs = leased.taken;
        if packs.is_empty() {
            return Ok(());
        }
        let flow = self.configured(leased.flow, &slot.flow, now);
        let mut tally = Tally::default();
        let members = members(&packs);
        let handled = self.handle_packs(slot, &flow, &packs, &members, &mut tally, now).await;
        self.looker.request(&tally.canaries).await;
        let finished = match handled {
            Ok(()) if !flow.is_held() => {
                tally.skipped.iter().for_each(|(id, why)| journal::skipped(id, why, None, Some(slot)));
                self.table.finish_packs(slot, &packs, now).await
            }
            // What is held stays.
            Ok(()) => self.table.release_packs(slot, &packs, |_| true).await,
            Err(error) => {
                self.release(slot, &packs, &tally.left(&members)).await;
                return Err(error);
            }
        };
        if finished.is_err() {
            self.release(slot, &packs, &tally.left(&members)).await;
        }
        Ok(finished?)
    }

    /// Gives batches up with what is left of them. Where that fails too, their leases end by themselves.
    async fn release(&self, slot: &Slot, packs: &[Pack], left: &Left) {
        let left: HashSet<&str> = left.ids.iter().map(String::as_str).collect();
        if let Err(error) = self.table.release_packs(slot, packs, |id| left.contains(id.as_str())).await {
            tracing::warn!(error = crate::chain(&error), "batches were not released, their leases end by themselves");
        }
    }

    async fn handle_packs(
        &self,
        slot: &Slot,
        flow: &Flow,
        packs: &[Pack],
        members: &[InterchangeId],
        tally: &mut Tally,
        now: Timestamp,
    ) -> Result<(), AppError> {
        let has_deadlines = packs.iter().any(|pack| pack.has_deadlines);
        let heads = if has_deadlines { Some(self.table.heads(members).await?) } else { None };
        let sends = match &heads {
            Some(heads) => self.recorded_sends(slot, heads, flow).await?,
            None => RecordedSends::default(),
        };
        // An interchange that left the slot and came back is in two batches: the claim names the batch, so that only a
        // batch that comes again sends again.
        let batch_of: HashMap<&InterchangeId, &str> =
            packs.iter().rev().flat_map(|pack| pack.ids.iter().map(|id| (id, pack.batch.as_str()))).collect();
        let decide = |interchange: Interchange| {
            let batch = batch_of.get(&interchange.id).copied().unwrap_or_default().to_owned();
            let cause = cause(Claim::Batch { slot: slot.clone(), batch });
            due(interchange, slot, flow, &cause, &sends, now)
        };
        self.executor.execute(members, heads, decide, tally, now).await?;
        journal::slot(slot, members.len(), tally.changed.len());
        Ok(())
    }

    /// The recorded sends of the members whose deadline this slot is. The work of those without one is put on the jobs
    /// queue again: nobody knows that their messages are on the stage.
    pub(crate) async fn recorded_sends(
        &self,
        slot: &Slot,
        heads: &Heads,
        flow: &Flow,
    ) -> Result<RecordedSends, AppError> {
        let waiting: Vec<&Interchange> =
            heads.iter().filter(|i| i.status.is_waiting() && i.due == Some(slot.minute)).collect();
        let sends = self.table.recorded_sends(waiting.iter().copied()).await?;
        let mut again: Vec<WorkItem> = Vec::new();
        for interchange in waiting.into_iter().filter(|i| sends.of(i) == RecordedSend::Missing) {
            let item = interchange.flight.as_ref().and_then(|flight| work_of(&flight.claim, interchange, flow));
            if let Some(item) = item.filter(|item| !again.contains(item)) {
                journal::unrecorded(interchange);
                again.push(item);
            }
        }
        self.work.send(&again).await?;
        Ok(sends)
    }
}

/// The work item that does the work of a claim again.
fn work_of(claim: &Claim, interchange: &Interchange, flow: &Flow) -> Option<WorkItem> {
    match claim {
        Claim::Chunk { job, number } => {
            let in_order = interchange.flight.as_ref().is_some_and(|flight| flow.keeps_order_at(flight.action));
            Some(WorkItem::Chunk { job: job.0.clone(), chunk: *number, in_order })
        }
        Claim::Batch { slot, batch } => Some(WorkItem::Slot {
            flow: slot.flow.to_string(),
            minute: slot.minute.to_string(),
            batches: vec![batch.clone()],
        }),
        Claim::Run { slot, .. } => Some(ordered(slot)),
        Claim::Request(request) => {
            Some(WorkItem::Send { interchange: interchange.id.to_string(), request: request.clone() })
        }
        Claim::Earlier(_) => None,
    }
}

/// The work item of a slot whose members are handled in order.
pub(crate) fn ordered(slot: &Slot) -> WorkItem {
    WorkItem::Ordered { flow: slot.flow.to_string(), minute: slot.minute.to_string() }
}

pub(crate) fn cause(claim: Claim) -> Cause {
    Cause { claim, actor: Actor::Scheduler, trigger: Trigger::Scheduled, reason: None, job: None, canary: false }
}

/// The members of some batches, each once.
pub(crate) fn members(packs: &[Pack]) -> Vec<InterchangeId> {
    let mut seen = HashSet::new();
    let all = packs.iter().flat_map(|pack| &pack.ids);
    all.filter(|id| seen.insert(*id)).cloned().collect()
}

pub(crate) fn due(
    interchange: Interchange,
    slot: &Slot,
    flow: &Flow,
    cause: &Cause,
    sends: &RecordedSends,
    now: Timestamp,
) -> Decision {
    if interchange.is_claimed_by(&cause.claim) && interchange.due != Some(slot.minute) {
        return Decision::Resume;
    }
    if interchange.completion == Some(Completion::Assumed) {
        return Decision::Resume;
    }
    if interchange.flow != slot.flow || interchange.due != Some(slot.minute) {
        return Decision::Skip("handled");
    }
    let change = if interchange.status.is_in_flight() {
        // What silence means, and after how long, may be what is not understood.
        if !flow.is_understood() {
            return Decision::Skip("held");
        }
        let send = sends.of(&interchange);
        interchange.overdue(slot, flow, send, now)
    } else if !flow.is_held() {
        let action = interchange.automatic_action(flow);
        match interchange.clone().reenter(action, cause, flow, now) {
            Ok(change) => Some(change),
            Err(refusal) => interchange.cannot_be_retried(refusal, now),
        }
    } else {
        interchange.hold(slot, flow, now)
    };
    change.map_or(Decision::Skip("handled"), |change| Decision::Commit(Box::new(change)))
}
