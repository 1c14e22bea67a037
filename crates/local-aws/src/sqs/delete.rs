//! `DeleteMessage` and `DeleteMessageBatch`.

use rusqlite::Connection;
use serde::Deserialize;

use super::Sqs;
use super::batch::{Batch, BatchEntry, Done, Outcome};
use super::error::{SqsError, required};
use super::queue::Queue;
use super::receipt::Receipt;
use super::second_delivery;
use crate::faults::RedeliveryKind;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Delete {
    queue_url: Option<String>,
    id: Option<String>,
    receipt_handle: Option<String>,
}

impl BatchEntry for Delete {
    fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }
}

pub(super) fn delete_message(sqs: &Sqs, request: Delete) -> Result<(), SqsError> {
    let queue = sqs.queue_of(request.queue_url.as_deref())?;
    let handle = required("ReceiptHandle", request.receipt_handle)?;
    let now = sqs.clock().millis();
    sqs.store().transact(|db| delete(sqs, db, &queue, &handle, now))?;
    deleted(sqs, &queue);
    Ok(())
}

pub(super) fn delete_message_batch(sqs: &Sqs, batch: Batch<Delete>) -> Result<Outcome<Done>, SqsError> {
    let queue = sqs.queue_of(batch.queue_url.as_deref())?;
    batch.check("DeleteMessageBatchRequestEntry")?;
    let now = sqs.clock().millis();
    let outcome = sqs.store().transact(|db| {
        let mut outcome = Outcome::default();
        for entry in batch.entries {
            let handle = required("ReceiptHandle", entry.receipt_handle);
            let result = handle.and_then(|handle| delete(sqs, db, &queue, &handle, now));
            match result {
                Err(SqsError::Storage(error)) => return Err(SqsError::Storage(error)),
                result => outcome.note(entry.id.unwrap_or_default(), result),
            }
        }
        Ok(outcome)
    })?;
    deleted(sqs, &queue);
    Ok(outcome)
}

/// Deletes the message if the receipt handle is from its last receive. A stale handle deletes nothing and is not an error, as
/// AWS documents. A FIFO queue refuses a handle whose visibility timeout has passed.
pub(super) fn delete(sqs: &Sqs, db: &Connection, queue: &Queue, handle: &str, now: i64) -> Result<(), SqsError> {
    let receipt = Receipt::of(handle, queue.id)?;
    if queue.settings.is_fifo() {
        let expired = db
            .prepare_cached("SELECT 1 FROM message WHERE number = ?1 AND queue = ?2 AND visible_at <= ?3")?
            .exists((receipt.number, receipt.queue, now))?;
        if expired {
            return Err(SqsError::value("ReceiptHandle", handle, "The receipt handle has expired."));
        }
    }
    let row = (receipt.number, receipt.queue, receipt.receive);
    if db.prepare_cached("SELECT 1 FROM message WHERE number = ?1 AND queue = ?2 AND receives = ?3")?.exists(row)? {
        second_delivery::insert(sqs, db, queue, RedeliveryKind::AfterDelete, receipt.number, now)?;
    }
    db.prepare_cached("DELETE FROM message WHERE number = ?1 AND queue = ?2 AND receives = ?3")?.execute(row)?;
    Ok(())
}

/// Wakes waiting receivers, because in a FIFO queue a delete may unblock the message's group.
pub(super) fn deleted(sqs: &Sqs, queue: &Queue) {
    if queue.settings.is_fifo() {
        queue.wake();
    }
    second_delivery::notify(sqs, queue);
}
