//! What Reprise puts on SQS: interchanges on the pipelines' stage queues, and its own work on the jobs queue.

mod batch;
mod own_queues;
mod redelivery;
mod refused_work;
mod stage;
mod work;
mod work_key;

pub use own_queues::OwnQueues;
pub use redelivery::{Received, Redelivery};
pub use refused_work::RefusedWork;
pub use stage::{Delivery, StageMessage, StageQueues};
pub use work::{MAC, WorkItem, WorkQueue};
pub use work_key::WorkKey;

/// A call to SQS that did not succeed, after the SDK's own retries.
#[derive(Debug, thiserror::Error)]
#[error("{operation} to {queue_url} failed: {cause}")]
pub struct QueueError {
    /// The SQS operation.
    pub operation: &'static str,
    /// The queue.
    pub queue_url: String,
    /// The whole chain as SQS and the SDK tell it.
    pub cause: String,
}
