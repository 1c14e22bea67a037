//! The services behind the endpoint, shared by the handle, the listener and the clock's advance.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::dynamodb::DynamoDb;
use crate::faults::Faults;
use crate::invoke::{Invoke, InvokerSlot};
use crate::meter::Meter;
use crate::scheduler::Scheduler;
use crate::sqs::Sqs;

/// The services of a running endpoint. They stay until the handle and the listener's task are dropped.
pub(crate) struct Services {
    pub(crate) address: SocketAddr,
    pub(crate) clock: Clock,
    pub(crate) sqs: Sqs,
    pub(crate) scheduler: Scheduler,
    pub(crate) dynamodb: DynamoDb,
    pub(crate) meter: Meter,
    pub(crate) faults: Faults,
    pub(crate) dynamodb_route: DynamoDbRoute,
    pub(crate) invoker: InvokerSlot,
    /// Held during an advance of the clock.
    pub(crate) advancing: tokio::sync::Mutex<()>,
    /// Becomes true when the endpoint stops.
    pub(crate) stop: watch::Sender<bool>,
    pub(crate) tasks: Mutex<Vec<JoinHandle<()>>>,
    /// The directory of the clock file, if there is no data directory.
    pub(crate) _scratch: Option<TempDir>,
}

/// The address of DynamoDB that functions get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DynamoDbRoute {
    /// The shared address, which has the meter and the faults.
    SharedAddress,
    /// The address of DynamoDB's own server.
    OwnAddress,
}

impl Services {
    /// The runner of functions, if one is set.
    pub(crate) fn invoker(&self) -> Option<Arc<dyn Invoke>> {
        self.invoker.get()
    }

    /// Waits until all functions and event sources are idle.
    pub(crate) async fn settle(&self) {
        if let Some(invoker) = self.invoker.get() {
            invoker.settle().await;
        }
    }
}
