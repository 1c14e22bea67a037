//! A received message, and the row that it is read from.

use std::collections::BTreeMap;

use rusqlite::Row;

use super::attribute::{Attribute, MessageAttributes};
use super::error::SqsError;
use super::queue::Queue;
use super::receipt::Receipt;
use super::{digest, fifo};
use crate::names;

/// The columns that `Candidate::of` reads.
pub(super) const COLUMNS: &str = "m.number, m.id, m.body, m.body_md5, m.attributes, m.trace, m.group_id, m.dedup_id, \
                                  m.source_arn, m.sent_at, m.first_received_at, m.receives, m.sender";

/// A received message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The message id that the send returned.
    pub id: String,
    /// The receipt handle, for deleting the message or changing its visibility timeout. The next receive makes it stale.
    pub receipt: String,
    /// The body, byte for byte.
    pub body: String,
    /// MD5 of the body, in hex.
    pub body_md5: String,
    /// System attributes by AWS's names: `ApproximateReceiveCount`, `SentTimestamp`, `DeadLetterQueueSourceArn`, …
    pub system: BTreeMap<String, String>,
    /// The message attributes of the sender.
    pub attributes: BTreeMap<String, Attribute>,
    /// MD5 of `attributes`, in hex. `None` without attributes.
    pub attributes_md5: Option<String>,
}

/// A row of a receivable message.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) number: i64,
    id: String,
    body: String,
    body_md5: String,
    attributes: Option<String>,
    trace: Option<String>,
    group: Option<String>,
    deduplication: Option<String>,
    source_arn: Option<String>,
    sender: Option<String>,
    pub(super) sent_at: i64,
    first_received_at: Option<i64>,
    pub(super) receives: i64,
}

impl Candidate {
    pub(super) fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            number: row.get(0)?,
            id: row.get(1)?,
            body: row.get(2)?,
            body_md5: row.get(3)?,
            attributes: row.get(4)?,
            trace: row.get(5)?,
            group: row.get(6)?,
            deduplication: row.get(7)?,
            source_arn: row.get(8)?,
            sent_at: row.get(9)?,
            first_received_at: row.get(10)?,
            receives: row.get(11)?,
            sender: row.get(12)?,
        })
    }

    /// The message as received at `now`, with its receive count increased by one.
    pub(super) fn received(self, queue: &Queue, now: i64) -> Result<Message, SqsError> {
        let attributes: MessageAttributes = match &self.attributes {
            Some(json) => serde_json::from_str(json).map_err(SqsError::Stored)?,
            None => BTreeMap::new(),
        };
        let receive = self.receives + 1;
        let mut system = BTreeMap::from([
            ("SenderId".to_owned(), self.sender.unwrap_or_else(|| names::ACCOUNT.to_owned())),
            ("SentTimestamp".to_owned(), self.sent_at.to_string()),
            ("ApproximateReceiveCount".to_owned(), receive.to_string()),
            ("ApproximateFirstReceiveTimestamp".to_owned(), self.first_received_at.unwrap_or(now).to_string()),
        ]);
        let optional = [
            ("AWSTraceHeader", self.trace),
            ("MessageGroupId", self.group),
            ("MessageDeduplicationId", self.deduplication),
            ("SequenceNumber", queue.settings.is_fifo().then(|| fifo::sequence(self.number))),
            ("DeadLetterQueueSourceArn", self.source_arn),
        ];
        system.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        Ok(Message {
            id: self.id,
            receipt: Receipt { queue: queue.id, number: self.number, receive }.handle(),
            body: self.body,
            body_md5: self.body_md5,
            system,
            attributes_md5: digest::of_attributes(attributes.iter().map(|(name, it)| (name.as_str(), it))),
            attributes,
        })
    }
}
