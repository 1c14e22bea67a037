//! Units of work: each has one worker at a time, and a record of its send that silence is judged by.

use std::fmt;

use crate::{FlowName, JobId, Minute, Slot};

/// Names the unit of work that took an interchange. The same unit finds its own claim after a crash, and the deadline
/// finds the record of its send.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Claim {
    /// One chunk of a job.
    Chunk {
        job: JobId,
        /// The chunk's number.
        number: u64,
    },
    /// One batch of a slot whose batches run side by side.
    Batch { slot: Slot, batch: String },
    /// The run of a slot whose members are handled in order.
    Run {
        slot: Slot,
        /// Counts the runs of the slot from 1.
        generation: u64,
    },
    /// A request to act on one interchange.
    Request(String),
    /// Work of an earlier release, which kept no record of its send.
    Earlier(String),
}

const JOB: &str = "job:";
const BATCH: &str = "slot:";
const RUN: &str = "run:";
const REQUEST: &str = "request:";

impl Claim {
    /// Reads the text that [`fmt::Display`] writes; any other text is a claim of an earlier release.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        Self::known(text).unwrap_or_else(|| Self::Earlier(text.to_owned()))
    }

    fn known(text: &str) -> Option<Self> {
        if let Some(rest) = text.strip_prefix(JOB) {
            let (job, number) = rest.rsplit_once(':')?;
            return Some(Self::Chunk { job: JobId(job.to_owned()), number: number.parse().ok()? });
        }
        if let Some(rest) = text.strip_prefix(BATCH) {
            let (slot, batch) = slot_and(rest)?;
            return Some(Self::Batch { slot, batch: batch.to_owned() });
        }
        if let Some(rest) = text.strip_prefix(RUN) {
            let (slot, generation) = slot_and(rest)?;
            return Some(Self::Run { slot, generation: generation.parse().ok()? });
        }
        text.strip_prefix(REQUEST).map(|id| Self::Request(id.to_owned()))
    }
}

/// `flow:minute:rest`; the minute has colons of its own.
fn slot_and(text: &str) -> Option<(Slot, &str)> {
    let (flow, rest) = text.split_once(':')?;
    let (minute, rest) = rest.rsplit_once(':')?;
    Some((Slot { minute: Minute::at_or_after(minute.parse().ok()?), flow: FlowName::new(flow).ok()? }, rest))
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chunk { job, number } => write!(f, "{JOB}{}:{number}", job.0),
            Self::Batch { slot, batch } => write!(f, "{BATCH}{}:{}:{batch}", slot.flow, slot.minute),
            Self::Run { slot, generation } => write!(f, "{RUN}{}:{}:{generation}", slot.flow, slot.minute),
            Self::Request(id) => write!(f, "{REQUEST}{id}"),
            Self::Earlier(text) => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_claim_reads_back_as_it_was_written() {
        let slot = Slot {
            minute: Minute::at_or_after("2026-11-20T14:05:00Z".parse().unwrap()),
            flow: FlowName::new("orders-inbound.v2").unwrap(),
        };
        for claim in [
            Claim::Chunk { job: JobId("019aa".to_owned()), number: 12 },
            Claim::Batch { slot: slot.clone(), batch: "019ab-7".to_owned() },
            Claim::Run { slot, generation: 3 },
            Claim::Request("4711".to_owned()),
            Claim::Earlier("job".to_owned()),
        ] {
            assert_eq!(Claim::from_text(&claim.to_string()), claim);
        }
    }

    #[test]
    fn a_claim_of_an_earlier_release_is_kept_as_its_text() {
        for text in ["job:019aa", "slot:orders:noon:1", "line"] {
            assert_eq!(Claim::from_text(text), Claim::Earlier(text.to_owned()), "{text}");
        }
    }
}
