//! Running a slot that is due where the flow keeps an order: its members stand in one line, the oldest failure first, and
//! are served a hundred at a time, each hundred put on the queue by the one before it.
//!
//! Whoever serves a line that was served before, be it after a crash or because the sweep brought the slot up beside it,
//! finds its own claims and sends them again in the same order: what a consumer sees first is in order.

use domain::{Interchange, InterchangeId, Slot, Timestamp};
use queues::WorkItem;
use table::Position;

use crate::run_slot::{cause, due, members};
use crate::{AppError, Runner, journal};

/// Members that stand in line at a time: with the longest ids they fill three quarters of what SQS takes.
const MOST_IN_LINE: usize = 6_000;

/// Members that are served at a time.
const SERVED: usize = 100;

/// The batch that the claims of a line name, as there is one line for all batches.
const LINE: &str = "line";

impl Runner {
    /// Lines up the members of a slot that stand behind `after`. When nobody does, the slot's emptied batches go.
    pub(crate) async fn line_up(&self, slot: &Slot, after: Option<&str>, now: Timestamp) -> Result<(), AppError> {
        let mut packs = self.table.packs(slot).await?;
        let heads = self.table.heads(&members(&packs)).await?;
        let is_due = |i: &Interchange| i.flow == slot.flow && i.due == Some(slot.minute);
        let claim = cause(slot, LINE).claim;
        let mut line: Vec<(String, &InterchangeId)> = heads
            .values()
            .filter(|i| is_due(i) || i.is_claimed_by(&claim))
            .map(|i| (Position::of(i).0, &i.id))
            .filter(|(place, _)| after.is_none_or(|after| place.as_str() > after))
            .collect();
        if line.is_empty() {
            // Those of an inactive flow are kept: its retries are held until it is active.
            if self.flow(&slot.flow, now).await?.active {
                packs.retain(|pack| !pack.ids.iter().any(|id| heads.get(id).is_some_and(is_due)));
                self.table.delete_packs(slot, &packs).await?;
            }
            return Ok(());
        }
        line.sort_unstable();
        line.truncate(MOST_IN_LINE);
        let after = line.last().map(|(place, _)| place.clone());
        let ids = line.into_iter().map(|(_, id)| id.to_string()).collect();
        self.go_on(slot, after, ids).await
    }

    /// Sees to the first ones of a line; the others follow.
    pub(crate) async fn serve(
        &self,
        slot: &Slot,
        after: Option<&str>,
        line: &[String],
        now: Timestamp,
    ) -> Result<(), AppError> {
        let (first, others) = line.split_at(line.len().min(SERVED));
        let first: Vec<InterchangeId> = first.iter().filter_map(|id| InterchangeId::new(id.clone()).ok()).collect();
        let flow = self.flow(&slot.flow, now).await?;
        let cause = cause(slot, LINE);
        let tally = self.executor.execute(&first, |i| due(i, slot, &flow, &cause, now), now).await?;
        journal::slot(slot, first.len(), tally.changed.len());
        if flow.active {
            tally.skipped.iter().for_each(|(id, why)| journal::skipped(id, why, None, Some(slot)));
        }
        self.go_on(slot, after.map(str::to_owned), others.to_vec()).await
    }

    async fn go_on(&self, slot: &Slot, after: Option<String>, ids: Vec<String>) -> Result<(), AppError> {
        let (flow, minute) = (slot.flow.to_string(), slot.minute.to_string());
        Ok(self.work.send(&[WorkItem::Line { flow, minute, after, ids }]).await?)
    }
}

/// The work item that begins the line of a slot.
pub(crate) fn line(slot: &Slot) -> WorkItem {
    WorkItem::Line { flow: slot.flow.to_string(), minute: slot.minute.to_string(), after: None, ids: Vec::new() }
}
