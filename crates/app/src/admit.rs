//! What may be done of the jobs queue's messages: work that Reprise signed. A sender to that queue could
//! otherwise have any message of any flow sent or completed. Everything else goes to a queue of its own, where operators find
//! it, and nothing is done.

use std::sync::OnceLock;

use domain::Timestamp;
use jiff::SignedDuration;
use queues::{RefusedWorkQueue, WorkItem, WorkKey};
use table::Table;

use crate::work_sender::fresh_key;
use crate::{AppError, journal};

/// How long after the first look at the key unsigned work is still queued by functions of the release before.
const UPGRADE: SignedDuration = SignedDuration::from_mins(15);

/// A message of the jobs queue.
#[derive(Debug, Clone, Copy)]
pub struct WorkMessage<'a> {
    /// The id SQS gave it.
    pub id: &'a str,
    pub body: &'a str,
    /// Its signature.
    pub mac: Option<&'a str>,
    /// When it was put on the queue (`SentTimestamp`), which no sender can choose.
    pub queued_at: Timestamp,
}

/// Lets signed work through.
#[derive(Debug)]
pub struct Gate {
    table: Table,
    refused: RefusedWorkQueue,
    /// The key, and the time from which on work must be signed.
    key: OnceLock<(WorkKey, Timestamp)>,
}

impl Gate {
    /// Checks by the key at `table`; what is not let through goes to `refused`.
    #[must_use]
    pub fn new(table: Table, refused: RefusedWorkQueue) -> Self {
        Self { table, refused, key: OnceLock::new() }
    }

    /// The work that a message asks for. `None` where it is not signed, or is no work: it is set aside then, and its message
    /// can be acknowledged.
    ///
    /// # Errors
    /// When a service fails: the message is to come again.
    pub async fn admit(&self, message: &WorkMessage<'_>, now: Timestamp) -> Result<Option<WorkItem>, AppError> {
        let (key, signed_from) = match self.key.get() {
            Some(known) => known,
            None => {
                let signed_from = now.checked_add(UPGRADE).unwrap_or(Timestamp::MAX);
                let stored = self.table.work_key(fresh_key(), Some(signed_from)).await?;
                let signed_from = stored.signed_from.unwrap_or(signed_from);
                self.key.get_or_init(|| (WorkKey::new(stored.key), signed_from))
            }
        };
        let why = match message.mac {
            Some(mac) if !key.verify(message.body, mac) => "its signature is wrong",
            // The release before did not sign.
            None if message.queued_at >= *signed_from => "it is not signed",
            Some(_) | None => match WorkItem::parse(message.body) {
                Some(item) => return Ok(Some(item)),
                None => "it is no work item",
            },
        };
        self.refused.send(message.id, message.body, why).await?;
        journal::refused_work(message, why);
        Ok(None)
    }
}
