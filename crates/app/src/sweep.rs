//! What is due by the clock alone: slots, by their schedules or by the sweep, jobs that nobody looks at, and count rows that
//! can be folded. Each has a schedule of its own, so that none holds up the others.

use std::collections::{BTreeSet, HashMap};

use domain::{Flow, FlowName, JobStatus, Slot, Timestamp};
use jiff::SignedDuration;
use queues::WorkItem;
use table::{JobRecord, Pack, RegisteredJob, Table, TableError};

use crate::jobs::first_step;
use crate::look::Looker;
use crate::metric::{self, Metric};
use crate::run_slot::ordered;
use crate::{AppError, WorkSender};

/// How late a slot must be for the sweep to take it over from its schedule.
const OVERDUE: SignedDuration = SignedDuration::from_mins(2);

/// How long the sweep leaves a slot alone while its work is being put on the queue: longer than the function lives.
const DISPATCHING: SignedDuration = SignedDuration::from_mins(2);

/// How long the sweep leaves a slot alone whose work is on the queue.
const DISPATCHED: SignedDuration = SignedDuration::from_mins(15);

/// How late a slot must be before it is unregistered: by then no worker enrols in it, even with a slow clock.
const CLOSED: SignedDuration = SignedDuration::from_mins(10);

/// How long a job may wait for its first step before it counts as forgotten.
const FORGOTTEN: SignedDuration = SignedDuration::from_mins(1);

/// How long a job may stand still, with nobody at work, before its work is put back on the queue.
const STALLED: SignedDuration = SignedDuration::from_mins(5);

/// A job's work counts as lost if nobody tried it for this long: longer than any pause between two tries.
const ABANDONED: SignedDuration = SignedDuration::from_mins(15);

/// How long a job may be active before its stored items get a new expiry.
const KEPT_FRESH: SignedDuration = SignedDuration::from_hours(24);

/// How long a writer must be silent before its count rows are folded.
const QUIET: SignedDuration = SignedDuration::from_hours(1);

/// How long payloads are kept that no head names: their report may still be delivered again.
const UNNAMED: SignedDuration = SignedDuration::from_hours(24);

/// The fewest members that one work item handles, if there are that many.
const MEMBERS: usize = 100;

/// Does what is due by the clock.
#[derive(Debug)]
pub struct Sweeper {
    table: Table,
    work: WorkSender,
    looker: Looker,
}

impl Sweeper {
    /// Finds what is due at `table` and leaves its work at `work`.
    #[must_use]
    pub fn new(table: Table, work: WorkSender) -> Self {
        Self { looker: Looker::new(table.clone(), work.clone()), table, work }
    }

    /// Puts the work of one slot that is due on the queue; for one whose minute is still to come nothing is done. Gives back
    /// how many work items that made.
    ///
    /// # Errors
    /// When a service fails; doing it again does no harm.
    pub async fn dispatch(&self, slot: &Slot, now: Timestamp) -> Result<usize, AppError> {
        if !slot.is_due(now) {
            tracing::warn!(flow = slot.flow.as_str(), slot = %slot.minute, outcome = "not_due", "a slot was called before its time");
            return Ok(0);
        }
        let flow = self.table.flow(&slot.flow).await?;
        self.dispatch_of(flow.as_ref(), slot, now).await
    }

    async fn dispatch_of(&self, flow: Option<&Flow>, slot: &Slot, now: Timestamp) -> Result<usize, AppError> {
        self.table.note_dispatched(slot, after(now, DISPATCHING)).await?;
        let items = if flow.is_some_and(|flow| flow.keeps_order() || flow.has_batched_window()) {
            let is_empty = self.table.is_empty(slot).await?;
            let items: Vec<WorkItem> = (!is_empty).then(|| ordered(slot)).into_iter().collect();
            self.work.send(&items).await?;
            items.len()
        } else {
            self.send_batches(slot).await?
        };
        self.table.note_dispatched(slot, after(now, DISPATCHED)).await?;
        let (flow, batches) = (slot.flow.as_str(), items);
        tracing::info!(flow, slot = %slot.minute, outcome = "slot_due", batches, "a slot was dispatched");
        Ok(items)
    }

