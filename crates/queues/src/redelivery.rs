//! Makes failed messages visible again after a short delay that grows with each receive. Without this they would stay
//! hidden for the visibility timeout of their queue, which is six times the function's timeout.

use aws_cause::cause;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::ChangeMessageVisibilityBatchRequestEntry;
use futures::future::join_all;

use crate::batch::MAX_BATCH_ENTRIES;

/// Seconds before the second receive of a message. The delay doubles with each further receive.
const INITIAL_DELAY: u32 = 2;

/// Seconds of the longest delay.
const MAX_DELAY: u32 = 300;

/// A received message, as far as its next receive depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedMessage {
    /// The receipt handle of the latest receive.
    pub receipt_handle: String,
    /// How often the message was received, this time included (`ApproximateReceiveCount`).
    pub receive_count: u32,
}

/// Sets when messages that a function could not handle are received again.
#[derive(Debug, Clone)]
pub struct Redelivery {
    client: Client,
    url: String,
}

impl Redelivery {
    /// For messages of the queue at `url`.
    #[must_use]
    pub fn new(client: Client, url: impl Into<String>) -> Self {
        Self { client, url: url.into() }
    }

    /// Sets the visibility timeout of each message to the delay before its next receive. A failed call is only logged: the
    /// message then returns after the visibility timeout of its queue.
    pub async fn retry_soon(&self, messages: &[ReceivedMessage]) {
        join_all(messages.chunks(MAX_BATCH_ENTRIES).map(|messages| self.change_visibility(messages))).await;
    }

    async fn change_visibility(&self, messages: &[ReceivedMessage]) {
        let entries = messages.iter().enumerate().filter_map(|(i, message)| {
            let seconds = i32::try_from(delay_seconds(message.receive_count)).unwrap_or(i32::MAX);
            let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(i.to_string());
            entry.receipt_handle(&message.receipt_handle).visibility_timeout(seconds).build().ok()
        });
        let call = self.client.change_message_visibility_batch().queue_url(&self.url);
        match call.set_entries(Some(entries.collect())).send().await {
            Ok(answer) => {
                for failed in answer.failed() {
                    tracing::warn!(code = failed.code(), "a message returns after the visibility timeout of its queue");
                }
            }
            Err(error) => {
                let (count, cause) = (messages.len(), cause(&error));
                tracing::warn!(count, cause, "messages return after the visibility timeout of their queue");
            }
        }
    }
}

/// Seconds before the next receive of a message that was received `receive_count` times.
fn delay_seconds(receive_count: u32) -> u32 {
    let doublings = receive_count.saturating_sub(1).min(16);
    (INITIAL_DELAY << doublings).min(MAX_DELAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_from_two_seconds_to_five_minutes() {
        let delays: Vec<u32> = (0..10).map(delay_seconds).collect();
        assert_eq!(delays, [2, 2, 4, 8, 16, 32, 64, 128, 256, 300]);
        assert_eq!(delay_seconds(u32::MAX), 300);
    }
}
