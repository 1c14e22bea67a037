//! Second deliveries, where a fault asks for them.

use rusqlite::Connection;

use super::Sqs;
use super::error::SqsError;
use super::queue::Queue;
use crate::faults::Again;

/// Puts a copy of the message beside it, when that is wanted: the same id, body and receives, under a number of its own.
pub(super) fn repeat(
    sqs: &Sqs,
    db: &Connection,
    queue: &Queue,
    again: Again,
    number: i64,
    now: i64,
) -> Result<(), SqsError> {
    if queue.settings.is_fifo() {
        return Ok(());
    }
    let Some(after) = sqs.redeliveries().repeats(&queue.name, again, number) else { return Ok(()) };
    db.prepare_cached(
        "INSERT INTO message (queue, id, body, body_md5, attributes, trace, group_id, dedup_id, source_arn, sent_at,
         visible_at, received_at, first_received_at, receives, sender)
         SELECT queue, id, body, body_md5, attributes, trace, group_id, dedup_id, source_arn, sent_at,
         ?2, received_at, first_received_at, receives, sender FROM message WHERE number = ?1",
    )?
    .execute((number, now + after))?;
    sqs.redeliveries().repeated(number, db.last_insert_rowid());
    Ok(())
}

/// Lets those know who wait for the queue, once the copies are committed.
pub(super) fn repeated(sqs: &Sqs, queue: &Queue) {
    if sqs.redeliveries().concern(&queue.name) {
        queue.wake();
        sqs.timer().arm(sqs.clock().millis());
    }
}