    /// Puts a slot's batches on the queue, page by page, several small batches in one work item.
    async fn send_batches(&self, slot: &Slot) -> Result<usize, AppError> {
        let mut items = 0;
        let mut after = None;
        loop {
            let (packs, next) = self.table.pack_page(slot, after.as_deref()).await?;
            let work = batches(slot, &packs);
            self.work.send(&work).await?;
            items += work.len();
            after = next;
            if after.is_none() {
                return Ok(items);
            }
        }
    }

    /// Dispatches every slot that is overdue, unregisters empty ones, and moves those of held flows to where
    /// it does not read them. Returns the number of work items that it made.
    ///
    /// # Errors
    /// When a service fails; the next sweep goes on.
    pub async fn sweep_slots(&self, now: Timestamp) -> Result<usize, AppError> {
        let due = self.table.slots_due_before(before(now, OVERDUE)).await?;
        let due: Vec<Slot> = due
            .into_iter()
            .filter(|registered| registered.not_before.is_none_or(|time| time <= now))
            .map(|registered| registered.slot)
            .collect();
        let names: BTreeSet<&FlowName> = due.iter().map(|slot| &slot.flow).collect();
        let flows = self.table.flows(names).await?;
        let (mut dispatched, mut overdue) = (0, 0);
        for slot in &due {
            if self.table.is_empty(slot).await? {
                if slot.minute.timestamp() < before(now, CLOSED) {
                    self.table.unregister_slot(slot).await?;
                }
                continue;
            }
            match flows.get(&slot.flow) {
                Some(flow) if flow.is_held() => self.hold(flow, slot, now).await?,
                flow => {
                    overdue += 1;
                    dispatched += self.dispatch_of(flow, slot, now).await?;
                }
            }
        }
        metric::count(Metric::OverdueSlots, overdue);
        tracing::info!(outcome = "swept", overdue, dispatched, "the sweep of slots has run");
        Ok(dispatched)
    }

    /// Holds the members of a slot, and moves the slot to where only the activation of its flow finds it.
    async fn hold(&self, flow: &Flow, slot: &Slot, now: Timestamp) -> Result<(), AppError> {
        self.dispatch_of(Some(flow), slot, now).await?;
        self.table.hold_slot(slot).await?;
        // The flow may have been activated since it was read, by a request that looked for held slots before the move.
        if self.table.flow(&slot.flow).await?.is_some_and(|flow| !flow.is_held()) {
            self.table.unhold_slot(slot).await?;
        }
        Ok(())
    }

    /// Looks at every job that has not ended: begins forgotten ones, goes on with canaries, puts back work that nobody does,
    /// ends cancelled ones, and frees flows whose job is gone.
    ///
    /// # Errors
    /// When a service fails; the next sweep goes on.
    pub async fn sweep_jobs(&self, now: Timestamp) -> Result<(), AppError> {
        for registered in self.table.registered_jobs().await? {
            let job = match self.table.job(&registered.id).await {
                // The sweep of a release that can read it looks at it.
                Err(error @ TableError::Unreadable { .. }) => {
                    tracing::error!(
                        job = registered.id.0,
                        outcome = "unreadable",
                        error = crate::chain(&error),
                        "a job was passed over"
                    );
                    continue;
                }
                job => job?,
            };
            match job {
                Some(record) if record.job.status.has_ended() => self.free(&registered, Some(&record)).await?,
                Some(record) => self.look_at(&registered, &record, now).await?,
                None => self.free(&registered, None).await?,
            }
        }
        Ok(())
    }

