//! A batch in the making: messages with the text they take in the event, within Lambda's payload limit.

use std::collections::BTreeSet;

use axum::body::Bytes;
use local_aws::Message;

use super::event;
use crate::lambda::PAYLOAD_LIMIT;

/// What the event has around its records.
const FRAME: usize = r#"{"Records":[]}"#.len();

/// A message, and what it is in the event.
pub(super) struct Entry {
    id: String,
    receipt: String,
    record: String,
}

impl Entry {
    pub(super) fn new(message: &Message, queue_arn: &str) -> Self {
        let record = event::record(message, queue_arn).to_string();
        Self { id: message.id.clone(), receipt: message.receipt.clone(), record }
    }
}

/// Messages that go to the function together.
pub(super) struct Batch {
    entries: Vec<Entry>,
    bytes: usize,
}

impl Batch {
    pub(super) fn new() -> Self {
        Self { entries: Vec::new(), bytes: FRAME }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Takes the message in, or gives it back when the event would become too large. The first always fits: no event
    /// would ever hold it otherwise.
    pub(super) fn add(&mut self, entry: Entry) -> Result<(), Entry> {
        let grown = self.bytes + entry.record.len() + 1;
        if grown > PAYLOAD_LIMIT && !self.is_empty() {
            return Err(entry);
        }
        self.bytes = grown;
        self.entries.push(entry);
        Ok(())
    }

    pub(super) fn event(&self) -> Bytes {
        let records: Vec<_> = self.entries.iter().map(|entry| entry.record.as_str()).collect();
        format!(r#"{{"Records":[{}]}}"#, records.join(",")).into()
    }

    pub(super) fn ids(&self) -> BTreeSet<&str> {
        self.entries.iter().map(|entry| entry.id.as_str()).collect()
    }

    /// The receipts of all messages but those of `failed`.
    pub(super) fn receipts_without(&self, failed: &BTreeSet<String>) -> Vec<&str> {
        let done = self.entries.iter().filter(|entry| !failed.contains(&entry.id));
        done.map(|entry| entry.receipt.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: &str, bytes: usize) -> Entry {
        Entry { id: id.into(), receipt: format!("receipt of {id}"), record: format!("\"{}\"", "x".repeat(bytes - 2)) }
    }

    #[test]
    fn a_batch_never_outgrows_an_event() {
        let mut batch = Batch::new();
        let third = PAYLOAD_LIMIT / 3 - 100;
        for id in ["a", "b", "c"] {
            assert!(batch.add(entry(id, third)).is_ok());
        }
        assert!(batch.add(entry("d", 1000)).is_err());
        assert!(batch.add(entry("e", 50)).is_ok());
        assert!(batch.event().len() <= PAYLOAD_LIMIT);
        assert!(serde_json::from_slice::<serde_json::Value>(&batch.event()).is_ok());
    }

    #[test]
    fn the_first_message_always_fits() {
        assert!(Batch::new().add(entry("a", PAYLOAD_LIMIT * 2)).is_ok());
    }

    #[test]
    fn what_failed_keeps_its_receipt() {
        let mut batch = Batch::new();
        for id in ["a", "b", "c"] {
            assert!(batch.add(entry(id, 10)).is_ok());
        }
        assert_eq!(batch.receipts_without(&BTreeSet::from(["b".into()])), ["receipt of a", "receipt of c"]);
    }
}
