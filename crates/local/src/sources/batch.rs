//! Collects messages into a batch whose event is within Lambda's payload limit.

use std::collections::BTreeSet;

use axum::body::Bytes;
use local_aws::Message;

use super::event;
use crate::lambda::MAX_PAYLOAD_BYTES;

/// Bytes of an event without records.
const EMPTY_EVENT_BYTES: usize = r#"{"Records":[]}"#.len();

/// A received message and its JSON record in the event.
pub(super) struct BatchMessage {
    id: String,
    receipt_handle: String,
    record: String,
}

impl BatchMessage {
    pub(super) fn new(message: &Message, queue_arn: &str) -> Self {
        let record = event::record(message, queue_arn).to_string();
        Self { id: message.id.clone(), receipt_handle: message.receipt.clone(), record }
    }
}

/// The messages of one invocation.
pub(super) struct Batch {
    messages: Vec<BatchMessage>,
    /// Bytes of the event.
    bytes: usize,
}

impl Batch {
    pub(super) fn new() -> Self {
        Self { messages: Vec::new(), bytes: EMPTY_EVENT_BYTES }
    }

    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Adds the message, or returns it as `Err` if the event would become too large. The first message is always added,
    /// because no other batch could hold it either.
    pub(super) fn add(&mut self, message: BatchMessage) -> Result<(), BatchMessage> {
        let bytes = self.bytes + message.record.len() + 1;
        if bytes > MAX_PAYLOAD_BYTES && !self.is_empty() {
            return Err(message);
        }
        self.bytes = bytes;
        self.messages.push(message);
        Ok(())
    }

    pub(super) fn event(&self) -> Bytes {
        let records: Vec<_> = self.messages.iter().map(|message| message.record.as_str()).collect();
        format!(r#"{{"Records":[{}]}}"#, records.join(",")).into()
    }

    pub(super) fn ids(&self) -> BTreeSet<&str> {
        self.messages.iter().map(|message| message.id.as_str()).collect()
    }

    /// The receipt handles of all messages whose id is not in `failed`.
    pub(super) fn receipt_handles_except(&self, failed: &BTreeSet<String>) -> Vec<&str> {
        let done = self.messages.iter().filter(|message| !failed.contains(&message.id));
        done.map(|message| message.receipt_handle.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: &str, bytes: usize) -> BatchMessage {
        let record = format!("\"{}\"", "x".repeat(bytes - 2));
        BatchMessage { id: id.into(), receipt_handle: format!("receipt handle of {id}"), record }
    }

    #[test]
    fn a_batch_is_never_larger_than_the_payload_limit() {
        let mut batch = Batch::new();
        let third = MAX_PAYLOAD_BYTES / 3 - 100;
        for id in ["a", "b", "c"] {
            assert!(batch.add(message(id, third)).is_ok());
        }
        assert!(batch.add(message("d", 1000)).is_err());
        assert!(batch.add(message("e", 50)).is_ok());
        assert!(batch.event().len() <= MAX_PAYLOAD_BYTES);
        assert!(serde_json::from_slice::<serde_json::Value>(&batch.event()).is_ok());
    }

    #[test]
    fn the_first_message_always_fits() {
        assert!(Batch::new().add(message("a", MAX_PAYLOAD_BYTES * 2)).is_ok());
    }

    #[test]
    fn the_receipt_handles_of_failed_messages_are_left_out() {
        let mut batch = Batch::new();
        for id in ["a", "b", "c"] {
            assert!(batch.add(message(id, 10)).is_ok());
        }
        assert_eq!(
            batch.receipt_handles_except(&BTreeSet::from(["b".into()])),
            ["receipt handle of a", "receipt handle of c"]
        );
    }
}