    async fn look_at(&self, registered: &RegisteredJob, record: &JobRecord, now: Timestamp) -> Result<(), AppError> {
        let job = &record.job;
        if registered.kept_at.unwrap_or(job.created_at) < before(now, KEPT_FRESH) {
            self.table.keep_job(&job.id, now).await?;
        }
        if job.status == JobStatus::Queued {
            let is_forgotten = job.created_at < before(now, FORGOTTEN);
            return if is_forgotten { self.work.send(&[first_step(&job.id)]).await } else { Ok(()) };
        }
        self.looker.look_at(record, now).await?;
        let stands = format!("{} {}/{} {}", record.step, record.done, record.chunks, record.counts.sent);
        if registered.seen.as_ref() != Some(&stands) {
            return Ok(self.table.note_seen(&job.id, &stands, now).await?);
        }
        let has_stalled = registered.seen_at.is_some_and(|at| at <= before(now, STALLED));
        // Work that fails comes again by itself, and is set aside when it fails too often.
        let is_tried = record.tried_at.is_some_and(|at| at > before(now, ABANDONED));
        if !has_stalled || is_tried || job.stuck || record.is_leased(now) || is_waiting(record) {
            return Ok(());
        }
        let flow = self.table.flow(&job.flow).await?;
        if flow.is_none_or(|flow| flow.active) {
            tracing::warn!(job = job.id.0, outcome = "resumed", "a job stood still, its work is put back on the queue");
            self.looker.resume(&job.id).await?;
            self.table.note_seen(&job.id, &stands, now).await?;
        }
        Ok(())
    }

    async fn free(&self, registered: &RegisteredJob, record: Option<&JobRecord>) -> Result<(), AppError> {
        let flow = registered.flow.as_ref().or(record.map(|record| &record.job.flow));
        if let Some(flow) = flow {
            tracing::warn!(
                job = registered.id.0,
                flow = flow.as_str(),
                outcome = "freed",
                "a flow had a job that is gone"
            );
            self.table.free_flow(flow, &registered.id).await?;
        }
        Ok(())
    }

    /// Folds count rows that are quiet, and does what else may wait: releases held slots of flows that are not held, and deletes
    /// payloads whose commit never came. Returns how many fewer rows there are.
    ///
    /// # Errors
    /// When a service fails; the next sweep goes on.
    pub async fn fold_counts(&self, now: Timestamp) -> Result<usize, AppError> {
        let folded = self.table.fold_counts(before(now, QUIET)).await?;
        tracing::info!(outcome = "folded", folded, "count rows were folded");
        self.release_forgotten(now).await?;
        let deleted = self.table.delete_unnamed_payloads(before(now, UNNAMED)).await?;
        if deleted > 0 {
            tracing::warn!(outcome = "unnamed_payloads", deleted, "payloads were deleted whose commit never came");
        }
        Ok(folded)
    }

    /// Dispatches what is held of flows that are held no more: the request that activated them may have died, or a release
    /// runs now that understands their configuration.
    async fn release_forgotten(&self, now: Timestamp) -> Result<(), AppError> {
        let held = self.table.held_slots(None).await?;
        let names: BTreeSet<&FlowName> = held.iter().map(|slot| &slot.flow).collect();
        let flows: HashMap<FlowName, Flow> = self.table.flows(names).await?;
        for slot in held.iter().filter(|slot| flows.get(&slot.flow).is_none_or(|flow| !flow.is_held())) {
            self.table.unhold_slot(slot).await?;
            self.dispatch_of(flows.get(&slot.flow), slot, now).await?;
        }
        Ok(())
    }

    /// Dispatches what was held of a flow that is active again, and lets its job go on.
    ///
    /// # Errors
    /// When a service fails; the sweeps do it then.
    pub async fn release(&self, flow: &FlowName, now: Timestamp) -> Result<usize, AppError> {
        let mut dispatched = 0;
        for slot in self.table.held_slots(Some(flow)).await? {
            self.table.unhold_slot(&slot).await?;
            dispatched += self.dispatch(&slot, now).await?;
        }
        // Those that fell due a moment ago and that no sweep has moved yet.
        for registered in self.table.slots_due_before(now).await? {
            if registered.slot.flow == *flow {
                dispatched += self.dispatch(&registered.slot, now).await?;
            }
        }
        if let Some(job) = self.table.active_job(flow).await? {
            self.looker.resume(&job).await?;
        }
        Ok(dispatched)
    }
}

/// Whether a job waits for outcomes, and has nothing else to do.
fn is_waiting(record: &JobRecord) -> bool {
    record.job.status == JobStatus::Canary && record.done >= record.chunks
}

fn before(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.checked_sub(by).unwrap_or(Timestamp::MIN)
}

fn after(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.checked_add(by).unwrap_or(Timestamp::MAX)
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
