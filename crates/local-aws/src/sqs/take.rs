//! Taking messages off a queue: which may be received, which have to go to the dead-letter queue instead, and which have
//! been there too long.

use std::sync::Arc;

use rusqlite::{CachedStatement, Connection};

use super::Sqs;
use super::error::SqsError;
use super::message::{COLUMNS, Candidate, Message};
use super::queue::Queue;
use super::repeat;
use crate::faults::Again;

/// The most messages a queue can have in flight.
const IN_FLIGHT: usize = 120_000;

/// Takes up to `most` messages and hides them for `visibility` milliseconds.
pub(super) fn take(sqs: &Sqs, queue: &Arc<Queue>, most: usize, visibility: i64) -> Result<Vec<Message>, SqsError> {
    let now = sqs.clock().millis();
    let dead_letters = queue
        .settings
        .redrive
        .as_ref()
        .and_then(|redrive| Some((sqs.queues().find(&redrive.queue)?, redrive.receives)));
    let mut moved = Moved::Nothing;
    let taken = sqs.store().transact(|db| {
        let most = sqs.headroom().take(queue, most, || in_flight(db, queue, now))?;
        expire(db, queue, now)?;
        let mut taken = Vec::with_capacity(most);
        while taken.len() < most {
            let wanted = most - taken.len();
            let candidates = receivable(db, queue, now, wanted)?;
            let exhausted = candidates.len() < wanted;
            for candidate in candidates {
                match &dead_letters {
                    _ if candidate.sent_at + queue.settings.retention <= now => drop_one(db, candidate.number)?,
                    Some((dead, most)) if candidate.receives >= *most => {
                        bury(db, queue, dead, candidate.number, now)?;
                        moved = Moved::DeadLetters;
                    }
                    _ => {
                        hide(db, candidate.number, now, visibility)?;
                        repeat::repeat(sqs, db, queue, Again::WhileInFlight, candidate.number, now)?;
                        taken.push(candidate.received(queue, now)?);
                    }
                }
            }
            if exhausted {
                break;
            }
        }
        Ok::<_, SqsError>(taken)
    })?;
    sqs.headroom().used(queue, taken.len());
    if let (Moved::DeadLetters, Some((dead, _))) = (moved, dead_letters) {
        dead.wake();
    }
    if !taken.is_empty() {
        sqs.timer().arm(now + visibility);
        repeat::repeated(sqs, queue);
    }
    Ok(taken)
}

enum Moved {
    Nothing,
    DeadLetters,
}

/// Whether a receive would find something to do.
pub(super) fn is_receivable(db: &Connection, queue: &Queue, now: i64) -> rusqlite::Result<bool> {
    candidates(db, queue)?.exists((queue.id, now, 1))
}

fn receivable(db: &Connection, queue: &Queue, now: i64, most: usize) -> rusqlite::Result<Vec<Candidate>> {
    candidates(db, queue)?.query_map((queue.id, now, most), Candidate::of)?.collect()
}

/// In a FIFO queue a group is closed while a message of it is in flight, or while an earlier one is delayed.
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

/// Moves a message to the dead-letter queue. Its age goes on counting, except in a FIFO queue.
fn bury(db: &Connection, from: &Queue, to: &Queue, number: i64, now: i64) -> rusqlite::Result<()> {
    let sent_at = from.settings.is_fifo().then_some(now);
    db.prepare_cached(
        "UPDATE message SET queue = ?2, visible_at = ?3, received_at = NULL, first_received_at = NULL, receives = 0,
         source_arn = ?4, sent_at = coalesce(?5, sent_at) WHERE number = ?1",
    )?
    .execute((number, to.id, now, from.arn(), sent_at))?;
    Ok(())
}

fn drop_one(db: &Connection, number: i64) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM message WHERE number = ?1")?.execute([number])?;
    Ok(())
}

/// Drops what has lain visible for the whole retention period. What was received since is found when it is next taken.
pub(super) fn expire(db: &Connection, queue: &Queue, now: i64) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM message WHERE queue = ?1 AND visible_at <= ?2")?
        .execute((queue.id, now - queue.settings.retention))?;
    Ok(())
}

/// How many messages have been received and are invisible still.
pub(super) fn in_flight(db: &Connection, queue: &Queue, now: i64) -> rusqlite::Result<usize> {
    db.prepare_cached("SELECT count(*) FROM message WHERE queue = ?1 AND visible_at > ?2 AND receives > 0")?
        .query_row((queue.id, now), |row| row.get(0))
}

/// Keeps the limit of messages in flight without counting them each time: it counts again only when what was taken
/// since the last count could have reached the limit.
#[derive(Default)]
pub(super) struct Headroom {
    left: std::sync::Mutex<std::collections::HashMap<i64, usize>>,
}

impl Headroom {
    /// How many of `wanted` may be taken.
    fn take(
        &self,
        queue: &Queue,
        wanted: usize,
        count: impl FnOnce() -> rusqlite::Result<usize>,
    ) -> Result<usize, SqsError> {
        let mut left = self.left.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let room = left.entry(queue.id).or_default();
        if *room < wanted {
            *room = IN_FLIGHT.saturating_sub(count()?);
        }
        match *room {
            0 if queue.settings.is_fifo() => Ok(0),
            0 => Err(SqsError::OverLimit(IN_FLIGHT)),
            room => Ok(wanted.min(room)),
        }
    }

    fn used(&self, queue: &Queue, taken: usize) {
        let mut left = self.left.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let room = left.entry(queue.id).or_default();
        *room = room.saturating_sub(taken);
    }
}
