//! `CreateSchedule`, `GetSchedule`, `UpdateSchedule`, `DeleteSchedule` and `ListSchedules`.

use rusqlite::{Connection, OptionalExtension};
use serde_json::{Value, json};

use super::definition::{Definition, check_name, check_token};
use super::error::SchedulerError;
use super::groups;
use super::page::{self, Page};
use super::timing::Timing;
use crate::names;

/// A stored schedule.
struct Stored {
    id: i64,
    definition: Definition,
    token: Option<String>,
    created_at: i64,
    modified_at: i64,
}

/// Creates the schedule and returns its ARN. A repeated call with the same client token succeeds without a change.
pub(super) fn create(db: &Connection, name: &str, body: &Value, now: i64) -> Result<Value, SchedulerError> {
    check_name("name", name)?;
    let definition = Definition::read(body)?;
    check_token(definition.client_token.as_deref())?;
    let timing = Timing::of(&definition)?;
    let group = definition.group_name.clone();
    groups::exists(db, &group)?;
    if let Some(stored) = find(db, &group, name)? {
        let same = stored.definition == definition.clone().without_token();
        return if definition.client_token.is_some() && stored.token == definition.client_token && same {
            Ok(arn(&group, name))
        } else {
            Err(SchedulerError::Conflict(format!("Schedule {name} already exists.")))
        };
    }
    let due_at = timing.first(now).filter(|_| definition.is_enabled());
    db.prepare_cached(
        "INSERT INTO schedule (group_name, name, state, definition, target, token, revision, created_at, modified_at, due_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7, ?7, ?8)",
    )?
    .execute((
        &group,
        name,
        &definition.state,
        serde_json::to_string(&definition)?,
        &definition.target.arn,
        &definition.client_token,
        now,
        due_at,
    ))?;
    Ok(arn(&group, name))
}

/// Creates the schedule, or updates it if it differs.
pub(super) fn ensure(db: &Connection, name: &str, body: &Value, now: i64) -> Result<(), SchedulerError> {
    let definition = Definition::read(body)?;
    match find(db, &definition.group_name, name)? {
        None => create(db, name, body, now).map(drop),
        Some(stored) if stored.definition == definition.without_token() => Ok(()),
        Some(_) => update(db, name, body, now).map(drop),
    }
}

/// Replaces the whole definition of the schedule. Missing members get their defaults, as on AWS.
pub(super) fn update(db: &Connection, name: &str, body: &Value, now: i64) -> Result<Value, SchedulerError> {
    check_name("name", name)?;
    let definition = Definition::read(body)?;
    check_token(definition.client_token.as_deref())?;
    let timing = Timing::of(&definition)?;
    let group = definition.group_name.clone();
    let stored = find(db, &group, name)?.ok_or_else(|| SchedulerError::no_schedule(name))?;
    let due_at = timing.first(now).filter(|_| definition.is_enabled());
    db.prepare_cached(
        "UPDATE schedule SET state = ?2, definition = ?3, target = ?4, revision = revision + 1, modified_at = ?5, due_at = ?6
         WHERE id = ?1",
    )?
    .execute((
        stored.id,
        &definition.state,
        serde_json::to_string(&definition)?,
        &definition.target.arn,
        now,
        due_at,
    ))?;
    Ok(arn(&group, name))
}

pub(super) fn get(db: &Connection, group: &str, name: &str) -> Result<Value, SchedulerError> {
    check_name("name", name)?;
    let stored = find(db, group, name)?.ok_or_else(|| SchedulerError::no_schedule(name))?;
    let mut answer = serde_json::to_value(&stored.definition)?;
    answer["Arn"] = names::schedule_arn(group, name).into();
    answer["Name"] = name.into();
    answer["CreationDate"] = page::seconds(stored.created_at);
    answer["LastModificationDate"] = page::seconds(stored.modified_at);
    Ok(answer)
}

/// Deletes the schedule and its pending occurrences.
pub(super) fn delete(db: &Connection, group: &str, name: &str) -> Result<Value, SchedulerError> {
    check_name("name", name)?;
    let stored = find(db, group, name)?.ok_or_else(|| SchedulerError::no_schedule(name))?;
    db.prepare_cached("DELETE FROM firing WHERE schedule = ?1")?.execute([stored.id])?;
    db.prepare_cached("DELETE FROM schedule WHERE id = ?1")?.execute([stored.id])?;
    Ok(json!({}))
}

/// Which schedules to list; `None` lists all.
#[derive(Debug, Default)]
pub(super) struct Filter {
    pub(super) group: Option<String>,
    pub(super) prefix: Option<String>,
    pub(super) state: Option<String>,
}

/// Sorted by group and name.
pub(super) fn list(db: &Connection, filter: &Filter, page: &Page) -> Result<Value, SchedulerError> {
    if let Some(group) = &filter.group {
        groups::exists(db, group)?;
    }
    let (after_group, after_name) = page.after()?;
    let mut statement = db.prepare_cached(
        "SELECT group_name, name, state, target, created_at, modified_at FROM schedule
         WHERE (group_name, name) > (?1, ?2) AND (?3 IS NULL OR group_name = ?3) AND (?4 IS NULL OR state = ?4)
         AND substr(name, 1, length(?5)) = ?5 ORDER BY group_name, name LIMIT ?6",
    )?;
    let prefix = filter.prefix.as_deref().unwrap_or_default();
    let summaries = statement.query_map(
        (after_group, after_name, &filter.group, &filter.state, prefix, page.size() + 1),
        |row| {
            let (group, name): (String, String) = (row.get(0)?, row.get(1)?);
            let summary = json!({
                "Arn": names::schedule_arn(&group, &name),
                "GroupName": group,
                "Name": name,
                "State": row.get::<_, String>(2)?,
                "Target": { "Arn": row.get::<_, String>(3)? },
                "CreationDate": page::seconds(row.get(4)?),
                "LastModificationDate": page::seconds(row.get(5)?),
            });
            Ok((group, name, summary))
        },
    )?;
    Ok(page.answer("Schedules", summaries.collect::<rusqlite::Result<_>>()?))
}

fn find(db: &Connection, group: &str, name: &str) -> Result<Option<Stored>, SchedulerError> {
    let row: Option<(i64, String, Option<String>, i64, i64)> = db
        .prepare_cached(
            "SELECT id, definition, token, created_at, modified_at FROM schedule WHERE group_name = ?1 AND name = ?2",
        )?
        .query_row((group, name), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))
        .optional()?;
    let Some((id, definition, token, created_at, modified_at)) = row else { return Ok(None) };
    Ok(Some(Stored { id, definition: serde_json::from_str(&definition)?, token, created_at, modified_at }))
}

fn arn(group: &str, name: &str) -> Value {
    json!({ "ScheduleArn": names::schedule_arn(group, name) })
}
