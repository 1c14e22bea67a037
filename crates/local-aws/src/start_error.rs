//! The errors of starting the endpoint.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::clock::ClockError;

/// The reason why the endpoint did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be bound.
    #[error("cannot listen on {address}")]
    Listen {
        /// The requested address.
        address: SocketAddr,
        /// The error of the operating system.
        #[source]
        source: std::io::Error,
    },
    /// The data directory cannot be used.
    #[error("directory {path} cannot be used")]
    Directory {
        /// The directory.
        path: PathBuf,
        /// The error of the operating system.
        #[source]
        source: std::io::Error,
    },
    /// The database of SQS and the Scheduler cannot be opened.
    #[error("the database of queues and schedules cannot be opened")]
    Store(#[from] rusqlite::Error),
    /// A stored queue cannot be read.
    #[error("the stored queues cannot be read")]
    Queues(#[from] crate::sqs::SqsError),
    /// DynamoDB's database cannot be opened, or its server cannot be started.
    #[error("the DynamoDB database cannot be opened: {0}")]
    DynamoDb(String),
    /// The clock cannot be set.
    #[error("the clock cannot be started")]
    Clock(#[from] ClockError),
}
