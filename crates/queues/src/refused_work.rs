//! Stores messages of the jobs queue that Reprise did not sign, so that an operator can look at them. They are never run.

use aws_cause::cause;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::MessageAttributeValue;

use crate::error::QueueError;

const OPERATION: &str = "SendMessage";

/// The queue of refused work. No function consumes it.
#[derive(Debug, Clone)]
pub struct RefusedWorkQueue {
    client: Client,
    url: String,
}

impl RefusedWorkQueue {
    /// Uses the queue at `url`.
    #[must_use]
    pub fn new(client: Client, url: impl Into<String>) -> Self {
        Self { client, url: url.into() }
    }

    /// Sends `body` to the queue, with the id of the refused message and the reason as the attributes `messageId` and
    /// `reason`.
    ///
    /// # Errors
    /// If the `SendMessage` call fails.
    pub async fn send(&self, id: &str, body: &str, reason: &str) -> Result<(), QueueError> {
        let mut call = self.client.send_message().queue_url(&self.url).message_body(body);
        for (name, text) in [("messageId", id), ("reason", reason)] {
            if !text.is_empty() {
                let value = MessageAttributeValue::builder().data_type("String").string_value(text).build();
                call = call.message_attributes(name, value.map_err(|e| self.failed(e.to_string()))?);
            }
        }
        call.send().await.map_err(|e| self.failed(cause(&e))).map(drop)
    }

    fn failed(&self, cause: String) -> QueueError {
        QueueError { operation: OPERATION, queue_url: self.url.clone(), cause }
    }
}
