//! Reprise's own work: the messages on the jobs queue. Each may come more than once and in any order.

use aws_cause::cause;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{MessageAttributeValue, SendMessageBatchRequestEntry};
use serde::{Deserialize, Serialize};

use crate::{QueueError, WorkKey};

/// Most entries of one batch.
const MOST_ENTRIES: usize = 10;

/// Most seconds that SQS delays a message.
const MOST_DELAY: i32 = 900;

/// The message attribute that holds the signature.
pub const MAC: &str = "mac";

/// One piece of work for `run-job`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum WorkItem {
    /// Take a step of a job's walk.
    #[serde(rename_all = "camelCase")]
    Walk {
        /// The job.
        job: String,
        /// The step, from 0.
        step: u64,
        /// The number its first chunk gets.
        first_chunk: u64,
    },
    /// Handle one chunk of a job.
    #[serde(rename_all = "camelCase")]
    Chunk {
        /// The job.
        job: String,
        /// Its number.
        chunk: u64,
        /// What follows in the job is put on the queue when this chunk is done, not before.
        #[serde(default)]
        in_order: bool,
    },
    /// Handle some batches of a slot that is due.
    #[serde(rename_all = "camelCase")]
    Slot {
        /// The flow.
        flow: String,
        /// The minute, RFC 3339.
        minute: String,
        /// The batches.
        batches: Vec<String>,
    },
    /// Handle a due slot member by member in order: its flow keeps an order, or its runs take only so many.
    #[serde(rename_all = "camelCase")]
    Ordered {
        /// The flow.
        flow: String,
        /// The minute, RFC 3339.
        minute: String,
    },
    /// Look at a job and do what is due: go on after its canary, end it, put back what nobody works on.
    #[serde(rename_all = "camelCase")]
    Look {
        /// The job.
        job: String,
    },
    /// Put the chunks of a job back on the queue that are not done and that nobody holds.
    #[serde(rename_all = "camelCase")]
    Reopen {
        /// The job.
        job: String,
        /// The first chunk to look at.
        from: u64,
    },
    /// Send one interchange that a request has claimed, should the function that took the request have died.
    #[serde(rename_all = "camelCase")]
    Send {
        /// The interchange.
        interchange: String,
        /// The request.
        request: String,
    },
}

impl WorkItem {
    /// Reads the body of a message; `None` where it is no work.
    #[must_use]
    pub fn read(body: &str) -> Option<Self> {
        serde_json::from_str(body).ok()
    }
}

/// The jobs queue.
#[derive(Debug, Clone)]
pub struct WorkQueue {
    client: Client,
    url: String,
}

impl WorkQueue {
    /// Uses the queue at `url`.
    #[must_use]
    pub fn new(client: Client, url: impl Into<String>) -> Self {
        Self { client, url: url.into() }
    }

    /// Puts work on the queue, ten a call, signed with `key`, to be done so many seconds later, 900 at most.
    ///
    /// # Errors
    /// When SQS does not take all of it. Some may be on the queue then; putting it there again does no harm.
    pub async fn send_later(&self, key: &WorkKey, items: Vec<(WorkItem, u32)>) -> Result<(), QueueError> {
        for items in items.chunks(MOST_ENTRIES) {
            let entries = items.iter().enumerate().map(|(i, (item, seconds))| {
                let body = serde_json::to_string(item).map_err(|e| self.failed(e.to_string()))?;
                let seconds = i32::try_from(*seconds).unwrap_or(MOST_DELAY).min(MOST_DELAY);
                let mac = MessageAttributeValue::builder().data_type("String").string_value(key.sign(&body)).build();
                let mac = mac.map_err(|e| self.failed(e.to_string()))?;
                let entry = SendMessageBatchRequestEntry::builder().id(i.to_string()).message_body(body);
                let entry = entry.message_attributes(MAC, mac).delay_seconds(seconds).build();
                entry.map_err(|e| self.failed(e.to_string()))
            });
            let entries = entries.collect::<Result<Vec<_>, _>>()?;
            let call = self.client.send_message_batch().queue_url(&self.url).set_entries(Some(entries));
            let answer = call.send().await.map_err(|e| self.failed(cause(&e)))?;
            if let Some(failed) = answer.failed().first() {
                return Err(self.failed(failed.message().unwrap_or(failed.code()).to_owned()));
            }
        }
        Ok(())
    }

    fn failed(&self, cause: String) -> QueueError {
        QueueError { operation: "SendMessageBatch", queue_url: self.url.clone(), cause }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_that_was_queued_before_there_was_an_order_is_understood() {
        let old = r#"{"kind":"chunk","job":"j-1","chunk":7}"#;
        let chunk = WorkItem::Chunk { job: "j-1".to_owned(), chunk: 7, in_order: false };
        assert_eq!(WorkItem::read(old), Some(chunk));
    }
}
