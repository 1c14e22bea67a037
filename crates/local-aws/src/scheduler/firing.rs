//! The due occurrences of schedules. An occurrence is stored before its delivery and deleted after it. If the process is
//! killed in between, the occurrence is delivered again, and none is lost.

use rusqlite::{Connection, OptionalExtension, Row};
use uuid::Uuid;

use super::definition::Definition;
use super::error::SchedulerError;
use super::timing::Timing;
use crate::names;

/// The pause after the first failure, in milliseconds. Each further pause is twice as long, up to `MAX_PAUSE`, so that AWS's
/// default of 185 retries fits into its default maximum age of one day.
const FIRST_PAUSE: i64 = 1_000;
const MAX_PAUSE: i64 = 480_000;

/// The minimum interval of recurring schedules while there is no activity, in milliseconds.
const REDUCED_INTERVAL: i64 = 15 * 60_000;

/// The time without activity after which recurring schedules fire less often, in milliseconds.
const IDLE_TIME: i64 = 5 * 60_000;

/// A due occurrence of a schedule.
#[derive(Debug)]
pub(super) struct Firing {
    /// The execution id.
    pub(super) id: String,
    schedule: i64,
    revision: i64,
    /// The ARN of the schedule.
    pub(super) arn: String,
    pub(super) definition: Definition,
    pub(super) scheduled_at: i64,
    /// The number of failed deliveries.
    pub(super) attempts: i64,
    /// Whether the schedule has further occurrences.
    pub(super) recurs: bool,
}

/// The limit of the retry policy that a delivery has reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exhausted {
    Attempts,
    Age,
}

impl Exhausted {
    /// The value of `EXHAUSTED_RETRY_CONDITION` on a dead letter.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Attempts => "MaximumRetryAttempts",
            Self::Age => "MaximumEventAgeInSeconds",
        }
    }
}

/// Whether functions can be run. Until a runner is set, schedules that target a function wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Functions {
    Run,
    Wait,
}

impl Functions {
    /// The `LIKE` pattern of targets that wait.
    fn excluded_targets(self) -> &'static str {
        match self {
            Self::Run => "",
            Self::Wait => names::FUNCTION_ARNS,
        }
    }
}

/// The earliest occurrence that is due at `now`. It stays stored until `finish` or `schedule_retry`. With `idle_since`, the
/// time of the last activity, recurring schedules fire less often.
pub(super) fn next(
    db: &Connection,
    functions: Functions,
    now: i64,
    idle_since: Option<i64>,
) -> Result<Option<Firing>, SchedulerError> {
    while start_next(db, functions, now, idle_since)? {}
    let row: Option<(String, i64, i64, String, String, i64, i64)> = db
        .prepare_cached(
            "SELECT id, schedule, revision, arn, definition, scheduled_at, attempts FROM firing
             WHERE due_at <= ?1 AND target NOT LIKE ?2 ORDER BY due_at, scheduled_at, arn LIMIT 1",
        )?
        .query_row((now, functions.excluded_targets()), |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?))
        })
        .optional()?;
    let Some((id, schedule, revision, arn, definition, scheduled_at, attempts)) = row else { return Ok(None) };
    let definition: Definition = serde_json::from_str(&definition)?;
    let recurs = Timing::of(&definition)?.next(scheduled_at, scheduled_at).is_some();
    Ok(Some(Firing { id, schedule, revision, arn, definition, scheduled_at, attempts, recurs }))
}

/// The time of the next occurrence or of the next retry.
pub(super) fn next_due(db: &Connection, functions: Functions) -> rusqlite::Result<Option<i64>> {
    let first = |sql: &str| {
        db.prepare_cached(sql)?.query_row([functions.excluded_targets()], |row| row.get::<_, Option<i64>>(0))
    };
    let schedule = first("SELECT min(due_at) FROM schedule WHERE due_at IS NOT NULL AND target NOT LIKE ?1")?;
    let firing = first("SELECT min(due_at) FROM firing WHERE target NOT LIKE ?1")?;
    Ok([schedule, firing].into_iter().flatten().min())
}

