//! One line of the event log as the API shows it.

use domain::{Event, EventKind, FailureNoted, Requested, Revision, Warning};
use serde_json::Value;

use super::interchange::{error_json, revision_json};
use crate::object::Object;

/// An event, with the members that its kind has.
#[must_use]
pub fn event(event: &Event) -> Value {
    Object::new()
        .with("sequence", event.sequence)
        .with("at", event.at.to_string())
        .with("kind", word(&event.kind))
        .with("attempt", event.attempt)
        .with("actor", event.actor.as_str())
        .and(particulars(&event.kind))
        .maybe("warnings", warnings(&event.warnings))
        .into()
}

fn word(kind: &EventKind) -> &str {
    match kind {
        EventKind::Other { kind, .. } => kind,
        known => known.as_str(),
    }
}

fn particulars(kind: &EventKind) -> Object {
    let object = Object::new();
    match kind {
        EventKind::Failed(noted) | EventKind::PartiallyFailed(noted) => failure(noted),
        EventKind::RetryScheduled { next_retry_at, why } => {
            object.time("nextRetryAt", Some(next_retry_at.timestamp())).with("why", why.as_str())
        }
        EventKind::Requested(requested) => request(requested),
        EventKind::InNetwork { occurred_at } | EventKind::Completed { occurred_at } => {
            object.time("occurredAt", Some(*occurred_at))
        }
        EventKind::RetryHeld | EventKind::AssumedCompleted | EventKind::OutcomeOverdue => object,
        EventKind::SendFailed { error, queue_url } => {
            object.with("error", Object::new().with("message", error.as_str())).maybe("queueUrl", queue_url.as_deref())
        }
        EventKind::RetrySkipped { why } => object.with("why", why.as_str()),
        EventKind::Exhausted { rule } => object.with("rule", rule.as_str()),
        EventKind::LateOutcome { outcome, occurred_at, sender_payload, receiver_payload } => object
            .with("outcome", outcome.as_str())
            .time("occurredAt", Some(*occurred_at))
            .maybe("payloads", payloads(sender_payload.as_ref(), receiver_payload.as_ref())),
        EventKind::Deleted { reason, job } | EventKind::Erased { reason, job } => {
            object.with("reason", reason.as_str()).maybe("job", job.as_ref().map(|job| job.0.as_str()))
        }
        EventKind::Other { stored, .. } => {
            object.with("stored", serde_json::from_str::<Value>(stored).unwrap_or_default())
        }
    }
}

fn warnings(warnings: &[Warning]) -> Option<Vec<Value>> {
    let shown = |warning: &Warning| {
        Object::new().with("field", warning.field.as_str()).with("problem", warning.problem.as_str()).into()
    };
    (!warnings.is_empty()).then(|| warnings.iter().map(shown).collect())
}

fn failure(noted: &FailureNoted) -> Object {
    Object::new()
        .time("occurredAt", Some(noted.occurred_at))
        .with("phase", noted.phase.as_str())
        .maybe("origin", noted.origin.as_deref())
        .with("error", error_json(&noted.error))
        .maybe("payloads", payloads(noted.sender_payload.as_ref(), noted.receiver_payload.as_ref()))
        .maybe("job", noted.job.as_ref().map(|job| job.0.as_str()))
}

fn payloads(sender: Option<&Revision>, receiver: Option<&Revision>) -> Option<Object> {
    let payloads =
        Object::new().maybe("sender", sender.map(revision_json)).maybe("receiver", receiver.map(revision_json));
    Some(payloads).filter(|payloads| !payloads.is_empty())
}

fn request(requested: &Requested) -> Object {
    let payload = Object::new().with("side", requested.side.as_str()).and(revision_json(&requested.payload));
    Object::new()
        .with("action", requested.action.as_str())
        .with("trigger", requested.trigger.as_str())
        .maybe("reason", requested.reason.as_deref())
        .maybe("job", requested.job.as_ref().map(|job| job.0.as_str()))
        .with("payload", payload)
        .with("queueUrl", requested.queue_url.as_str())
}
