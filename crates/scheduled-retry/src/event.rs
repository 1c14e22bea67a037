//! The events that Scheduler sends: `{"slot": {"flow", "minute"}}` or `{"sweep": "slots" | "jobs" | "counts"}`.

use anyhow::Context as _;
use domain::{FlowName, Minute, Slot};
use serde::Deserialize;

/// The event of one invocation.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Event {
    /// Dispatch this slot, which is due.
    Slot(DueSlot),
    /// Run this sweep.
    Sweep(Sweep),
}

/// The sweeps. Each has its own schedule.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Sweep {
    /// Dispatches overdue slots.
    Slots,
    /// Continues jobs that have no worker.
    Jobs,
    /// Folds count rows together.
    Counts,
}

/// The slot in the input of its schedule.
#[derive(Debug, Deserialize)]
pub(crate) struct DueSlot {
    flow: String,
    minute: String,
}

impl DueSlot {
    /// # Errors
    /// If `flow` is not a flow name or `minute` is not a time. The error names the field.
    pub(crate) fn parse(&self) -> anyhow::Result<Slot> {
        let flow = FlowName::new(self.flow.as_str()).with_context(|| format!("slot.flow is `{}`", self.flow))?;
        let minute = self.minute.parse().with_context(|| format!("slot.minute is `{}`", self.minute))?;
        Ok(Slot { flow, minute: Minute::at_or_after(minute) })
    }
}
