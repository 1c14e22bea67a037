//! What FIFO queues add: deduplication within five minutes, and sequence numbers.

use rusqlite::{Connection, OptionalExtension};

use super::digest;
use super::error::SqsError;
use super::queue::Queue;
use super::settings::{DeduplicationId, DeduplicationScope, Ordering};

/// How long a deduplication id is remembered, in milliseconds.
const INTERVAL: i64 = 5 * 60 * 1_000;
/// Sequence numbers have twenty digits; this one starts where AWS's are.
const FIRST_SEQUENCE: u128 = 18_849_496_460_467_696_128;
const SEQUENCE_STEP: u128 = 256;

/// The message that is kept for a deduplication id.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) id: String,
    pub(super) number: i64,
}

/// The id given, or the SHA-256 of the body where the queue says so.
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

/// The message that came with the same id less than five minutes ago, deleted since or not.
pub(super) fn earlier(
    db: &Connection,
    queue: &Queue,
    group: Option<&str>,
    id: Option<&str>,
    now: i64,
) -> rusqlite::Result<Option<Kept>> {
    let (Some(scope), Some(id)) = (scope(queue, group), id) else { return Ok(None) };
    db.prepare_cached("DELETE FROM deduplication WHERE queue = ?1 AND expires_at <= ?2")?.execute((queue.id, now))?;
    db.prepare_cached("SELECT message_id, number FROM deduplication WHERE queue = ?1 AND scope = ?2 AND dedup_id = ?3")?
        .query_row((queue.id, scope, id), |row| Ok(Kept { id: row.get(0)?, number: row.get(1)? }))
        .optional()
}

pub(super) fn remember(
    db: &Connection,
    queue: &Queue,
    group: Option<&str>,
    id: Option<&str>,
    kept: &Kept,
    now: i64,
) -> rusqlite::Result<()> {
    let (Some(scope), Some(id)) = (scope(queue, group), id) else { return Ok(()) };
    db.prepare_cached(
        "INSERT INTO deduplication (queue, scope, dedup_id, message_id, number, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute((queue.id, scope, id, &kept.id, kept.number, now + INTERVAL))?;
    Ok(())
}

/// The sequence number of a message, as text of twenty digits.
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
