//! Sends messages to SQS: interchanges to the stage queues of pipelines, and Reprise's own work items to the jobs queue.

mod batch;
mod error;
mod own_queues;
mod redelivery;
mod refused_work;
mod stage;
mod work;
mod work_key;

pub use error::QueueError;
pub use own_queues::OwnQueues;
pub use redelivery::{ReceivedMessage, Redelivery};
pub use refused_work::RefusedWorkQueue;
pub use stage::{Delivery, StageMessage, StageQueues};
pub use work::{MAC_ATTRIBUTE, WorkItem, WorkQueue};
pub use work_key::WorkKey;
