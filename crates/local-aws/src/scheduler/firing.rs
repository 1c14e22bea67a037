//! Occurrences of schedules on their way to a target. An occurrence is written down before it is delivered and struck out
//! after, so a process killed in between delivers it again, and none is lost.

use rusqlite::{Connection, OptionalExtension, Row};
use uuid::Uuid;

use super::definition::Definition;
use super::error::SchedulerError;
use super::timing::Timing;
use crate::names;

/// The pause after the first failure, in milliseconds. Each further one is twice as long, up to `LONGEST`: so the 185
/// retries AWS makes by default fit into the day it makes them in.
const FIRST: i64 = 1_000;
const LONGEST: i64 = 480_000;

/// How far apart occurrences are that are thinned out, in milliseconds.
const THINNED: i64 = 15 * 60_000;

/// How long nothing must have happened for occurrences to be thinned out, in milliseconds.
const QUIET: i64 = 5 * 60_000;

/// One occurrence that is due.
#[derive(Debug)]
pub(super) struct Firing {
    /// The execution id.
    pub(super) id: String,
    schedule: i64,
    revision: i64,
    /// Of the schedule.
    pub(super) arn: String,
    pub(super) definition: Definition,
    pub(super) scheduled_at: i64,
    /// Failed deliveries so far.
    pub(super) attempts: i64,
    /// Whether its schedule occurs again.
    pub(super) recurs: bool,
}

/// Which of the policy's limits a failing delivery met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exhausted {
    Attempts,
    Age,
}

impl Exhausted {
    /// As a dead letter tells it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Attempts => "MaximumRetryAttempts",
            Self::Age => "MaximumEventAgeInSeconds",
        }
    }
}

/// Whether there is somebody who runs functions; while there is not, what targets one waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Functions {
    Run,
    Wait,
}

impl Functions {
    /// For `target NOT LIKE ?`.
    fn left_out(self) -> &'static str {
        match self {
            Self::Run => "",
            Self::Wait => names::FUNCTION_ARNS,
        }
    }
}

/// The earliest occurrence that is due at `now`. It stays written down until `done` or `again`.
/// `quiet_since` thins out what recurs: it is when something happened last.
pub(super) fn next(
    db: &Connection,
    functions: Functions,
    now: i64,
    quiet_since: Option<i64>,
) -> Result<Option<Firing>, SchedulerError> {
    while begin(db, functions, now, quiet_since)? {}
    let row: Option<(String, i64, i64, String, String, i64, i64)> = db
        .prepare_cached(
            "SELECT id, schedule, revision, arn, definition, scheduled_at, attempts FROM firing
             WHERE due_at <= ?1 AND target NOT LIKE ?2 ORDER BY due_at, scheduled_at, arn LIMIT 1",
        )?
        .query_row((now, functions.left_out()), |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?))
        })
        .optional()?;
    let Some((id, schedule, revision, arn, definition, scheduled_at, attempts)) = row else { return Ok(None) };
    let definition: Definition = serde_json::from_str(&definition)?;
    let recurs = Timing::of(&definition)?.next(scheduled_at, scheduled_at).is_some();
    Ok(Some(Firing { id, schedule, revision, arn, definition, scheduled_at, attempts, recurs }))
}

/// When the next occurrence, or the next attempt at one, is due.
pub(super) fn next_due(db: &Connection, functions: Functions) -> rusqlite::Result<Option<i64>> {
    let first =
        |sql: &str| db.prepare_cached(sql)?.query_row([functions.left_out()], |row| row.get::<_, Option<i64>>(0));
    let schedule = first("SELECT min(due_at) FROM schedule WHERE due_at IS NOT NULL AND target NOT LIKE ?1")?;
    let firing = first("SELECT min(due_at) FROM firing WHERE target NOT LIKE ?1")?;
    Ok([schedule, firing].into_iter().flatten().min())
}

/// The occurrence has been dealt with, one way or the other. A schedule that has none left goes, if it is to.
pub(super) fn done(db: &Connection, firing: &Firing) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM firing WHERE id = ?1")?.execute([&firing.id])?;
    if firing.definition.is_deleted_after_completion() {
        // Someone who updated the schedule meanwhile wants it to occur again.
        db.prepare_cached(
            "DELETE FROM schedule WHERE id = ?1 AND revision = ?2 AND due_at IS NULL
             AND NOT EXISTS (SELECT 1 FROM firing WHERE firing.schedule = schedule.id)",
        )?
        .execute((firing.schedule, firing.revision))?;
    }
    Ok(())
}

