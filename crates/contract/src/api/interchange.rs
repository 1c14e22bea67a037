//! An interchange as the API shows it.

use domain::{ErrorInfo, Event, Flow, FlowName, Interchange, InterchangeId, Part, Payloads, Revision};
use serde_json::Value;

use super::event;
use crate::flow::policy_json;
use crate::object::Object;

/// An interchange as a row of a list and as the answer of an action.
#[must_use]
pub fn interchange(interchange: &Interchange) -> Value {
    row(interchange, side_json).into()
}

/// A row of a list whose interchange cannot be read by this release.
#[must_use]
pub fn unreadable_interchange(id: &InterchangeId, flow: &FlowName) -> Value {
    Object::new().with("interchangeId", id.as_str()).with("flow", flow.as_str()).with("unreadable", true).into()
}

/// Everything but the payloads: the row, its event log, every payload revision, the retry policy that counts, and where
/// the next automatic retry stands in it. `events` may be the newest part of the log alone, which the answer then tells.
#[must_use]
pub fn interchange_detail(interchange: &Interchange, events: &[Event], flow: &Flow) -> Value {
    // The log counts from 1 without a gap.
    let before = events.first().map(|event| event.sequence).filter(|first| *first > 1);
    let events: Vec<Value> = events.iter().map(event).collect();
    row(interchange, side_with_revisions)
        .maybe("traceparent", interchange.parties.traceparent.as_deref())
        .maybe("orderKey", interchange.parties.order_key.as_deref())
        .with("events", events)
        .maybe("eventsBefore", before)
        .maybe("nextRetry", next_retry(interchange, flow))
        .with("retryPolicy", retry_policy(interchange, flow))
        .into()
}

fn row(interchange: &Interchange, side: impl Fn(&Payloads) -> Option<Object>) -> Object {
    let parties = &interchange.parties;
    let parts: Vec<Value> = interchange.parts.iter().map(part_json).collect();
    let payloads = Object::new()
        .maybe("sender", side(&interchange.sender_payloads))
        .maybe("receiver", side(&interchange.receiver_payloads));
    Object::new()
        .with("interchangeId", interchange.id.as_str())
        .with("flow", interchange.flow.as_str())
        .with("status", interchange.status.as_str())
        .with("phase", interchange.phase.as_str())
        .maybe("origin", interchange.origin.as_deref())
        .maybe("sender", parties.sender.as_deref())
        .maybe("receiver", parties.receiver.as_deref())
        .maybe("partner", parties.partner.as_deref())
        .maybe("sourceId", parties.source_id.as_deref())
        .maybe("correlationId", parties.correlation_id.as_deref())
        .with("attempt", interchange.attempt)
        .with("tries", interchange.tries)
        .time("failedAt", Some(interchange.failure.at))
        .time("nextRetryAt", interchange.next_retry_at.map(|minute| minute.timestamp()))
        .with("exhausted", interchange.exhausted)
        .with("group", interchange.group.as_str())
        .maybe("job", interchange.job.as_ref().map(|job| job.0.as_str()))
        .with("version", interchange.version)
        .with("error", error_json(&interchange.error))
        .maybe("parts", Some(parts).filter(|parts| !parts.is_empty()))
        .with("payloads", payloads)
}

fn part_json(part: &Part) -> Value {
    Object::new()
        .with("id", part.id.as_str())
        .with("status", part.status.as_str())
        .maybe("message", part.message.as_deref())
        .into()
}

/// The current revision of a side.
fn side_json(payloads: &Payloads) -> Option<Object> {
    payloads.current().map(revision_json)
}

/// The current revision of a side, and beside it every one that is kept, as they came.
fn side_with_revisions(payloads: &Payloads) -> Option<Object> {
    let mut revisions: Vec<&Revision> = payloads.0.iter().collect();
    revisions.sort_by_key(|revision| revision.number);
    let revisions: Vec<Value> = revisions.into_iter().map(|revision| revision_json(revision).into()).collect();
    side_json(payloads).map(|current| current.with("revisions", revisions))
}

/// The next automatic retry, while there is one: when, its number and the limit, its schedule, whose policy it is
/// where it is a partner's, and what it will do.
fn next_retry(interchange: &Interchange, flow: &Flow) -> Option<Object> {
    let at = interchange.next_retry_at?;
    let position = flow.retry_position(interchange);
    Some(
        Object::new()
            .time("at", Some(at.timestamp()))
            .with("number", position.number)
            .with("of", position.of)
            .with("kind", position.kind)
            .maybe("partner", position.partner)
            .with("action", interchange.automatic_action(flow).as_str()),
    )
}

/// The policy that counts for this interchange, and why its next retry is when it is.
fn retry_policy(interchange: &Interchange, flow: &Flow) -> Object {
    let partner = interchange.parties.partner.as_deref();
    let overriding = partner.filter(|partner| flow.partners.contains_key(*partner));
    policy_json(flow.retry_for(partner)).maybe("partner", overriding).maybe("why", interchange.retry_note.as_deref())
}

pub(super) fn error_json(error: &ErrorInfo) -> Object {
    Object::new()
        .with("category", error.category.as_str())
        .maybe("code", error.code.as_deref())
        .maybe("message", error.message.as_deref())
}

pub(super) fn revision_json(revision: &Revision) -> Object {
    Object::new()
        .with("revision", revision.number)
        .with("bytes", revision.meta.bytes)
        .with("sha256", revision.meta.digest.to_string())
        .maybe("contentType", revision.meta.content_type.as_deref())
}
