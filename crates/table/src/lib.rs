//! The one DynamoDB table: interchanges with their logs and payloads, flows, counts, slots and jobs.
//!
//! Keys and expressions stand in `keys.rs` alone. Nothing here decides what may happen to an interchange; it
//! stores what the domain decided, on the condition that nobody else was faster.

mod codec;
mod commit;
mod counts;
mod deltas;
mod erase;
mod error;
mod event_codec;
mod failure_histogram;
mod flows;
mod fold;
mod heads;
mod idempotency;
mod inline;
mod item;
mod job_register;
mod job_steps;
mod jobs;
mod keys;
mod leases;
mod list;
mod log;
mod members;
mod newest;
mod packs;
mod payloads;
mod recorded;
mod retention;
mod settings;
mod slots;
mod statements;
mod storage_codec;
mod transact;
mod unknown;
mod uploads;
mod work;

use aws_sdk_dynamodb::Client;

pub use commit::Committed;
pub use counts::{FlowCounts, GroupCount};
pub use error::TableError;
pub use flows::{FlowPut, SourceOwner};
pub use heads::Heads;
pub use idempotency::RequestBegun;
pub use job_register::RegisteredJob;
pub use job_steps::{Chunk, WalkStep};
pub use jobs::{JobCreated, JobRecord, NewJob, UnreadableJob};
pub use leases::{LEASE, Lease, Leased, Left, Progress, Unit};
pub use list::{Order, Page, Position, Row, UnreadableRow};
pub use packs::{LeasedPacks, Member};
pub use payloads::StoredBody;
pub use recorded::RecordedSends;
pub use settings::StoredWorkKey;
pub use slots::{Enrolled, Pack, Registered};
pub use uploads::Upload;
pub use work::Work;

/// The table behind one SDK client. A function makes one when it starts and keeps it.
#[derive(Debug, Clone)]
pub struct Table {
    client: Client,
    name: String,
    /// Names this execution environment's own count rows.
    writer: String,
    retention: jiff::SignedDuration,
}

impl Table {
    /// Uses the table `name`; resolved interchanges are kept for `retention`.
    #[must_use]
    pub fn new(client: Client, name: impl Into<String>, retention: jiff::SignedDuration) -> Self {
        let writer = uuid::Uuid::new_v4().simple().to_string()[..12].to_owned();
        Self { client, name: name.into(), writer, retention }
    }
}
