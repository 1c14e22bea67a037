//! Where messages of the jobs queue end that are not Reprise's own work: kept for an operator, never done.

use aws_cause::cause;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::MessageAttributeValue;

use crate::QueueError;

const OPERATION: &str = "SendMessage";

/// The queue of refused work, which nothing consumes.
#[derive(Debug, Clone)]
pub struct RefusedWork {
    client: Client,
    url: String,
}

impl RefusedWork {
    /// Uses the queue at `url`.
    #[must_use]
    pub fn new(client: Client, url: impl Into<String>) -> Self {
        Self { client, url: url.into() }
    }

    /// Keeps the body of the message `id` with the reason, as the attributes `messageId` and `reason`.
    ///
    /// # Errors
    /// When SQS does not take it.
    pub async fn keep(&self, id: &str, body: &str, reason: &str) -> Result<(), QueueError> {
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
