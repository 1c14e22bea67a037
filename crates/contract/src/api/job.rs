//! A job as the API shows it.

use domain::{FlowName, Job, JobCounts, JobId};
use serde_json::Value;

use super::selection_json;
use crate::object::Object;

/// A row of a list whose job cannot be read by this release.
#[must_use]
pub fn unreadable_job(id: &JobId, flow: &FlowName) -> Value {
    Object::new().with("id", id.0.as_str()).with("flow", flow.as_str()).with("unreadable", true).into()
}

/// A job with what it has come to so far.
#[must_use]
pub fn job(job: &Job, counts: &JobCounts) -> Value {
    let skips = counts.skips.iter().fold(Object::new(), |skips, (reason, count)| skips.with(reason, *count));
    let counted = Object::new()
        .with("matched", counts.matched)
        .with("sent", counts.sent)
        .with("skipped", counts.skipped())
        .with("completed", counts.completed)
        .with("failedAgain", counts.failed_again);
    Object::new()
        .with("id", job.id.0.as_str())
        .with("flow", job.flow.as_str())
        .with("action", job.action.as_str())
        .with("status", job.status.as_str())
        .with("reason", job.reason.as_str())
        .with("actor", job.actor.as_str())
        .with("selection", selection_json(&job.selection))
        .time("asOf", Some(job.as_of))
        .maybe("rate", job.limits.rate)
        .maybe("cap", job.limits.cap)
        .maybe("canary", job.limits.canary)
        .time("createdAt", Some(job.created_at))
        .time("startedAt", job.started_at)
        .time("endedAt", job.ended_at)
        .with("counts", counted)
        .maybe("halt", job.halt.as_deref())
        .maybe("stuck", Some(job.stuck).filter(|stuck| *stuck))
        .maybe("skips", Some(skips).filter(|skips| !skips.is_empty()))
        .into()
}
