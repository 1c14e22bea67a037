//! Moves what is scheduled: held while the flow is inactive, postponed to a later run, rescheduled.

use jiff::Timestamp;

use crate::event::{Actor, EventKind};
use crate::{Cause, Change, Flow, Interchange, Minute, Refusal, Schedule, Slot, Window};

impl Interchange {
    /// Holds a retry that fell due while its flow is held: it keeps its slot and has no time until the flow is held no
    /// more. `None` when it is held already or this slot is not its own.
    #[must_use]
    pub fn hold(self, slot: &Slot, flow: &Flow, now: Timestamp) -> Option<Change> {
        if !self.status.is_failed() || self.due != Some(slot.minute) || self.next_retry_at.is_none() {
            return None;
        }
        let mut change = Change::of(self);
        change.after.next_retry_at = None;
        let until = if flow.active {
            "held until the flow's configuration is understood"
        } else {
            "held until the flow is active"
        };
        change.after.retry_note = Some(until.to_owned());
        change.log(now, Actor::Scheduler, EventKind::RetryHeld);
        Some(change)
    }

    /// Puts a retry off to a later run, because the run it was planned for is full. `None` when this slot is not its own.
    #[must_use]
    pub fn postpone(self, slot: &Slot, to: Minute, batch: u32, now: Timestamp) -> Option<Change> {
        if !self.status.is_failed() || self.due != Some(slot.minute) {
            return None;
        }
        let mut change = Change::of(self);
        let why = format!("the run of {} takes {batch}, oldest first", slot.minute);
        change.after.due = Some(to);
        change.after.next_retry_at = Some(to);
        change.after.retry_note = Some(why.clone());
        change.log(now, Actor::Scheduler, EventKind::RetryScheduled { next_retry_at: to, why });
        Some(change)
    }

    /// Reschedules the next retry by the flow's current policy.
    ///
    /// # Errors
    /// `NotFailed`.
    pub fn replan(self, cause: &Cause, flow: &Flow, now: Timestamp) -> Result<Change, Refusal> {
        if !self.status.is_failed() {
            return Err(Refusal::NotFailed { status: self.status });
        }
        let mut change = Change::of(self);
        change.after.leave_schedule();
        change.after.exhausted = false;
        change.after.job.clone_from(&cause.job);
        change.after.sent_by_job = false;
        change.plan(flow, None, now);
        Ok(change)
    }
}

/// How a run of a window that takes only so many is filled, and the runs after it: members come in order, the oldest
/// failure first, and each is told which run takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFill {
    /// The run that takes the next one.
    pub run: Minute,
    /// How many more it takes.
    pub room: u32,
}

impl RunFill {
    /// A run that is empty so far.
    #[must_use]
    pub fn of(run: Minute, batch: u32) -> Self {
        Self { run, room: batch }
    }

    /// The first run after this one that is not past at `now`.
    #[must_use]
    pub fn next(&self, window: &Window, activated_at: Timestamp, now: Timestamp) -> Minute {
        window.run_after(self.run.max(Minute::at_or_before(now)), activated_at)
    }
}

impl Window {
    /// The first run after `run`.
    #[must_use]
    pub fn run_after(&self, run: Minute, activated_at: Timestamp) -> Minute {
        let later = run.timestamp().checked_add(jiff::SignedDuration::from_secs(1)).unwrap_or(Timestamp::MAX);
        Minute::at_or_after(self.run_from(later, activated_at))
    }
}

impl Flow {
    /// The window by which a partner's interchanges are retried, where a run takes only so many.
    #[must_use]
    pub fn batched_window(&self, partner: Option<&str>) -> Option<&Window> {
        match &self.retry_for(partner).schedule {
            Schedule::Window(window) if window.batch.is_some() => Some(window),
            _ => None,
        }
    }

    /// The partner whose own policy counts for `partner`; `None` where the flow's does.
    #[must_use]
    pub fn policy_of<'a>(&self, partner: Option<&'a str>) -> Option<&'a str> {
        partner.filter(|partner| self.partners.contains_key(*partner))
    }

    /// Whether any of its runs takes only so many.
    #[must_use]
    pub fn has_batched_window(&self) -> bool {
        self.batched_window(None).is_some() || self.partners.keys().any(|p| self.batched_window(Some(p)).is_some())
    }
}
