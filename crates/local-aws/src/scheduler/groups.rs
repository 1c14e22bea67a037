//! Schedule groups and their tags. The group `default` always exists.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension};
use serde_json::{Value, json};

use super::definition::{check_name, check_token};
use super::error::SchedulerError;
use super::page::{self, Page};
use crate::names;

const DEFAULT: &str = "default";

type Tags = BTreeMap<String, String>;

/// Creates the default group, unless it exists.
pub(super) fn create_default(db: &Connection, now: i64) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT OR IGNORE INTO schedule_group (name, token, tags, created_at, modified_at) VALUES (?1, NULL, '{}', ?2, ?2)",
    )?
    .execute((DEFAULT, now))?;
    Ok(())
}

pub(super) fn create(db: &Connection, name: &str, body: &Value, now: i64) -> Result<Value, SchedulerError> {
    check_name("name", name)?;
    let token = body["ClientToken"].as_str();
    check_token(token)?;
    let stored: Option<Option<String>> = db
        .prepare_cached("SELECT token FROM schedule_group WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()?;
    match stored {
        Some(stored) if token.is_some() && stored.as_deref() == token => {}
        Some(_) => return Err(SchedulerError::Conflict(format!("Schedule group {name} already exists."))),
        None => {
            db.prepare_cached(
                "INSERT INTO schedule_group (name, token, tags, created_at, modified_at) VALUES (?1, ?2, ?3, ?4, ?4)",
            )?
            .execute((name, token, serde_json::to_string(&tags_of(&body["Tags"]))?, now))?;
        }
    }
    Ok(json!({ "ScheduleGroupArn": names::group_arn(name) }))
}

pub(super) fn get(db: &Connection, name: &str) -> Result<Value, SchedulerError> {
    check_name("name", name)?;
    db.prepare_cached("SELECT created_at, modified_at FROM schedule_group WHERE name = ?1")?
        .query_row([name], |row| Ok(summary(name, row.get(0)?, row.get(1)?)))
        .optional()?
        .ok_or_else(|| SchedulerError::no_group(name))
}

/// Deletes the group and all its schedules immediately; AWS deletes them asynchronously.
pub(super) fn delete(db: &Connection, name: &str) -> Result<Value, SchedulerError> {
    check_name("name", name)?;
    if name == DEFAULT {
        return Err(SchedulerError::Validation("The default schedule group cannot be deleted.".to_owned()));
    }
    exists(db, name)?;
    db.prepare_cached("DELETE FROM firing WHERE schedule IN (SELECT id FROM schedule WHERE group_name = ?1)")?
        .execute([name])?;
    db.prepare_cached("DELETE FROM schedule WHERE group_name = ?1")?.execute([name])?;
    db.prepare_cached("DELETE FROM schedule_group WHERE name = ?1")?.execute([name])?;
    Ok(json!({}))
}

pub(super) fn list(db: &Connection, prefix: Option<&str>, page: &Page) -> Result<Value, SchedulerError> {
    let (_, after) = page.after()?;
    let mut statement = db.prepare_cached(
        "SELECT name, created_at, modified_at FROM schedule_group WHERE name > ?1 AND substr(name, 1, length(?2)) = ?2
         ORDER BY name LIMIT ?3",
    )?;
    let groups = statement.query_map((after, prefix.unwrap_or_default(), page.size() + 1), |row| {
        let name: String = row.get(0)?;
        let summary = summary(&name, row.get(1)?, row.get(2)?);
        Ok((name.clone(), name, summary))
    })?;
    Ok(page.answer("ScheduleGroups", groups.collect::<rusqlite::Result<_>>()?))
}

/// # Errors
/// `ResourceNotFoundException`.
pub(super) fn exists(db: &Connection, name: &str) -> Result<(), SchedulerError> {
    if db.prepare_cached("SELECT 1 FROM schedule_group WHERE name = ?1")?.exists([name])? {
        Ok(())
    } else {
        Err(SchedulerError::no_group(name))
    }
}

pub(super) fn tags(db: &Connection, arn: &str) -> Result<Value, SchedulerError> {
    let (_, tags) = tagged(db, arn)?;
    let tags: Vec<Value> = tags.into_iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
    Ok(json!({ "Tags": tags }))
}

pub(super) fn tag(db: &Connection, arn: &str, body: &Value) -> Result<Value, SchedulerError> {
    let (name, mut tags) = tagged(db, arn)?;
    tags.extend(tags_of(&body["Tags"]));
    retag(db, &name, &tags)
}

pub(super) fn untag(db: &Connection, arn: &str, keys: &[String]) -> Result<Value, SchedulerError> {
    let (name, mut tags) = tagged(db, arn)?;
    tags.retain(|key, _| !keys.contains(key));
    retag(db, &name, &tags)
}

fn tagged(db: &Connection, arn: &str) -> Result<(String, Tags), SchedulerError> {
    let name = arn.rsplit('/').next().unwrap_or_default();
    let stored: Option<String> = db
        .prepare_cached("SELECT tags FROM schedule_group WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()?;
    match stored {
        Some(tags) if names::group_arn(name) == arn => Ok((name.to_owned(), serde_json::from_str(&tags)?)),
        _ => Err(SchedulerError::NotFound(format!("Resource {arn} does not exist."))),
    }
}

fn retag(db: &Connection, name: &str, tags: &Tags) -> Result<Value, SchedulerError> {
    db.prepare_cached("UPDATE schedule_group SET tags = ?2 WHERE name = ?1")?
        .execute((name, serde_json::to_string(tags)?))?;
    Ok(json!({}))
}

fn tags_of(tags: &Value) -> Tags {
    let pair = |tag: &Value| Some((tag["Key"].as_str()?.to_owned(), tag["Value"].as_str()?.to_owned()));
    tags.as_array().into_iter().flatten().filter_map(pair).collect()
}

fn summary(name: &str, created_at: i64, modified_at: i64) -> Value {
    json!({
        "Arn": names::group_arn(name),
        "Name": name,
        "State": "ACTIVE",
        "CreationDate": page::seconds(created_at),
        "LastModificationDate": page::seconds(modified_at),
    })
}
