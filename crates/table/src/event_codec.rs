//! The log's items: the events of one commit are one JSON text, and an item holds those of one commit or of several.

use domain::{
    Actor, Category, ErrorInfo, Event, EventKind, FailureNoted, JobId, Known, Minute, PayloadSide, Phase, Reentry,
    Requested, Revision, Timestamp, Trigger, Warning,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::TableError;
use crate::codec::{StoredRevision, revision, stored_revision};
use crate::item::{Item, json, log_unreadable, unreadable};
use crate::keys::DATA;

#[derive(Serialize)]
pub(crate) struct StoredEvent<K> {
    n: u64,
    at: Timestamp,
    a: u32,
    /// `-` the pipeline, `*` the scheduler, else `=` and a person.
    by: String,
    k: K,
    /// Warnings: field and problem.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    w: Vec<(String, String)>,
}

/// A stored event, its kind as it stands.
#[derive(Deserialize)]
struct ReadEvent<'a> {
    n: u64,
    at: Timestamp,
    a: u32,
    by: String,
    #[serde(borrow)]
    k: &'a RawValue,
    #[serde(default)]
    w: Vec<(String, String)>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StoredKind {
    Failed(StoredFailure),
    PartiallyFailed(StoredFailure),
    RetryScheduled {
        at: Timestamp,
        why: String,
    },
    RetryHeld,
    RetrySkipped {
        why: String,
    },
    Requested(Box<StoredRequest>),
    InNetwork {
        at: Timestamp,
    },
    Completed {
        at: Timestamp,
    },
    AssumedCompleted,
    OutcomeOverdue,
    SendFailed {
        e: String,
        q: Option<String>,
    },
    Exhausted {
        rule: String,
    },
    LateOutcome {
        o: String,
        at: Timestamp,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sp: Option<StoredRevision>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rp: Option<StoredRevision>,
    },
    Deleted {
        r: String,
        j: Option<String>,
    },
    Erased {
        r: String,
        j: Option<String>,
    },
}

#[derive(Serialize, Deserialize)]
pub(crate) struct StoredFailure {
    at: Timestamp,
    ph: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    or: Option<String>,
    ec: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ek: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    em: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sp: Option<StoredRevision>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rp: Option<StoredRevision>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    j: Option<String>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct StoredRequest {
    retry: bool,
    scheduled: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    r: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    j: Option<String>,
    p: StoredRevision,
    q: String,
}

pub(crate) fn stored(events: &[Event]) -> Vec<StoredEvent<StoredKind>> {
    events.iter().filter_map(|event| Some(stored_as(event, stored_kind(&event.kind)?))).collect()
}

/// The JSON text of events that are stored again. Of one that this release does not know its word stays.
pub(crate) fn stored_again(events: &[Event]) -> String {
    let stored = |event: &Event| match (&event.kind, stored_kind(&event.kind)) {
        (EventKind::Other { kind, .. }, _) => json(&stored_as(event, kind)),
        (_, kind) => json(&stored_as(event, kind)),
    };
    format!("[{}]", events.iter().map(stored).collect::<Vec<_>>().join(","))
}

fn stored_as<K>(event: &Event, k: K) -> StoredEvent<K> {
    let by = match &event.actor {
        Actor::Pipeline => "-".to_owned(),
        Actor::Scheduler => "*".to_owned(),
        Actor::Person(name) => format!("={name}"),
    };
    let w = event.warnings.iter().map(|w| (w.field.clone(), w.problem.clone())).collect();
    StoredEvent { n: event.sequence, at: event.at, a: event.attempt, by, k, w }
}

/// The attribute that holds the events of a commit that was added to an item.
pub(crate) fn added(first_sequence: u64) -> String {
    format!("{DATA}{first_sequence}")
}

/// The JSON texts of an item that hold its events.
pub(crate) fn texts(item: &Item) -> impl Iterator<Item = &str> {
    let holds_events =
        |name: &str| name.strip_prefix(DATA).is_some_and(|first| first.bytes().all(|byte| byte.is_ascii_digit()));
    let texts = item.iter().filter(move |(name, _)| holds_events(name));
    texts.filter_map(|(_, value)| value.as_s().ok()).map(String::as_str)
}

/// The events of one item, in no order. What this release does not know is given as it is stored; what is no event at
/// all is named in the log and left out.
pub(crate) fn events(item: &Item) -> Vec<Event> {
    let mut events = Vec::new();
    for text in texts(item) {
        let passed_over = |error: serde_json::Error| log_unreadable(&unreadable(item, &format!("an event: {error}")));
        let of_commit: Vec<&RawValue> = serde_json::from_str(text).map_err(passed_over).unwrap_or_default();
        let read = of_commit.into_iter().map(|stored| serde_json::from_str::<ReadEvent<'_>>(stored.get()));
        events.extend(read.filter_map(|stored| Some(event(&stored.map_err(passed_over).ok()?, item))));
    }
    events
}

fn event(stored: &ReadEvent<'_>, item: &Item) -> Event {
    let actor = match stored.by.split_at_checked(1) {
        Some(("=", name)) => Actor::Person(name.to_owned()),
        Some(("*", _)) => Actor::Scheduler,
        _ => Actor::Pipeline,
    };
    let known = serde_json::from_str::<StoredKind>(stored.k.get()).ok().and_then(|known| kind(known, item).ok());
    let kind = known.unwrap_or_else(|| other(stored.k));
    let warnings = stored.w.iter().cloned().map(|(field, problem)| Warning { field, problem }).collect();
    Event { sequence: stored.n, at: stored.at, attempt: stored.a, actor, kind, warnings }
}

/// The word and the rest of a kind that is not known.
fn other(stored: &RawValue) -> EventKind {
    let (kind, stored) = match serde_json::from_str(stored.get()) {
        Ok(Value::String(word)) => (word, Value::Null),
        Ok(Value::Object(kind)) if kind.len() == 1 => kind.into_iter().next().unwrap_or_default(),
        Ok(stored) => ("unknown".to_owned(), stored),
        Err(_) => ("unknown".to_owned(), Value::Null),
    };
    EventKind::Other { kind, stored: stored.to_string() }
}

/// `None` for what was read of another release: it is in the log already.
fn stored_kind(kind: &EventKind) -> Option<StoredKind> {
    Some(match kind {
        EventKind::Failed(failure) => StoredKind::Failed(stored_failure(failure)),
        EventKind::PartiallyFailed(failure) => StoredKind::PartiallyFailed(stored_failure(failure)),
        EventKind::RetryScheduled { next_retry_at, why } => {
            StoredKind::RetryScheduled { at: next_retry_at.timestamp(), why: why.clone() }
        }
        EventKind::RetryHeld => StoredKind::RetryHeld,
        EventKind::RetrySkipped { why } => StoredKind::RetrySkipped { why: why.clone() },
        EventKind::Requested(requested) => StoredKind::Requested(Box::new(StoredRequest {
            retry: requested.action == Reentry::Retry,
            scheduled: requested.trigger == Trigger::Scheduled,
            r: requested.reason.clone(),
            j: requested.job.as_ref().map(|job| job.0.clone()),
            p: stored_revision(&requested.payload),
            q: requested.queue_url.clone(),
        })),
        EventKind::InNetwork { occurred_at } => StoredKind::InNetwork { at: *occurred_at },
        EventKind::Completed { occurred_at } => StoredKind::Completed { at: *occurred_at },
        EventKind::AssumedCompleted => StoredKind::AssumedCompleted,
        EventKind::OutcomeOverdue => StoredKind::OutcomeOverdue,
        EventKind::SendFailed { error, queue_url } => StoredKind::SendFailed { e: error.clone(), q: queue_url.clone() },
        EventKind::Exhausted { rule } => StoredKind::Exhausted { rule: rule.clone() },
        EventKind::LateOutcome { outcome, occurred_at, sender_payload, receiver_payload } => StoredKind::LateOutcome {
            o: outcome.as_str().to_owned(),
            at: *occurred_at,
            sp: sender_payload.as_ref().map(stored_revision),
            rp: receiver_payload.as_ref().map(stored_revision),
        },
        EventKind::Deleted { reason, job } => {
            StoredKind::Deleted { r: reason.clone(), j: job.as_ref().map(|job| job.0.clone()) }
        }
        EventKind::Erased { reason, job } => {
            StoredKind::Erased { r: reason.clone(), j: job.as_ref().map(|job| job.0.clone()) }
        }
        EventKind::Other { .. } => return None,
    })
}

fn kind(stored: StoredKind, item: &Item) -> Result<EventKind, TableError> {
    Ok(match stored {
        StoredKind::Failed(stored) => EventKind::Failed(failure(stored, item)?),
        StoredKind::PartiallyFailed(stored) => EventKind::PartiallyFailed(failure(stored, item)?),
        StoredKind::RetryScheduled { at, why } => {
            EventKind::RetryScheduled { next_retry_at: Minute::at_or_after(at), why }
        }
        StoredKind::RetryHeld => EventKind::RetryHeld,
        StoredKind::RetrySkipped { why } => EventKind::RetrySkipped { why },
        StoredKind::Requested(stored) => {
            let action = if stored.retry { Reentry::Retry } else { Reentry::Restart };
            EventKind::Requested(Box::new(Requested {
                action,
                trigger: if stored.scheduled { Trigger::Scheduled } else { Trigger::Manual },
                reason: stored.r,
                job: stored.j.map(JobId),
                side: if stored.retry { PayloadSide::Receiver } else { PayloadSide::Sender },
                payload: revision(stored.p, item)?,
                queue_url: stored.q,
            }))
        }
        StoredKind::InNetwork { at } => EventKind::InNetwork { occurred_at: at },
        StoredKind::Completed { at } => EventKind::Completed { occurred_at: at },
        StoredKind::AssumedCompleted => EventKind::AssumedCompleted,
        StoredKind::OutcomeOverdue => EventKind::OutcomeOverdue,
        StoredKind::SendFailed { e, q } => EventKind::SendFailed { error: e, queue_url: q },
        StoredKind::Exhausted { rule } => EventKind::Exhausted { rule },
        StoredKind::LateOutcome { o, at, sp, rp } => {
            let outcome = [Known::Failed, Known::InNetwork, Known::Completed].into_iter().find(|k| k.as_str() == o);
            EventKind::LateOutcome {
                outcome: outcome.ok_or_else(|| unreadable(item, "late outcome"))?,
                occurred_at: at,
                sender_payload: sp.map(|stored| revision(stored, item)).transpose()?,
                receiver_payload: rp.map(|stored| revision(stored, item)).transpose()?,
            }
        }
        StoredKind::Deleted { r, j } => EventKind::Deleted { reason: r, job: j.map(JobId) },
        StoredKind::Erased { r, j } => EventKind::Erased { reason: r, job: j.map(JobId) },
    })
}

fn stored_failure(failure: &FailureNoted) -> StoredFailure {
    StoredFailure {
        at: failure.occurred_at,
        ph: failure.phase.as_str().to_owned(),
        or: failure.origin.clone(),
        ec: failure.error.category.as_str().to_owned(),
        ek: failure.error.code.clone(),
        em: failure.error.message.clone(),
        sp: failure.sender_payload.as_ref().map(stored_revision),
        rp: failure.receiver_payload.as_ref().map(stored_revision),
        j: failure.job.as_ref().map(|job| job.0.clone()),
    }
}

fn failure(stored: StoredFailure, item: &Item) -> Result<FailureNoted, TableError> {
    let read_revision = |stored: Option<StoredRevision>| -> Result<Option<Revision>, TableError> {
        stored.map(|s| revision(s, item)).transpose()
    };
    Ok(FailureNoted {
        occurred_at: stored.at,
        phase: Phase::from_word(&stored.ph).ok_or_else(|| unreadable(item, "phase"))?,
        origin: stored.or,
        error: ErrorInfo {
            category: Category::from_word(&stored.ec).ok_or_else(|| unreadable(item, "category"))?,
            code: stored.ek,
            message: stored.em,
        },
        sender_payload: read_revision(stored.sp)?,
        receiver_payload: read_revision(stored.rp)?,
        job: stored.j.map(JobId),
    })
}