/// Deletes a completed occurrence. Also deletes its schedule, if that has no further occurrence and `ActionAfterCompletion` is
/// `DELETE`.
pub(super) fn finish(db: &Connection, firing: &Firing) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM firing WHERE id = ?1")?.execute([&firing.id])?;
    if firing.definition.is_deleted_after_completion() {
        // A schedule that was updated in the meantime has another revision, and stays.
        db.prepare_cached(
            "DELETE FROM schedule WHERE id = ?1 AND revision = ?2 AND due_at IS NULL
             AND NOT EXISTS (SELECT 1 FROM firing WHERE firing.schedule = schedule.id)",
        )?
        .execute((firing.schedule, firing.revision))?;
    }
    Ok(())
}

/// Records a failed delivery and the time of the retry. Returns the reason if the retry policy is exhausted.
pub(super) fn schedule_retry(db: &Connection, firing: &Firing, now: i64) -> rusqlite::Result<Option<Exhausted>> {
    let policy = &firing.definition.target.retry_policy;
    let attempts = firing.attempts + 1;
    if attempts > policy.maximum_retry_attempts {
        return Ok(Some(Exhausted::Attempts));
    }
    let pause = FIRST_PAUSE.checked_shl(u32::try_from(firing.attempts).unwrap_or(u32::MAX)).unwrap_or(MAX_PAUSE);
    let due_at = now + if (1..MAX_PAUSE).contains(&pause) { pause } else { MAX_PAUSE };
    if due_at - firing.scheduled_at > policy.maximum_event_age_in_seconds * 1_000 {
        return Ok(Some(Exhausted::Age));
    }
    db.prepare_cached("UPDATE firing SET attempts = ?2, due_at = ?3 WHERE id = ?1")?
        .execute((&firing.id, attempts, due_at))?;
    Ok(None)
}

/// Sets the next occurrence of recurring schedules to the first one of their own interval after `at`.
pub(super) fn restore_intervals(db: &Connection, at: i64) -> Result<(), SchedulerError> {
    let mut recurring = db.prepare_cached(
        "SELECT id, group_name, name, definition, target, revision, modified_at, due_at FROM schedule
         WHERE due_at > ?1 AND (definition LIKE '%\"rate(%' OR definition LIKE '%\"cron(%')",
    )?;
    let rows = recurring.query_map([at], Due::of)?.collect::<rusqlite::Result<Vec<Due>>>()?;
    for due in rows {
        let definition: Definition = serde_json::from_str(&due.definition)?;
        if let Some(next) = Timing::of(&definition)?.next(due.modified_at, at).filter(|next| *next < due.at) {
            db.prepare_cached("UPDATE schedule SET due_at = ?2 WHERE id = ?1")?.execute((due.schedule, next))?;
        }
    }
    Ok(())
}

/// Stores one due occurrence and the time of the schedule's next occurrence. Returns whether there was one. If a schedule
/// missed several occurrences, only one is stored.
fn start_next(
    db: &Connection,
    functions: Functions,
    now: i64,
    idle_since: Option<i64>,
) -> Result<bool, SchedulerError> {
    let due = db
        .prepare_cached(
            "SELECT id, group_name, name, definition, target, revision, modified_at, due_at FROM schedule
             WHERE due_at <= ?1 AND target NOT LIKE ?2 ORDER BY due_at, id LIMIT 1",
        )?
        .query_row((now, functions.excluded_targets()), Due::of)
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
    let next = match (timing.next(due.modified_at, now), idle_since) {
        (Some(next), Some(idle_since)) if idle_since < now - IDLE_TIME => {
            timing.next(due.modified_at, now + REDUCED_INTERVAL - 1).map(|reduced| reduced.max(next))
        }
        (next, _) => next,
    };
    db.prepare_cached("UPDATE schedule SET due_at = ?2 WHERE id = ?1")?.execute((due.schedule, next))?;
    Ok(true)
}

/// The row of a schedule with a next occurrence.
struct Due {
    schedule: i64,
    group: String,
    name: String,
    definition: String,
    target: String,
    revision: i64,
    modified_at: i64,
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
            modified_at: row.get(6)?,
            at: row.get(7)?,
        })
    }
}
