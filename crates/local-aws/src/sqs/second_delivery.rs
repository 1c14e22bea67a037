//! Second deliveries of messages, for the redeliveries of fault injection.

use rusqlite::Connection;

use super::Sqs;
use super::error::SqsError;
use super::queue::Queue;
use crate::faults::RedeliveryKind;

/// Inserts a copy of the message if a redelivery selects it: with the same id, body and receive count, and a new number.
pub(super) fn insert(
    sqs: &Sqs,
    db: &Connection,
    queue: &Queue,
    kind: RedeliveryKind,
    number: i64,
    now: i64,
) -> Result<(), SqsError> {
    if queue.settings.is_fifo() {
        return Ok(());
    }
    let Some(after) = sqs.redeliveries().copy_delay(&queue.name, kind, number) else { return Ok(()) };
    db.prepare_cached(
        "INSERT INTO message (queue, id, body, body_md5, attributes, trace, group_id, dedup_id, source_arn, sent_at,
         visible_at, received_at, first_received_at, receives, sender)
         SELECT queue, id, body, body_md5, attributes, trace, group_id, dedup_id, source_arn, sent_at,
         ?2, received_at, first_received_at, receives, sender FROM message WHERE number = ?1",
    )?
    .execute((number, now + after))?;
    sqs.redeliveries().record_copy(number, db.last_insert_rowid());
    Ok(())
}

/// Wakes receivers after the copies are committed.
pub(super) fn notify(sqs: &Sqs, queue: &Queue) {
    if sqs.redeliveries().apply_to(&queue.name) {
        queue.wake();
        sqs.timer().arm(sqs.clock().millis());
    }
}