/// Notes a failed delivery and when to try again, unless the retry policy is exhausted.
pub(super) fn again(db: &Connection, firing: &Firing, now: i64) -> rusqlite::Result<Option<Exhausted>> {
    let policy = &firing.definition.target.retry_policy;
    let attempts = firing.attempts + 1;
    if attempts > policy.maximum_retry_attempts {
        return Ok(Some(Exhausted::Attempts));
    }
    let pause = FIRST.checked_shl(u32::try_from(firing.attempts).unwrap_or(u32::MAX)).unwrap_or(LONGEST);
    let due_at = now + if (1..LONGEST).contains(&pause) { pause } else { LONGEST };
    if due_at - firing.scheduled_at > policy.maximum_event_age_in_seconds * 1_000 {
        return Ok(Some(Exhausted::Age));
    }
    db.prepare_cached("UPDATE firing SET attempts = ?2, due_at = ?3 WHERE id = ?1")?
        .execute((&firing.id, attempts, due_at))?;
    Ok(None)
}

/// What recurs and was thinned out occurs again in its own rhythm after `at`.
pub(super) fn follow_up(db: &Connection, at: i64) -> Result<(), SchedulerError> {
    let mut recurring = db.prepare_cached(
        "SELECT id, group_name, name, definition, target, revision, modified_at, due_at FROM schedule
         WHERE due_at > ?1 AND (definition LIKE '%\"rate(%' OR definition LIKE '%\"cron(%')",
    )?;
    let rows = recurring.query_map([at], Due::of)?.collect::<rusqlite::Result<Vec<Due>>>()?;
    for due in rows {
        let definition: Definition = serde_json::from_str(&due.definition)?;
        if let Some(next) = Timing::of(&definition)?.next(due.made_at, at).filter(|next| *next < due.at) {
            db.prepare_cached("UPDATE schedule SET due_at = ?2 WHERE id = ?1")?.execute((due.schedule, next))?;
        }
    }
    Ok(())
}

/// Writes down one occurrence that is due, and when its schedule occurs next. Occurrences that nobody was there to fire
/// are made up for by one, not by all.
fn begin(db: &Connection, functions: Functions, now: i64, quiet_since: Option<i64>) -> Result<bool, SchedulerError> {
    let due = db
        .prepare_cached(
            "SELECT id, group_name, name, definition, target, revision, modified_at, due_at FROM schedule
             WHERE due_at <= ?1 AND target NOT LIKE ?2 ORDER BY due_at, id LIMIT 1",
        )?
        .query_row((now, functions.left_out()), Due::of)
        .optional()?;
    let Some(due) = due else { return Ok(false) };
    let arn = names::schedule_arn(&due.group, &due.name);
    db.prepare_cached(
        "INSERT INTO firing (id, schedule, revision, arn, target, definition, scheduled_at, due_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)",
    )?
    .execute((
        Uuid::new_v4().to_string(),
        due.schedule,
        due.revision,
        arn,
        due.target,
        &due.definition,
        due.at,
    ))?;
    let definition: Definition = serde_json::from_str(&due.definition)?;
    let timing = Timing::of(&definition)?;
    let next = match (timing.next(due.made_at, now), quiet_since) {
        (Some(next), Some(quiet_since)) if quiet_since < now - QUIET => {
            timing.next(due.made_at, now + THINNED - 1).map(|thinned| thinned.max(next))
        }
        (next, _) => next,
    };
    db.prepare_cached("UPDATE schedule SET due_at = ?2 WHERE id = ?1")?.execute((due.schedule, next))?;
    Ok(true)
}

/// A schedule that is due.
struct Due {
    schedule: i64,
    group: String,
    name: String,
    definition: String,
    target: String,
    revision: i64,
    made_at: i64,
    at: i64,
}

impl Due {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            schedule: row.get(0)?,
            group: row.get(1)?,
            name: row.get(2)?,
            definition: row.get(3)?,
            target: row.get(4)?,
            revision: row.get(5)?,
            made_at: row.get(6)?,
            at: row.get(7)?,
        })
    }
}
