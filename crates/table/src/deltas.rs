//! What a commit adds to counts. Each writer adds to rows of its own, so that no two transactions meet on a row.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::Update;
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use domain::{Fingerprint, FlowName, Interchange, JobId, Status, Timestamp};

use crate::Work;
use crate::item::{Item, key, n, s};
use crate::keys::{self, CHANGED_AT, CHANGES, FLOWS};

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
    samples: BTreeMap<Place, Sample>,
}

#[derive(Debug, Clone)]
struct Sample {
    message: Option<String>,
    category: &'static str,
    seen: Timestamp,
}

pub(crate) const GROUP_COUNT: &str = "n";
pub(crate) const SENT: &str = "sent";
pub(crate) const COMPLETED: &str = "completed";
pub(crate) const FAILED_AGAIN: &str = "failedAgain";

impl Deltas {
    /// Adds what committing `work` changes.
    pub(crate) fn add(&mut self, work: &Work) {
        let after = &work.after;
        if let Some(before) = &work.before {
            self.stands(before, -1);
        }
        self.stands(after, 1);
        if after.status.is_failed() {
            self.sample(after);
        }
        let finished = work.before.as_ref().filter(|b| b.status.is_in_flight()).and_then(|b| b.job.as_ref());
        if let Some(job) = finished.filter(|_| !after.status.is_in_flight()) {
            let what = if after.status == Status::Completed { COMPLETED } else { FAILED_AGAIN };
            self.change(Place::Job(job.clone()), what, 1);
        }
        let acted_on_by = work.before.as_ref().and_then(|before| before.job.as_ref());
        if let Some(job) = after.job.as_ref().filter(|job| acted_on_by != Some(job)) {
            self.change(Place::Job(job.clone()), SENT, 1);
        }
    }

    fn stands(&mut self, interchange: &Interchange, by: i64) {
        self.change(Place::Flow(interchange.flow.clone()), interchange.status.as_str(), by);
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
    pub(crate) fn updates(&self, table: &str, writer: &str, now: Timestamp) -> Vec<Update> {
        self.places
            .iter()
            .filter(|(_, adds)| adds.values().any(|by| *by != 0))
            .filter_map(|(place, adds)| {
                let sample = self.samples.get(place);
                update(table, row_key(place, writer), adds, sample, now).build().ok()
            })
            .collect()
    }
}

fn row_key(place: &Place, writer: &str) -> Item {
    match place {
        Place::Flow(flow) => key(FLOWS, keys::flow_row(flow, writer)),
        Place::Group(flow, group) => key(keys::flow(flow), keys::group_row(group.as_str(), writer)),
        Place::Job(job) => key(keys::job(job), keys::count(writer)),
    }
}

fn update(
    table: &str,
    row: Item,
    adds: &BTreeMap<String, i64>,
    sample: Option<&Sample>,
    now: Timestamp,
) -> UpdateBuilder {
    let mut update = Update::builder().table_name(table).set_key(Some(row));
    let mut parts = Vec::new();
    for (i, (name, by)) in adds.iter().filter(|(_, by)| **by != 0).enumerate() {
        parts.push(format!("#a{i} :a{i}"));
        update = update
            .expression_attribute_names(format!("#a{i}"), name)
            .expression_attribute_values(format!(":a{i}"), n(by));
    }
    // How often and when it was changed last: by these the sweep folds rows that are quiet.
    let mut expression = format!("ADD #k :one, {} SET #at = :now", parts.join(", "));
    update = update
        .expression_attribute_names("#k", CHANGES)
        .expression_attribute_values(":one", n(1))
        .expression_attribute_names("#at", CHANGED_AT)
        .expression_attribute_values(":now", s(now.to_string()));
    if let Some(sample) = sample {
        expression.push_str(
            ", msg = if_not_exists(msg, :msg), cat = if_not_exists(cat, :cat), \
             seen0 = if_not_exists(seen0, :seen), seen1 = :seen",
        );
        update = update
            .expression_attribute_values(":msg", s(sample.message.clone().unwrap_or_default()))
            .expression_attribute_values(":cat", s(sample.category))
            .expression_attribute_values(":seen", s(sample.seen.to_string()));
    }
    update.update_expression(expression)
}

/// A plain update that adds one job's skips (and chunks done) to the rows of `writer`.
pub(crate) fn job_update(
    table: &str,
    writer: &str,
    job: &JobId,
    adds: &BTreeMap<String, i64>,
    now: Timestamp,
) -> Option<Update> {
    update(table, row_key(&Place::Job(job.clone()), writer), adds, None, now).build().ok()
}
