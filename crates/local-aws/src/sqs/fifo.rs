//! The features of FIFO queues: deduplication within five minutes, and sequence numbers.

use rusqlite::{Connection, OptionalExtension};

use super::digest;
use super::error::SqsError;
use super::queue::Queue;
use super::settings::{DeduplicationId, DeduplicationScope, Ordering};

/// How long a deduplication id is stored, in milliseconds.
const DEDUPLICATION_INTERVAL: i64 = 5 * 60 * 1_000;
/// The first sequence number: twenty digits, in the range of AWS's numbers.
const FIRST_SEQUENCE: u128 = 18_849_496_460_467_696_128;
const SEQUENCE_STEP: u128 = 256;

/// A stored message with a deduplication id.
#[derive(Debug)]
pub(super) struct StoredMessage {
    pub(super) id: String,
    pub(super) number: i64,
}

/// The given id, or the SHA-256 of the body if the queue uses content-based deduplication.
pub(super) fn deduplication_id(given: Option<String>, queue: DeduplicationId, body: &str) -> Result<String, SqsError> {
    match (given, queue) {
        (Some(given), _) => Ok(given),
        (None, DeduplicationId::FromBody) => Ok(digest::deduplication_id(body)),
        (None, DeduplicationId::Given) => Err(SqsError::InvalidParameterValue(
            "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"
                .to_owned(),
        )),
    }
}

/// Finds a message that was sent with the same id less than five minutes ago, even if it was deleted since.
pub(super) fn find_duplicate(
    db: &Connection,
    queue: &Queue,
    group: Option<&str>,
    id: Option<&str>,
    now: i64,
) -> rusqlite::Result<Option<StoredMessage>> {
    let (Some(scope), Some(id)) = (scope(queue, group), id) else { return Ok(None) };
    db.prepare_cached("DELETE FROM deduplication WHERE queue = ?1 AND expires_at <= ?2")?.execute((queue.id, now))?;
    db.prepare_cached("SELECT message_id, number FROM deduplication WHERE queue = ?1 AND scope = ?2 AND dedup_id = ?3")?
        .query_row((queue.id, scope, id), |row| Ok(StoredMessage { id: row.get(0)?, number: row.get(1)? }))
        .optional()
}

pub(super) fn record(
    db: &Connection,
    queue: &Queue,
    group: Option<&str>,
    id: Option<&str>,
    stored: &StoredMessage,
    now: i64,
) -> rusqlite::Result<()> {
    let (Some(scope), Some(id)) = (scope(queue, group), id) else { return Ok(()) };
    db.prepare_cached(
        "INSERT INTO deduplication (queue, scope, dedup_id, message_id, number, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute((queue.id, scope, id, &stored.id, stored.number, now + DEDUPLICATION_INTERVAL))?;
    Ok(())
}

/// The sequence number of a message: twenty digits.
pub(super) fn sequence(number: i64) -> String {
    let number = u128::try_from(number).unwrap_or_default();
    (FIRST_SEQUENCE + number * SEQUENCE_STEP).to_string()
}

fn scope<'a>(queue: &Queue, group: Option<&'a str>) -> Option<&'a str> {
    match queue.settings.ordering {
        Ordering::Standard => None,
        Ordering::Fifo { scope: DeduplicationScope::Queue, .. } => Some(""),
        Ordering::Fifo { scope: DeduplicationScope::Group, .. } => group,
    }
}
