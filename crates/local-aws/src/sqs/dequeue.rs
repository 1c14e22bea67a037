//! Dequeues messages: receives those that are visible, moves those with too many receives to the dead-letter queue, and deletes
//! those that are older than the retention period.

use std::sync::Arc;

use rusqlite::{CachedStatement, Connection};

use super::Sqs;
use super::error::SqsError;
use super::message::{COLUMNS, Candidate, Message};
use super::queue::Queue;
use super::second_delivery;
use crate::faults::RedeliveryKind;

/// The maximum number of messages in flight in a queue.
const MAX_IN_FLIGHT: usize = 120_000;

/// Receives up to `max` messages, with a visibility timeout of `visibility` milliseconds.
pub(super) fn dequeue(sqs: &Sqs, queue: &Arc<Queue>, max: usize, visibility: i64) -> Result<Vec<Message>, SqsError> {
    let now = sqs.clock().millis();
    let dead_letters = queue
        .settings
        .redrive
        .as_ref()
        .and_then(|redrive| Some((sqs.queues().find(&redrive.queue)?, redrive.receives)));
    let mut moved = Moved::Nothing;
    let messages = sqs.store().transact(|db| {
        let max = sqs.in_flight_limit().reserve(queue, max, || in_flight(db, queue, now))?;
        delete_expired(db, queue, now)?;
        let mut messages = Vec::with_capacity(max);
        while messages.len() < max {
            let wanted = max - messages.len();
            let candidates = receivable(db, queue, now, wanted)?;
            let exhausted = candidates.len() < wanted;
            for candidate in candidates {
                match &dead_letters {
                    _ if candidate.sent_at + queue.settings.retention <= now => delete_message(db, candidate.number)?,
                    Some((dead, max_receives)) if candidate.receives >= *max_receives => {
                        move_to_dead_letters(db, queue, dead, candidate.number, now)?;
                        moved = Moved::DeadLetters;
                    }
                    _ => {
                        hide(db, candidate.number, now, visibility)?;
                        second_delivery::insert(sqs, db, queue, RedeliveryKind::WhileInFlight, candidate.number, now)?;
                        messages.push(candidate.received(queue, now)?);
                    }
                }
            }
            if exhausted {
                break;
            }
        }
        Ok::<_, SqsError>(messages)
    })?;
    sqs.in_flight_limit().record(queue, messages.len());
    if let (Moved::DeadLetters, Some((dead, _))) = (moved, dead_letters) {
        dead.wake();
    }
    if !messages.is_empty() {
        sqs.timer().arm(now + visibility);
        second_delivery::notify(sqs, queue);
    }
    Ok(messages)
}

enum Moved {
    Nothing,
    DeadLetters,
}

/// Whether a receive would find a message.
pub(super) fn is_receivable(db: &Connection, queue: &Queue, now: i64) -> rusqlite::Result<bool> {
    candidates(db, queue)?.exists((queue.id, now, 1))
}

fn receivable(db: &Connection, queue: &Queue, now: i64, max: usize) -> rusqlite::Result<Vec<Candidate>> {
    candidates(db, queue)?.query_map((queue.id, now, max), Candidate::of)?.collect()
}

/// Selects the receivable messages. In a FIFO queue, a group is blocked while one of its messages is in flight, or while an
/// earlier one is delayed.
fn candidates<'db>(db: &'db Connection, queue: &Queue) -> rusqlite::Result<CachedStatement<'db>> {
    if queue.settings.is_fifo() {
        db.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM message m WHERE m.queue = ?1 AND m.visible_at <= ?2 AND NOT EXISTS (
                SELECT 1 FROM message b WHERE b.queue = m.queue AND b.group_id = m.group_id AND b.visible_at > ?2
                AND (b.receives > 0 OR b.number < m.number))
             ORDER BY m.number LIMIT ?3"
        ))
    } else {
        db.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM message m WHERE m.queue = ?1 AND m.visible_at <= ?2
             ORDER BY m.visible_at, m.receives, m.number LIMIT ?3"
        ))
    }
}

fn hide(db: &Connection, number: i64, now: i64, visibility: i64) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE message SET visible_at = ?2, received_at = ?3, first_received_at = coalesce(first_received_at, ?3),
         receives = receives + 1 WHERE number = ?1",
    )?
    .execute((number, now + visibility, now))?;
    Ok(())
}

/// Moves a message to the dead-letter queue. It keeps its sent time, except in a FIFO queue.
fn move_to_dead_letters(db: &Connection, from: &Queue, to: &Queue, number: i64, now: i64) -> rusqlite::Result<()> {
    let sent_at = from.settings.is_fifo().then_some(now);
    db.prepare_cached(
        "UPDATE message SET queue = ?2, visible_at = ?3, received_at = NULL, first_received_at = NULL, receives = 0,
         source_arn = ?4, sent_at = coalesce(?5, sent_at) WHERE number = ?1",
    )?
    .execute((number, to.id, now, from.arn(), sent_at))?;
    Ok(())
}

fn delete_message(db: &Connection, number: i64) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM message WHERE number = ?1")?.execute([number])?;
    Ok(())
}

/// Deletes messages that have been visible for the whole retention period. Other expired messages, which were received in the
/// meantime, are deleted when they are next dequeued.
pub(super) fn delete_expired(db: &Connection, queue: &Queue, now: i64) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM message WHERE queue = ?1 AND visible_at <= ?2")?
        .execute((queue.id, now - queue.settings.retention))?;
    Ok(())
}

/// The number of messages in flight: received and still invisible.
pub(super) fn in_flight(db: &Connection, queue: &Queue, now: i64) -> rusqlite::Result<usize> {
    db.prepare_cached("SELECT count(*) FROM message WHERE queue = ?1 AND visible_at > ?2 AND receives > 0")?
        .query_row((queue.id, now), |row| row.get(0))
}

/// Enforces the limit of messages in flight without counting them for each receive. It counts again only if the receives
/// since the last count could have reached the limit.
#[derive(Default)]
pub(super) struct InFlightLimit {
    by_queue: std::sync::Mutex<std::collections::HashMap<i64, usize>>,
}

impl InFlightLimit {
    /// How many of `wanted` messages may be received.
    fn reserve(
        &self,
        queue: &Queue,
        wanted: usize,
        count: impl FnOnce() -> rusqlite::Result<usize>,
    ) -> Result<usize, SqsError> {
        let mut by_queue = self.by_queue.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let available = by_queue.entry(queue.id).or_default();
        if *available < wanted {
            *available = MAX_IN_FLIGHT.saturating_sub(count()?);
        }
        match *available {
            0 if queue.settings.is_fifo() => Ok(0),
            0 => Err(SqsError::OverLimit(MAX_IN_FLIGHT)),
            available => Ok(wanted.min(available)),
        }
    }

    fn record(&self, queue: &Queue, received: usize) {
        let mut by_queue = self.by_queue.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let available = by_queue.entry(queue.id).or_default();
        *available = available.saturating_sub(received);
    }
}
