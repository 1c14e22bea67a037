//! What a commit adds to counts. Each writer adds to rows of its own, so that no two transactions meet on a row.
//! A flow's rows also count when the failures that are not resolved happened (`failure_histogram.rs`), and each writer begins a new
//! one every hour, so that none grows with the hours of an outage.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::Update;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use domain::{Fingerprint, FlowName, Interchange, JobCount, JobId, Timestamp, job_counts};

use crate::Work;
use crate::failure_histogram::Bucket;
use crate::item::{Item, key, n, s};
use crate::keys::{self, CHANGED_AT, CHANGES, FLOWS, TTL};

/// The row that a count stands in; a writer's name completes its key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Place {
    Flow(FlowName),
    Group(FlowName, Fingerprint),
    Job(JobId),
}

/// What a transaction adds to counts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Deltas {
    places: BTreeMap<Place, BTreeMap<String, i64>>,
    /// Failures that are not resolved, by the minute they happened in.
    unresolved: BTreeMap<FlowName, BTreeMap<Bucket, i64>>,
    samples: BTreeMap<Place, Sample>,
}

#[derive(Debug, Clone)]
struct Sample {
    message: Option<String>,
    category: &'static str,
    seen: Timestamp,
}

pub(crate) const GROUP_COUNT: &str = "n";
/// Failures of a flow that have a next automatic retry.
pub(crate) const SCHEDULED: &str = "next";
pub(crate) const SENT: &str = "sent";
pub(crate) const COMPLETED: &str = "completed";
pub(crate) const FAILED_AGAIN: &str = "failedAgain";

impl Deltas {
    /// Adds what committing `work` changes.
    pub(crate) fn add(&mut self, work: &Work) {
        let after = &work.after;
        if let Some(before) = work.before.as_ref().filter(|before| !before.is_early()) {
            self.stands(before, -1);
        }
        if after.is_early() {
            return;
        }
        self.stands(after, 1);
        if after.status.is_failed() {
            self.sample(after);
        }
        for (job, count, by) in job_counts(work.before.as_ref(), after) {
            let what = match count {
                JobCount::Sent => SENT,
                JobCount::Completed => COMPLETED,
                JobCount::FailedAgain => FAILED_AGAIN,
            };
            self.change(Place::Job(job), what, by);
        }
    }

    fn stands(&mut self, interchange: &Interchange, by: i64) {
        self.change(Place::Flow(interchange.flow.clone()), interchange.status.as_str(), by);
        if interchange.next_retry_at.is_some() {
            self.change(Place::Flow(interchange.flow.clone()), SCHEDULED, by);
        }
        if !interchange.status.is_resolved() {
            let spans = self.unresolved.entry(interchange.flow.clone()).or_default();
            *spans.entry(Bucket::minute(interchange.failure.at)).or_default() += by;
        }
        if interchange.status.is_failed() {
            self.change(Place::Group(interchange.flow.clone(), interchange.group.clone()), GROUP_COUNT, by);
        }
    }

    fn sample(&mut self, interchange: &Interchange) {
        let place = Place::Group(interchange.flow.clone(), interchange.group.clone());
        let seen = interchange.failure.recorded_at;
        self.samples.entry(place).or_insert_with(|| Sample {
            message: interchange.error.message.clone(),
            category: interchange.error.category.as_str(),
            seen,
        });
    }

    fn change(&mut self, place: Place, what: &str, by: i64) {
        *self.places.entry(place).or_default().entry(what.to_owned()).or_default() += by;
    }

    /// How many rows it would touch.
    pub(crate) fn rows(&self) -> usize {
        self.places.len()
    }

