//! Messages that could not be handled come again soon: they are made visible after a pause that grows with each
//! delivery, and do not wait for the visibility timeout, which is six times the function's.

use aws_cause::cause;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::ChangeMessageVisibilityBatchRequestEntry;
use futures::future::join_all;

/// Most entries of one batch.
const MAX_ENTRIES: usize = 10;

/// Seconds of the first pause; each one doubles.
const FIRST_PAUSE: u32 = 2;

/// Most seconds of a pause.
const MAX_PAUSE: u32 = 300;

/// A message as its queue delivered it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Its receipt handle.
    pub receipt: String,
    /// How often it was delivered, this time included.
    pub deliveries: u32,
}

/// The queue that a function's messages come from.
#[derive(Debug, Clone)]
pub struct Redelivery {
    client: Client,
    url: String,
}

impl Redelivery {
    /// Of the queue at `url`.
    #[must_use]
    pub fn new(client: Client, url: impl Into<String>) -> Self {
        Self { client, url: url.into() }
    }

    /// Makes messages visible again after their pauses. Where SQS does not answer, their visibility timeout brings them
    /// back.
    pub async fn soon(&self, messages: &[Received]) {
        join_all(messages.chunks(MAX_ENTRIES).map(|messages| self.change(messages))).await;
    }

    async fn change(&self, messages: &[Received]) {
        let entries = messages.iter().enumerate().filter_map(|(i, message)| {
            let seconds = i32::try_from(pause(message.deliveries)).unwrap_or(i32::MAX);
            let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(i.to_string());
            entry.receipt_handle(&message.receipt).visibility_timeout(seconds).build().ok()
        });
        let call = self.client.change_message_visibility_batch().queue_url(&self.url);
        match call.set_entries(Some(entries.collect())).send().await {
            Ok(answer) => {
                for failed in answer.failed() {
                    tracing::warn!(code = failed.code(), "a message comes again after its visibility timeout");
                }
            }
            Err(error) => {
                let (count, cause) = (messages.len(), cause(&error));
                tracing::warn!(count, cause, "messages come again after their visibility timeout");
            }
        }
    }
}

/// Seconds until a message comes again that was delivered `deliveries` times.
fn pause(deliveries: u32) -> u32 {
    let doublings = deliveries.saturating_sub(1).min(16);
    (FIRST_PAUSE << doublings).min(MAX_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_from_two_seconds_to_five_minutes() {
        let pauses: Vec<u32> = (0..10).map(pause).collect();
        assert_eq!(pauses, [2, 2, 4, 8, 16, 32, 64, 128, 256, 300]);
        assert_eq!(pause(u32::MAX), 300);
    }
}
