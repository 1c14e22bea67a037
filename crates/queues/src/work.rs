//! Work items: Reprise's own messages on the jobs queue. Each may be delivered more than once and in any order.

use aws_cause::cause;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{MessageAttributeValue, SendMessageBatchRequestEntry};
use serde::{Deserialize, Serialize};

use crate::batch::MAX_BATCH_ENTRIES;
use crate::error::QueueError;
use crate::work_key::WorkKey;

/// Seconds for which SQS can delay a message.
const MAX_DELAY_SECONDS: i32 = 900;

/// The message attribute that holds the signature of the body.
pub const MAC_ATTRIBUTE: &str = "mac";

/// A unit of work for `run-job`. It names the work; the worker reads the current state from the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum WorkItem {
    /// Find the next members of a job: one step through its selection.
    #[serde(rename_all = "camelCase")]
    Walk {
        /// The job's id.
        job: String,
        /// The number of the step, from 0.
        step: u64,
        /// The number of the first chunk that this step makes.
        first_chunk: u64,
    },
    /// Handle one chunk of a job.
    #[serde(rename_all = "camelCase")]
    Chunk {
        /// The job's id.
        job: String,
        /// The number of the chunk in the job.
        chunk: u64,
        /// If true, the next work of the job is queued only when this chunk is done.
        #[serde(default)]
        in_order: bool,
    },
    /// Handle some batches of a due slot.
    #[serde(rename_all = "camelCase")]
    Slot {
        /// The name of the slot's flow.
        flow: String,
        /// The minute of the slot, RFC 3339.
        minute: String,
        /// The ids of the slot batches.
        batches: Vec<String>,
    },
    /// Handle a due slot member by member in order, because the flow keeps an order or limits the members of a run.
    #[serde(rename_all = "camelCase")]
    Ordered {
        /// The name of the slot's flow.
        flow: String,
        /// The minute of the slot, RFC 3339.
        minute: String,
    },
    /// Do what a job needs next: continue after its canary, end the job, or queue work again that has no worker.
    #[serde(rename_all = "camelCase")]
    Look {
        /// The job's id.
        job: String,
    },
    /// Queue the chunks of a job again that are not done and have no lease.
    #[serde(rename_all = "camelCase")]
    Reopen {
        /// The job's id.
        job: String,
        /// The number of the first chunk to check.
        from: u64,
    },
    /// Send one interchange that a request claimed, in case the function that handled the request died before it sent it.
    #[serde(rename_all = "camelCase")]
    Send {
        /// The interchange's id.
        interchange: String,
        /// The id of the request that claimed it.
        request: String,
    },
}

impl WorkItem {
    /// Parses the body of a message. `None` if it is not a work item.
    #[must_use]
    pub fn parse(body: &str) -> Option<Self> {
        serde_json::from_str(body).ok()
    }
}

/// Sends work items to the jobs queue.
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

    /// Sends work items, signed with `key`, each with its delay in seconds (at most 900). One call sends up to ten.
    ///
    /// # Errors
    /// If SQS does not accept all of them. Some may be on the queue then; sending them again is safe.
    pub async fn send_later(&self, key: &WorkKey, items: Vec<(WorkItem, u32)>) -> Result<(), QueueError> {
        for items in items.chunks(MAX_BATCH_ENTRIES) {
            let entries = items.iter().enumerate().map(|(i, (item, seconds))| {
                let body = serde_json::to_string(item).map_err(|e| self.failed(e.to_string()))?;
                let seconds = i32::try_from(*seconds).unwrap_or(MAX_DELAY_SECONDS).min(MAX_DELAY_SECONDS);
                let mac = MessageAttributeValue::builder().data_type("String").string_value(key.sign(&body)).build();
                let mac = mac.map_err(|e| self.failed(e.to_string()))?;
                let entry = SendMessageBatchRequestEntry::builder().id(i.to_string()).message_body(body);
                let entry = entry.message_attributes(MAC_ATTRIBUTE, mac).delay_seconds(seconds).build();
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
    fn a_chunk_of_an_older_release_without_in_order_is_parsed() {
        let old = r#"{"kind":"chunk","job":"j-1","chunk":7}"#;
        let chunk = WorkItem::Chunk { job: "j-1".to_owned(), chunk: 7, in_order: false };
        assert_eq!(WorkItem::parse(old), Some(chunk));
    }
}
