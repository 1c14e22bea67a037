//! Leases: a unit of work has one worker at a time. A worker that takes one writes its name and when the lease ends, on the
//! condition that nobody else's is live. A lease outlives the function that took it by more than clocks may differ.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};
use domain::{InterchangeId, JobId, Slot, Timestamp};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::item::{Item, json, key, n, number, read, s, text, unreadable};
use crate::keys::{self, LEASED_UNTIL, LEFT, TTL, WORKER};
use crate::list::Position;
use crate::{Table, TableError};

/// How long a lease lasts: run-job's time-out of 30 s, and 45 s so that clocks may differ by half a minute.
pub const LEASE: SignedDuration = SignedDuration::from_secs(75);

/// How long the record of a unit's work is kept after its last write: longer than any deadline needs it.
pub(crate) const RECORD_KEPT: SignedDuration = SignedDuration::from_hours(24 * 400);

/// A unit of work that is leased by an item of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unit {
    /// A chunk of a job.
    Chunk(JobId, u64),
    /// The walk of a job.
    Walk(JobId),
    /// The run of a slot whose members are handled in order.
    Run(Slot),
    /// A request to act on one interchange.
    Request(String),
}

/// What came of asking for a lease.
#[derive(Debug, Clone, PartialEq)]
pub enum Leased {
    /// It is taken, with what the worker before left behind.
    Taken(Progress),
    /// Another worker holds it until then.
    Busy(Timestamp),
    /// The work is done.
    Done,
}

/// How far a unit's work is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Progress {
    /// What is left of it, where a worker gave up in the middle.
    pub left: Option<Left>,
    /// Of a run: counts the runs of its slot from 1; 0 before the first.
    pub generation: u64,
    /// Of a run: members up to this place are done.
    pub position: Option<Position>,
    /// Of a run: its generation has come to the end.
    pub ended: bool,
    /// For a run whose window has a limit: the run that takes the next member, and its room, by partner policy.
    pub fills: BTreeMap<String, (Timestamp, u32)>,
}

/// What a worker leaves behind that gave up in the middle.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Left {
    /// Members that are not done.
    pub ids: Vec<String>,
    /// How many of the others were skipped, by reason.
    #[serde(default)]
    pub skips: BTreeMap<String, u64>,
    /// Of a run: which of the members are postponed, to which run, and how many that takes.
    #[serde(default)]
    pub postponed: BTreeMap<String, (Timestamp, u32)>,
}

pub(crate) const DONE_AT: &str = "done";
/// When a worker gave a lease up before the work was done, in milliseconds since 1970.
pub(crate) const RELEASED_AT: &str = "at";
const GENERATION: &str = "gen";
const POSITION: &str = "pos";
const ENDED: &str = "ended";
const FILLS: &str = "fills";

impl Unit {
    pub(crate) fn key(&self) -> Item {
        match self {
            Self::Chunk(job, number) => key(keys::job(job), keys::chunk_lease(*number)),
            Self::Walk(job) => key(keys::job(job), keys::WALK_LEASE),
            Self::Run(slot) => key(keys::run(slot), keys::RUN),
            Self::Request(id) => key(keys::request(id), keys::WORK),
        }
    }
}

