//! The log's lines: one for each thing that became of a message, an action, a job or a slot, told when it is certain.
//!
//! Ids are fields of their own. Never in a line: a payload, what a failure's message says (pipelines quote payloads there),
//! or the reason that a person gave. Category and code name the error.

use domain::{
    Digest, Event, EventKind, Flow, Interchange, InterchangeId, Job, JobAction, JobId, JobStatus, ReportKind, Slot,
    Timestamp,
};
use queues::WorkItem;
use table::Work;
use tracing::info;

use crate::admit::WorkMessage;
use crate::execute::Claimed;
use crate::metric;
use crate::triage::{ReportResult, Verdict};

/// What a message of the failures queue came to; `stands` is its interchange as it stands now, where there is one.
pub(crate) fn report(told: &ReportResult<'_>, stands: Option<&Interchange>) {
    let report = &told.intake.incoming.report;
    let queued_at = told.intake.queued_at;
    let (kind, attempt, next_retry_at, exhausted) = match told.verdict {
        Verdict::News { kind, attempt, next_retry_at, exhausted } => {
            // No event comes after it was queued: where it says so, the pipeline's clock is ahead.
            metric::ingested(report.occurred_at.map_or(queued_at, |at: Timestamp| at.min(queued_at)));
            (kind, Some(attempt), next_retry_at, exhausted)
        }
        Verdict::Repeat => {
            metric::count(metric::Metric::Duplicates, 1);
            ("duplicate", report.attempt, None, false)
        }
        Verdict::Early => ("early_outcome", report.attempt, None, false),
        Verdict::NeverFailed => ("never_failed", report.attempt, None, false),
    };
    let error = match &report.kind {
        ReportKind::Failed(failure) => Some(&failure.error),
        ReportKind::InNetwork | ReportKind::Completed => None,
    };
    info!(
        interchangeId = report.id.as_str(),
        flow = report.flow.as_str(),
        attempt,
        outcome = kind,
        category = error.map(|error| error.category.as_str()),
        code = error.and_then(|error| error.code.as_deref()),
        nextRetryAt = next_retry_at.map(display),
        exhausted = exhausted.then_some(true),
        job = stands.and_then(|i| i.job.as_ref()).map(|job| job.0.as_str()),
        traceparent = stands.and_then(|i| i.parties.traceparent.as_deref()),
        warnings = told.warnings.as_deref(),
        "a report was judged"
    );
}

/// What was committed otherwise than by a report. A re-entry is told when it is sent.
pub(crate) fn committed(work: &Work) {
    metric::committed(&work.events);
    let first = work.events.first();
    if first.is_some_and(|event| matches!(event.kind, EventKind::Requested(_))) {
        return;
    }
    let after = &work.after;
    info!(
        interchangeId = after.id.as_str(),
        flow = after.flow.as_str(),
        attempt = after.attempt,
        outcome = first.map_or("planned_anew", |event: &Event| event.kind.as_str()),
        actor = first.map(|event| event.actor.as_str()),
        category = after.status.is_failed().then_some(after.error.category.as_str()),
        nextRetryAt = after.next_retry_at.map(display),
        exhausted = after.exhausted.then_some(true),
        job = after.job.as_ref().map(|job| job.0.as_str()),
        traceparent = after.parties.traceparent.as_deref(),
        "an interchange was changed"
    );
}

/// A re-entry that SQS has taken. Without an actor it is one that was claimed before and comes again.
pub(crate) fn sent(claimed: &Claimed) {
    let interchange = &claimed.interchange;
    let Some(flight) = &interchange.flight else { return };
    info!(
        interchangeId = interchange.id.as_str(),
        flow = interchange.flow.as_str(),
        attempt = interchange.attempt,
        outcome = if claimed.by.is_some() { "sent" } else { "sent_again" },
        action = flight.action.as_str(),
        trigger = flight.trigger.as_str(),
        actor = claimed.by.as_ref().map(|actor| actor.as_str()),
        job = interchange.job.as_ref().map(|job| job.0.as_str()),
        claim = %flight.claim,
        traceparent = interchange.parties.traceparent.as_deref(),
        "a re-entry was sent"
    );
}

/// An interchange whose deadline passed without a recorded send: its work is done again.
pub(crate) fn unrecorded(interchange: &Interchange) {
    info!(
        interchangeId = interchange.id.as_str(),
        flow = interchange.flow.as_str(),
        attempt = interchange.attempt,
        outcome = "send_unrecorded",
        job = interchange.job.as_ref().map(|job| job.0.as_str()),
        claim = interchange.flight.as_ref().map(|flight| tracing::field::display(&flight.claim)),
        "a deadline passed without a recorded send"
    );
}

/// An interchange that DynamoDB does not take as it would be.
pub(crate) fn unstorable(work: &Work, cause: &str) {
    tracing::error!(
        interchangeId = work.after.id.as_str(),
        flow = work.after.flow.as_str(),
        outcome = "unstorable",
        cause,
        "an interchange cannot be stored"
    );
}

/// A work item that failed too often.
pub(crate) fn set_aside(item: &WorkItem) {
    metric::count(metric::Metric::WorkSetAside, 1);
    tracing::error!(?item, outcome = "set_aside", "a work item failed too often");
}

/// A message of the jobs queue that is not done. Its body may be anything: it is named, not shown.
pub(crate) fn refused_work(message: &WorkMessage<'_>, why: &str) {
    metric::count(metric::Metric::WorkRefused, 1);
    tracing::error!(
        message_id = message.id,
        bytes = message.body.len(),
        sha256 = %Digest::of(message.body.as_bytes()),
        why,
        outcome = "work_refused",
        "a message on the jobs queue is no work of Reprise"
    );
}

/// An interchange that an action, a job or a slot leaves alone.
pub(crate) fn skipped(id: &InterchangeId, why: &str, job: Option<&JobId>, slot: Option<&Slot>) {
    info!(
        interchangeId = id.as_str(),
        flow = slot.map(|slot| slot.flow.as_str()),
        outcome = "skipped",
        why,
        job = job.map(|job| job.0.as_str()),
        slot = slot.map(|slot| display(slot.minute)),
        "an interchange was left alone"
    );
}

/// An action on one interchange that is not done.
pub(crate) fn refused(id: &InterchangeId, action: JobAction, actor: &str, why: &str) {
    info!(
        interchangeId = id.as_str(),
        outcome = "refused",
        why,
        action = action.as_str(),
        trigger = "manual",
        actor,
        "an action was refused"
    );
}

/// A job that stands at `status` now.
pub(crate) fn job(job: &Job, status: JobStatus) {
    if status == JobStatus::Halted {
        metric::count(metric::Metric::JobsHalted, 1);
    }
    info!(
        job = job.id.0,
        flow = job.flow.as_str(),
        outcome = status.as_str(),
        action = job.action.as_str(),
        actor = job.actor,
        "a job moved on"
    );
}

/// A configuration that is stored.
pub(crate) fn configured(flow: &Flow, actor: &str) {
    info!(flow = flow.name.as_str(), outcome = "configured", version = flow.version, actor, "a flow was configured");
}

/// A slot's batches that were seen to.
pub(crate) fn slot(slot: &Slot, members: usize, changed: usize) {
    info!(flow = slot.flow.as_str(), slot = %slot.minute, outcome = "slot_run", members, changed, "a slot was seen to");
}
