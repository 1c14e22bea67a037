//! What Scheduler sends: `{"slot": {"flow", "minute"}}` or `{"sweep": true}`.

use anyhow::Context as _;
use domain::{FlowName, Minute, Slot};
use serde::Deserialize;

/// Why the function is invoked: one of the two.
#[derive(Debug, Deserialize)]
pub(crate) struct Event {
    /// A slot is due.
    pub(crate) slot: Option<SlotDue>,
    /// It is time to look for overdue slots.
    #[serde(default)]
    pub(crate) sweep: bool,
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
