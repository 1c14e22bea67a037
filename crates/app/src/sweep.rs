//! Slots that are due, by their schedule or, where that never fired, by the recurring sweep: their batches become
//! work for the runner.

use std::collections::HashSet;

use domain::{Flow, FlowName, JobStatus, Slot, Timestamp};
use jiff::SignedDuration;
use queues::{WorkItem, WorkQueue};
use table::{Pack, Table};

use crate::AppError;
use crate::jobs::first_step;
use crate::metric::{self, Metric};
use crate::run_line::line;

/// How late a slot must be for the sweep to take it over from its schedule.
const OVERDUE: SignedDuration = SignedDuration::from_mins(5);

/// How long a writer must be silent before its count rows are folded.
const QUIET: SignedDuration = SignedDuration::from_hours(1);

/// Turns slots into work.
#[derive(Debug)]
pub struct Sweeper {
    table: Table,
    work: WorkQueue,
}

impl Sweeper {
    /// Finds slots at `table` and leaves their work at `work`.
    #[must_use]
    pub fn new(table: Table, work: WorkQueue) -> Self {
        Self { table, work }
    }

    /// Brings up one slot that is due. Gives back how many work items that made.
    ///
    /// # Errors
    /// When a service did not do its part; doing it again does no harm.
    pub async fn bring_up(&self, slot: &Slot) -> Result<usize, AppError> {
        let flow = self.table.flow(&slot.flow).await?;
        self.bring_up_of(flow.as_ref(), slot).await
    }

    async fn bring_up_of(&self, flow: Option<&Flow>, slot: &Slot) -> Result<usize, AppError> {
        let items = match flow {
            Some(flow) if flow.has_batched_window() => {
                vec![WorkItem::Run { flow: slot.flow.to_string(), minute: slot.minute.to_string() }]
            }
            Some(flow) => due_work(flow, slot, &self.table.packs(slot).await?),
            None => batches(slot, &self.table.packs(slot).await?),
        };
        self.work.send(&items).await?;
        let (flow, batches) = (slot.flow.as_str(), items.len());
        tracing::info!(flow, slot = %slot.minute, outcome = "slot_due", batches, "a slot was brought up");
        Ok(batches)
    }

    /// Brings up every slot that is overdue, takes emptied ones off the register, and folds count rows that are quiet.
    ///
    /// # Errors
    /// When a service did not do its part; the next sweep goes on.
    pub async fn sweep(&self, now: Timestamp) -> Result<usize, AppError> {
        let late = now.checked_sub(OVERDUE).unwrap_or(Timestamp::MIN);
        let (mut brought, mut overdue) = (0, 0);
        for slot in self.table.slots_due_before(late).await? {
            if self.table.enrolled(&slot).await? == 0 {
                self.table.unregister_slot(&slot).await?;
                continue;
            }
            let flow = self.table.flow(&slot.flow).await?;
            // What is held of an inactive flow waits for people, not for the sweep.
            overdue += usize::from(flow.as_ref().is_none_or(|flow| flow.active));
            brought += self.bring_up_of(flow.as_ref(), &slot).await?;
        }
        metric::count(Metric::OverdueSlots, overdue);
        self.start_forgotten_jobs(late).await?;
        let quiet = now.checked_sub(QUIET).unwrap_or(Timestamp::MIN);
        let folded = self.table.fold_counts(quiet).await?;
        tracing::info!(outcome = "swept", overdue, brought, folded, "the sweep has run");
        Ok(brought)
    }

    /// Begins jobs whose maker died before it could have them begun.
    async fn start_forgotten_jobs(&self, late: Timestamp) -> Result<(), AppError> {
        for id in self.table.registered_jobs().await? {
            let record = self.table.job(&id).await?;
            if record.is_some_and(|r| r.job.status == JobStatus::Queued && r.job.created_at < late) {
                self.work.send(&[first_step(&id)]).await?;
            }
        }
        Ok(())
    }

    /// Brings up what was held of a flow that is active again.
    ///
    /// # Errors
    /// When a service did not do its part; the next sweep brings it up then.
    pub async fn release(&self, flow: &FlowName, now: Timestamp) -> Result<usize, AppError> {
        let slots: HashSet<Slot> = self.table.slots_due_before(now).await?.into_iter().collect();
        let mut brought = 0;
        for slot in slots.iter().filter(|slot| slot.flow == *flow) {
            brought += self.bring_up(slot).await?;
        }
        Ok(brought)
    }
}

/// Members that one work item sees to, at least, while there are so many.
const MEMBERS: usize = 100;

/// The work of a slot that is due: a line where its flow keeps an order, else its batches side by side.
pub(crate) fn due_work(flow: &Flow, slot: &Slot, packs: &[Pack]) -> Vec<WorkItem> {
    if flow.keeps_order() && !packs.is_empty() { vec![line(slot)] } else { batches(slot, packs) }
}

/// Work items for a slot's batches, several small batches in one.
fn batches(slot: &Slot, packs: &[Pack]) -> Vec<WorkItem> {
    let mut items: Vec<(usize, Vec<String>)> = Vec::new();
    for pack in packs {
        match items.last_mut() {
            Some((members, batches)) if *members < MEMBERS => {
                *members += pack.ids.len();
                batches.push(pack.batch.clone());
            }
            _ => items.push((pack.ids.len(), vec![pack.batch.clone()])),
        }
    }
    items
        .into_iter()
        .map(|(_, batches)| WorkItem::Slot { flow: slot.flow.to_string(), minute: slot.minute.to_string(), batches })
        .collect()
}
