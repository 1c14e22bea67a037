//! `ChangeMessageVisibility` and `ChangeMessageVisibilityBatch`.

use rusqlite::{Connection, OptionalExtension};
use serde::Deserialize;

use super::Sqs;
use super::batch::{Batch, BatchEntry, Done, Outcome};
use super::error::{SqsError, required};
use super::queue::Queue;
use super::receipt::Receipt;
use super::settings::MAX_VISIBILITY_TIMEOUT;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Change {
    queue_url: Option<String>,
    id: Option<String>,
    receipt_handle: Option<String>,
    visibility_timeout: Option<i64>,
}

impl BatchEntry for Change {
    fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }
}

impl Change {
    /// Changes the timeout and returns the time at which the message becomes visible.
    fn apply(self, db: &Connection, queue: &Queue, now: i64) -> Result<i64, SqsError> {
        let handle = required("ReceiptHandle", self.receipt_handle)?;
        let seconds = required("VisibilityTimeout", self.visibility_timeout)?;
        if !(0..=MAX_VISIBILITY_TIMEOUT).contains(&seconds) {
            return Err(SqsError::value("VisibilityTimeout", seconds, "Must be between 0 and 43200."));
        }
        change(db, queue, &handle, seconds * 1_000, now)
    }
}

pub(super) fn change_message_visibility(sqs: &Sqs, request: Change) -> Result<(), SqsError> {
    let queue = sqs.queue_of(request.queue_url.as_deref())?;
    let now = sqs.clock().millis();
    let at = sqs.store().transact(|db| request.apply(db, &queue, now))?;
    changed(sqs, &queue, at, now);
    Ok(())
}

pub(super) fn change_message_visibility_batch(sqs: &Sqs, batch: Batch<Change>) -> Result<Outcome<Done>, SqsError> {
    let queue = sqs.queue_of(batch.queue_url.as_deref())?;
    batch.check("ChangeMessageVisibilityBatchRequestEntry")?;
    let now = sqs.clock().millis();
    let (outcome, instants) = sqs.store().transact(|db| {
        let mut outcome = Outcome::default();
        let mut instants = Vec::new();
        for entry in batch.entries {
            let id = entry.id.clone().unwrap_or_default();
            match entry.apply(db, &queue, now) {
                Err(SqsError::Storage(error)) => return Err(SqsError::Storage(error)),
                result => outcome.note(id, result.map(|at| instants.push(at))),
            }
        }
        Ok((outcome, instants))
    })?;
    instants.into_iter().for_each(|at| changed(sqs, &queue, at, now));
    Ok(outcome)
}

/// Makes a message in flight visible `visibility` milliseconds after `now`, and returns that time.
pub(super) fn change(db: &Connection, queue: &Queue, handle: &str, visibility: i64, now: i64) -> Result<i64, SqsError> {
    let receipt = Receipt::of(handle, queue.id)?;
    let found: Option<(i64, i64)> = db
        .prepare_cached(
            "SELECT visible_at, received_at FROM message WHERE number = ?1 AND queue = ?2 AND receives = ?3",
        )?
        .query_row((receipt.number, receipt.queue, receipt.receive), |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((visible_at, received_at)) = found else {
        let reason = "Message does not exist or is not available for visibility timeout change.";
        return Err(SqsError::value("ReceiptHandle", handle, reason));
    };
    if visible_at <= now {
        return Err(SqsError::MessageNotInflight);
    }
    let at = now + visibility;
    if at - received_at > MAX_VISIBILITY_TIMEOUT * 1_000 {
        let reason = "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]";
        return Err(SqsError::value("VisibilityTimeout", visibility / 1_000, reason));
    }
    db.prepare_cached("UPDATE message SET visible_at = ?2 WHERE number = ?1")?.execute((receipt.number, at))?;
    Ok(at)
}

/// Wakes receivers if the message is visible now. Otherwise sets the timer.
pub(super) fn changed(sqs: &Sqs, queue: &Queue, at: i64, now: i64) {
    if at <= now {
        queue.wake();
    } else {
        sqs.timer().arm(at);
    }
}
