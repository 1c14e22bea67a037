//! A flow and its failure groups as the API shows them.

use std::collections::BTreeMap;

use domain::{Category, ConfigProblem, Fingerprint, Flow, Minute, Status, Timestamp};
use serde_json::Value;

use crate::flow::config_json;
use crate::object::Object;

/// What is known of a flow beside its configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FlowFacts {
    /// Interchanges by status; those left out are none.
    pub counts: BTreeMap<Status, u64>,
    /// When the oldest failure happened that is not resolved, rounded by its age.
    pub oldest_failure_at: Option<Timestamp>,
    /// When the newest one happened, rounded in the same way.
    pub newest_failure_at: Option<Timestamp>,
    /// The next automatic retry of any of its interchanges.
    pub next_run_at: Option<Minute>,
}

/// Failures of a flow that share a fingerprint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// What they share.
    pub fingerprint: Fingerprint,
    /// The message of one of them.
    pub message: Option<String>,
    /// The category of one of them.
    pub category: Category,
    /// How many are failed now.
    pub count: u64,
    /// When the first of them failed.
    pub first_seen_at: Option<Timestamp>,
    /// When the last of them failed.
    pub last_seen_at: Option<Timestamp>,
}

/// A flow: its facts, and its whole configuration beside them. What of the stored configuration this release does not
/// understand is told as `problems`; what stands in its place is what counts until then.
#[must_use]
pub fn flow_summary(flow: &Flow, facts: &FlowFacts) -> Value {
    let counts = Status::ALL.iter().fold(Object::new(), |counts, status| {
        counts.with(status.as_str(), facts.counts.get(status).copied().unwrap_or_default())
    });
    config_json(flow)
        .with("flow", flow.name.as_str())
        .with("version", flow.version)
        .with("counts", counts)
        .time("oldestFailureAt", facts.oldest_failure_at)
        .time("newestFailureAt", facts.newest_failure_at)
        .time("nextRunAt", facts.next_run_at.map(Minute::timestamp))
        .maybe("problems", Some(problems(flow)).filter(|problems| !problems.is_empty()))
        .into()
}

fn problems(flow: &Flow) -> Vec<Value> {
    let problem = |problem: &ConfigProblem| {
        Object::new().maybe("field", problem.field.as_deref()).with("problem", problem.problem.as_str()).into()
    };
    flow.problems.iter().map(problem).collect()
}

/// A failure group.
#[must_use]
pub fn group(group: &Group) -> Value {
    Object::new()
        .with("fingerprint", group.fingerprint.as_str())
        .maybe("message", group.message.as_deref())
        .with("category", group.category.as_str())
        .with("count", group.count)
        .time("firstSeenAt", group.first_seen_at)
        .time("lastSeenAt", group.last_seen_at)
        .into()
}
