//! What Scheduler sends: `{"slot": {"flow", "minute"}}` or `{"sweep": "slots" | "jobs" | "counts"}`.

use anyhow::Context as _;
use domain::{FlowName, Minute, Slot};
use serde::Deserialize;

/// Why the function is invoked.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Event {
    /// A slot is due.
    Slot(SlotDue),
    /// It is time for a sweep.
    Sweep(Sweep),
}

/// What is swept: each has a schedule of its own.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Sweep {
    /// Slots that are overdue.
    Slots,
    /// Jobs that nobody looks at.
    Jobs,
    /// Count rows that can be folded.
    Counts,
}

/// A slot as its schedule names it.
#[derive(Debug, Deserialize)]
pub(crate) struct SlotDue {
    flow: String,
    minute: String,
}

impl SlotDue {
    /// # Errors
    /// Names the field that is no flow or no time.
    pub(crate) fn read(&self) -> anyhow::Result<Slot> {
        let flow = FlowName::new(self.flow.as_str()).with_context(|| format!("slot.flow is `{}`", self.flow))?;
        let minute = self.minute.parse().with_context(|| format!("slot.minute is `{}`", self.minute))?;
        Ok(Slot { flow, minute: Minute::at_or_after(minute) })
    }
}