impl Table {
    /// Takes the lease on a unit, for [`LEASE`] from `now`. This worker's own lease, left by an invocation that ended
    /// without releasing it, is taken over.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn take_lease(&self, unit: &Unit, now: Timestamp) -> Result<Leased, TableError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(unit.key()))
            .condition_expression(
                "attribute_not_exists(#done) AND (attribute_not_exists(#until) OR #until < :now OR #worker = :worker)",
            )
            .update_expression("SET #worker = :worker, #until = :until, #ttl = :ttl")
            .expression_attribute_names("#done", DONE_AT)
            .expression_attribute_names("#until", LEASED_UNTIL)
            .expression_attribute_names("#worker", WORKER)
            .expression_attribute_names("#ttl", TTL)
            .expression_attribute_values(":worker", s(&self.writer))
            .expression_attribute_values(":now", n(now.as_millisecond()))
            .expression_attribute_values(":until", n(lease_end(now)))
            .expression_attribute_values(":ttl", n(kept_until(now)))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match update.send().await {
            Ok(answer) => progress(&answer.attributes.unwrap_or_default()).map(Leased::Taken),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    refused(failed.item().unwrap_or(&Item::new()), now)
                }
                _ => Err(TableError::call("UpdateItem")(error)),
            },
        }
    }

    /// Gives a lease up before the work is done, with what is left of it. A worker that took the lease since then keeps it.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn release_lease(&self, unit: &Unit, left: Option<&Left>, now: Timestamp) -> Result<(), TableError> {
        let mut update = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(unit.key()))
            .condition_expression("#worker = :worker")
            .expression_attribute_names("#worker", WORKER)
            .expression_attribute_names("#until", LEASED_UNTIL)
            .expression_attribute_values(":worker", s(&self.writer))
            .expression_attribute_names("#at", RELEASED_AT)
            .expression_attribute_values(":now", n(now.as_millisecond()));
        let mut expression = "SET #at = :now REMOVE #worker, #until".to_owned();
        if let Some(left) = left {
            expression = "SET #at = :now, #left = :left REMOVE #worker, #until".to_owned();
            update =
                update.expression_attribute_names("#left", LEFT).expression_attribute_values(":left", s(json(left)));
        }
        ignoring_conditions(update.update_expression(expression).send().await)
    }

    /// Notes how far a run has come, and keeps its lease or gives it up.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn note_progress(
        &self,
        slot: &Slot,
        progress: &Progress,
        lease: Lease,
        now: Timestamp,
    ) -> Result<(), TableError> {
        let mut sets = vec!["#gen = :gen", "#fills = :fills", "#ttl = :ttl"];
        let mut removes = Vec::new();
        let mut update = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(Unit::Run(slot.clone()).key()))
            .condition_expression("#worker = :worker")
            .expression_attribute_names("#worker", WORKER)
            .expression_attribute_values(":worker", s(&self.writer))
            .expression_attribute_names("#until", LEASED_UNTIL)
            .expression_attribute_names("#gen", GENERATION)
            .expression_attribute_values(":gen", n(progress.generation))
            .expression_attribute_names("#fills", FILLS)
            .expression_attribute_values(":fills", s(json(&progress.fills)))
            .expression_attribute_names("#ttl", TTL)
            .expression_attribute_values(":ttl", n(kept_until(now)))
            .expression_attribute_names("#pos", POSITION)
            .expression_attribute_names("#ended", ENDED)
            .expression_attribute_names("#left", LEFT);
        match &progress.left {
            Some(left) => {
                sets.push("#left = :left");
                update = update.expression_attribute_values(":left", s(json(left)));
            }
            None => removes.push("#left"),
        }
        match &progress.position {
            Some(position) => {
                sets.push("#pos = :pos");
                update = update.expression_attribute_values(":pos", s(&position.0));
            }
            None => removes.push("#pos"),
        }
        if progress.ended {
            sets.push("#ended = :ended");
            update = update.expression_attribute_values(":ended", s("yes"));
        } else {
            removes.push("#ended");
        }
        match lease {
            Lease::Keep => {
                sets.push("#until = :until");
                update = update.expression_attribute_values(":until", n(lease_end(now)));
            }
            Lease::Release => removes.push("#until"),
        }
        let mut expression = format!("SET {}", sets.join(", "));
        if !removes.is_empty() {
            expression = format!("{expression} REMOVE {}", removes.join(", "));
        }
        update.update_expression(expression).send().await.map_err(TableError::call("UpdateItem")).map(drop)
    }

    /// Records that a request's message is on its stage: from now on its silence counts, and a worker that takes up the same
    /// request has nothing to do.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn finish_request(&self, id: &str, now: Timestamp) -> Result<(), TableError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(Unit::Request(id.to_owned()).key()))
            .update_expression("SET #done = :now, #ttl = :ttl REMOVE #until")
            .expression_attribute_names("#done", DONE_AT)
            .expression_attribute_names("#until", LEASED_UNTIL)
            .expression_attribute_names("#ttl", TTL)
            .expression_attribute_values(":now", s(now.to_string()))
            .expression_attribute_values(":ttl", n(kept_until(now)));
        update.send().await.map_err(TableError::call("UpdateItem")).map(drop)
    }
}

/// The state of a lease after progress is noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lease {
    /// It is renewed.
    Keep,
    /// It is given up.
    Release,
}

/// When a lease that is taken at `now` ends, in milliseconds since 1970.
pub(crate) fn lease_end(now: Timestamp) -> i64 {
    now.as_millisecond().saturating_add(i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX))
}

pub(crate) fn kept_until(now: Timestamp) -> i64 {
    now.as_second().saturating_add(RECORD_KEPT.as_secs())
}

fn refused(item: &Item, now: Timestamp) -> Result<Leased, TableError> {
    if item.contains_key(DONE_AT) {
        return Ok(Leased::Done);
    }
    let until = number::<i64>(item, LEASED_UNTIL).and_then(|ms| Timestamp::from_millisecond(ms).ok());
    Ok(Leased::Busy(until.unwrap_or(now)))
}

pub(crate) fn progress(item: &Item) -> Result<Progress, TableError> {
    let left = item.contains_key(LEFT).then(|| read(item, LEFT)).transpose()?;
    let fills = item.contains_key(FILLS).then(|| read(item, FILLS)).transpose()?.unwrap_or_default();
    Ok(Progress {
        left,
        generation: number(item, GENERATION).unwrap_or(0),
        position: text(item, POSITION).ok().map(|position| Position(position.to_owned())),
        ended: item.contains_key(ENDED),
        fills,
    })
}

impl Left {
    /// The members as ids.
    ///
    /// # Errors
    /// When one of them is no id.
    pub fn members(&self) -> Result<Vec<InterchangeId>, TableError> {
        let ids = self.ids.iter().map(|id| InterchangeId::new(id.as_str())).collect::<Result<_, _>>();
        ids.map_err(|e| unreadable(&Item::new(), &e.to_string()))
    }
}

/// A write on the condition that this worker still holds the lease: where it does not, there is nothing to give up.
fn ignoring_conditions<T>(
    result: Result<T, aws_sdk_dynamodb::error::SdkError<UpdateItemError>>,
) -> Result<(), TableError> {
    match result {
        Err(error) if !error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception) => {
            Err(TableError::call("UpdateItem")(error))
        }
        _ => Ok(()),
    }
}
