//! Sends messages to SQS: interchanges to the stage queues of pipelines, and Reprise's own work items to the jobs queue.

mod batch;
mod own_queues;
mod redelivery;
mod refused_work;
mod stage;
mod work;
mod work_key;

pub use own_queues::OwnQueues;
pub use redelivery::{ReceivedMessage, Redelivery};
pub use refused_work::RefusedWorkQueue;
pub use stage::{Delivery, StageMessage, StageQueues};
pub use work::{MAC_ATTRIBUTE, WorkItem, WorkQueue};
pub use work_key::WorkKey;

/// An SQS call that failed after the SDK's own retries.
#[derive(Debug, thiserror::Error)]
#[error("{operation} to {queue_url} failed: {cause}")]
pub struct QueueError {
    /// The SQS operation, for example `SendMessageBatch`.
    pub operation: &'static str,
    /// The queue that the call was for.
    pub queue_url: String,
    /// The error chain of SQS and the SDK, without data of the request.
    pub cause: String,
}
