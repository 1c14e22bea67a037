//! Running a slot that is due: its members are retried, or judged where it is their deadline. Whoever was handled
//! otherwise by now no longer names this slot and is passed over.

use std::collections::{BTreeMap, HashMap, HashSet};

use domain::{
    Actor, Cause, Claim, Completion, Flow, Interchange, InterchangeId, Minute, Slot, Timestamp, Trigger, Window,
    thin_out,
};
use table::Pack;

use crate::execute::Decision;
use crate::sweep::due_work;
use crate::{AppError, Runner, journal};

/// Later runs whose members are counted when a run is full.
const RUNS_AHEAD: usize = 100;

impl Runner {
    /// Sees to some batches of a slot. Those of an inactive flow are kept: its retries are held until it is active.
    pub(crate) async fn slot(&self, slot: &Slot, batches: &[String], now: Timestamp) -> Result<(), AppError> {
        let packs = self.table.packs_named(slot, batches).await?;
        if packs.is_empty() {
            return Ok(());
        }
        let flow = self.flow(&slot.flow, now).await?;
        // Whoever left the slot and came back is in two batches: the claim is that of the batch, so that only a batch
        // that comes again sends again.
        let batch_of: HashMap<&InterchangeId, &str> =
            packs.iter().rev().flat_map(|pack| pack.ids.iter().map(|id| (id, pack.batch.as_str()))).collect();
        let decide = |interchange: Interchange| {
            let batch = batch_of.get(&interchange.id).copied().unwrap_or_default();
            due(interchange, slot, &flow, &cause(slot, batch), now)
        };
        let members = members(&packs);
        let tally = self.executor.execute(&members, decide, now).await?;
        journal::slot(slot, members.len(), tally.changed.len());
        // What is held while the flow is inactive comes by with every sweep.
        if flow.active {
            tally.skipped.iter().for_each(|(id, why)| journal::skipped(id, why, None, Some(slot)));
            self.table.delete_packs(slot, &packs).await?;
        }
        Ok(())
    }

    /// Sees to a run of a window that takes only so many: the rest is put off first, and what stays is an ordinary
    /// slot. A crash in between leaves a run that is less over-full, for the same work item to go on with.
    pub(crate) async fn window_run(&self, slot: &Slot, now: Timestamp) -> Result<(), AppError> {
        let flow = self.flow(&slot.flow, now).await?;
        let packs = self.table.packs(slot).await?;
        if flow.active {
            let ids = members(&packs);
            let heads = self.table.heads(&ids).await?;
            let own = heads.values().filter(|i| i.status.is_failed() && i.due == Some(slot.minute));
            let mut by_policy: BTreeMap<Option<&str>, Vec<&Interchange>> = BTreeMap::new();
            for interchange in own {
                let partner = interchange.parties.partner.as_deref().filter(|p| flow.partners.contains_key(*p));
                by_policy.entry(partner).or_default().push(interchange);
            }
            for (partner, own) in by_policy {
                if let Some(window) = flow.batched_window(partner) {
                    self.put_off(slot, window, &flow, &own, now).await?;
                }
            }
        }
        Ok(self.work.send(&due_work(&flow, slot, &packs)).await?)
    }

    async fn put_off(
        &self,
        slot: &Slot,
        window: &Window,
        flow: &Flow,
        own: &[&Interchange],
        now: Timestamp,
    ) -> Result<(), AppError> {
        let batch = window.batch.unwrap_or(u32::MAX);
        if own.len() <= batch as usize {
            return Ok(());
        }
        let mut held = BTreeMap::new();
        let mut run = slot.minute;
        for _ in 0..RUNS_AHEAD {
            run = window.run_after(run, flow.activated_at);
            let members = self.table.enrolled(&Slot { minute: run, flow: flow.name.clone() }).await?;
            if members == 0 {
                break;
            }
            held.insert(run, u32::try_from(members).unwrap_or(u32::MAX));
        }
        let later: BTreeMap<InterchangeId, Minute> =
            thin_out(own, slot.minute, window, flow.activated_at, &held).into_iter().collect();
        let ids: Vec<InterchangeId> = later.keys().cloned().collect();
        let decide = |interchange: Interchange| {
            let to = later.get(&interchange.id).copied().unwrap_or(slot.minute);
            let change = interchange.put_off(slot, to, batch, now);
            change.map_or(Decision::Skip("handled"), |change| Decision::Commit(Box::new(change)))
        };
        self.executor.execute(&ids, decide, now).await.map(drop)
    }
}

pub(crate) fn cause(slot: &Slot, batch: &str) -> Cause {
    Cause {
        claim: Claim(format!("slot:{}:{}:{batch}", slot.flow, slot.minute)),
        actor: Actor::Scheduler,
        trigger: Trigger::Scheduled,
        reason: None,
        job: None,
    }
}

/// The members of some batches, each once.
pub(crate) fn members(packs: &[Pack]) -> Vec<InterchangeId> {
    let mut seen = HashSet::new();
    let all = packs.iter().flat_map(|pack| &pack.ids);
    all.filter(|id| seen.insert(*id)).cloned().collect()
}

pub(crate) fn due(interchange: Interchange, slot: &Slot, flow: &Flow, cause: &Cause, now: Timestamp) -> Decision {
    if interchange.is_claimed_by(&cause.claim) && interchange.due != Some(slot.minute) {
        return Decision::Resume;
    }
    if interchange.completion == Some(Completion::Assumed) {
        return Decision::Resume;
    }
    if interchange.flow != slot.flow || interchange.due != Some(slot.minute) {
        return Decision::Skip("handled");
    }
    let change = if interchange.status.is_waiting() {
        interchange.overdue(slot, flow, now)
    } else if flow.active {
        let action = interchange.automatic_action(flow);
        match interchange.clone().reenter(action, cause, flow, now) {
            Ok(change) => Some(change),
            Err(refusal) => interchange.cannot_be_retried(refusal, now),
        }
    } else {
        interchange.hold(slot, now)
    };
    change.map_or(Decision::Skip("handled"), |change| Decision::Commit(Box::new(change)))
}