    /// The updates that add them up in the rows of `writer`.
    pub(crate) fn updates(&self, table: &str, writer: &str, now: Timestamp, expires_at: i64) -> Vec<Update> {
        self.places
            .iter()
            .map(|(place, adds)| (place, self.with_spans(place, adds, now)))
            .filter(|(_, adds)| adds.values().any(|by| *by != 0))
            .filter_map(|(place, adds)| {
                let update = update(table, row_key(place, writer, now), &adds, now);
                let update = match place {
                    Place::Job(_) => expiring(update, expires_at),
                    Place::Flow(_) | Place::Group(..) => update,
                };
                sampled(update, self.samples.get(place)).build().ok()
            })
            .collect()
    }

    /// What is added to a place's row; to that of a flow, the spans of its failures too.
    fn with_spans(&self, place: &Place, adds: &BTreeMap<String, i64>, now: Timestamp) -> BTreeMap<String, i64> {
        let mut adds = adds.clone();
        if let Place::Flow(flow) = place {
            for (minute, by) in self.unresolved.get(flow).into_iter().flatten() {
                *adds.entry(minute.at(now).name()).or_default() += by;
            }
        }
        adds
    }
}

fn row_key(place: &Place, writer: &str, now: Timestamp) -> Item {
    match place {
        Place::Flow(flow) => key(FLOWS, keys::flow_row(flow, &keys::in_hour(writer, now))),
        Place::Group(flow, group) => key(keys::flow(flow), keys::group_row(group.as_str(), writer)),
        Place::Job(job) => key(keys::job(job), keys::count(writer)),
    }
}

/// The expression that adds numbers, and notes how often and when that was done last: by these the sweep folds rows
/// that are quiet.
fn update(table: &str, row: Item, adds: &BTreeMap<String, i64>, now: Timestamp) -> UpdateBuilder {
    let mut update = Update::builder()
        .table_name(table)
        .set_key(Some(row))
        .expression_attribute_names("#k", CHANGES)
        .expression_attribute_values(":one", n(1))
        .expression_attribute_names("#at", CHANGED_AT)
        .expression_attribute_values(":now", s(now.to_string()));
    let mut parts = vec!["#k :one".to_owned()];
    for (i, (name, by)) in adds.iter().filter(|(_, by)| **by != 0).enumerate() {
        parts.push(format!("#a{i} :a{i}"));
        update = update
            .expression_attribute_names(format!("#a{i}"), name)
            .expression_attribute_values(format!(":a{i}"), n(by));
    }
    update.update_expression(format!("ADD {} SET #at = :now", parts.join(", ")))
}

/// Lets a row go when its job's retention ends.
fn expiring(update: UpdateBuilder, expires_at: i64) -> UpdateBuilder {
    also(update, "#ttl = if_not_exists(#ttl, :ttl)")
        .expression_attribute_names("#ttl", TTL)
        .expression_attribute_values(":ttl", n(expires_at))
}

/// Keeps what a failure group looks like.
fn sampled(update: UpdateBuilder, sample: Option<&Sample>) -> UpdateBuilder {
    let Some(sample) = sample else { return update };
    let kept = "msg = if_not_exists(msg, :msg), cat = if_not_exists(cat, :cat), \
                seen0 = if_not_exists(seen0, :seen), seen1 = :seen";
    also(update, kept)
        .expression_attribute_values(":msg", s(sample.message.clone().unwrap_or_default()))
        .expression_attribute_values(":cat", s(sample.category))
        .expression_attribute_values(":seen", s(sample.seen.to_string()))
}

/// Lengthens the SET that ends the expression.
fn also(update: UpdateBuilder, set: &str) -> UpdateBuilder {
    let expression = update.get_update_expression().clone().unwrap_or_default();
    update.update_expression(format!("{expression}, {set}"))
}

/// A plain update that adds one job's skips (and chunks done) to the rows of `writer`.
pub(crate) fn job_update(
    table: &str,
    writer: &str,
    job: &JobId,
    adds: &BTreeMap<String, i64>,
    now: Timestamp,
    expires_at: i64,
) -> Option<Update> {
    expiring(update(table, row_key(&Place::Job(job.clone()), writer, now), adds, now), expires_at).build().ok()
}
