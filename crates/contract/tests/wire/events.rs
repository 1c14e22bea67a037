//! Every kind of event, with what is particular to it.

use contract::api::event;
use domain::{Actor, Event, EventKind, JobId, Known, Minute, PayloadSide, Reentry, Requested, Revision, Trigger};
use serde_json::{Value, json};

use super::at;
use super::interchanges::{orders, report, reported};

fn shown(kind: EventKind) -> Value {
    let event_of = |kind| Event {
        sequence: 7,
        at: at("2026-11-20T14:00:00Z"),
        attempt: 2,
        actor: Actor::Person("ann".to_owned()),
        kind,
        warnings: Vec::new(),
    };
    let mut json = event(&event_of(kind));
    let object = json.as_object_mut().unwrap();
    for (name, value) in
        [("sequence", json!(7)), ("at", json!("2026-11-20T14:00:00Z")), ("attempt", json!(2)), ("actor", json!("ann"))]
    {
        assert_eq!(object.remove(name), Some(value));
    }
    json
}

#[test]
fn every_kind_is_shown_under_its_name_with_what_is_its_own() {
    let time = at("2026-11-20T13:59:00Z");
    let told = "2026-11-20T13:59:00Z";
    let minute = Minute::at_or_after(at("2026-11-20T14:05:00Z"));
    let meta = domain::PayloadMeta { digest: domain::Digest::of(b"a"), bytes: 1, content_type: None };
    let table = [
        (
            EventKind::RetryScheduled { next_retry_at: minute, why: "1st of 5, ladder".to_owned() },
            json!({ "kind": "retry_scheduled", "nextRetryAt": "2026-11-20T14:05:00Z", "why": "1st of 5, ladder" }),
        ),
        (EventKind::RetryHeld, json!({ "kind": "retry_held" })),
        (EventKind::RetrySkipped { why: "x".to_owned() }, json!({ "kind": "retry_skipped", "why": "x" })),
        (EventKind::InNetwork { occurred_at: time }, json!({ "kind": "in_network", "occurredAt": told })),
        (EventKind::Completed { occurred_at: time }, json!({ "kind": "completed", "occurredAt": told })),
        (EventKind::AssumedCompleted, json!({ "kind": "assumed_completed" })),
        (EventKind::OutcomeOverdue, json!({ "kind": "outcome_overdue" })),
        (
            EventKind::SendFailed { error: "no such queue".to_owned(), queue_url: Some("http://q".to_owned()) },
            json!({ "kind": "send_failed", "error": { "message": "no such queue" }, "queueUrl": "http://q" }),
        ),
        (EventKind::Exhausted { rule: "x".to_owned() }, json!({ "kind": "exhausted", "rule": "x" })),
        (
            EventKind::LateOutcome {
                outcome: Known::Completed,
                occurred_at: time,
                sender_payload: None,
                receiver_payload: None,
            },
            json!({ "kind": "late_outcome", "outcome": "completed", "occurredAt": told }),
        ),
        (
            EventKind::LateOutcome {
                outcome: Known::Failed,
                occurred_at: time,
                sender_payload: None,
                receiver_payload: Some(Revision { number: 2, meta: meta.clone(), event: 3 }),
            },
            json!({ "kind": "late_outcome", "outcome": "failed", "occurredAt": told,
                    "payloads": { "receiver": { "revision": 2, "bytes": 1, "sha256": meta.digest.to_string() } } }),
        ),
        (
            EventKind::Deleted { reason: "test data".to_owned(), job: Some(JobId("j-1".to_owned())) },
            json!({ "kind": "deleted", "reason": "test data", "job": "j-1" }),
        ),
        (
            EventKind::Other { kind: "edited".to_owned(), stored: r#"{"r":"typo"}"#.to_owned() },
            json!({ "kind": "edited", "stored": { "r": "typo" } }),
        ),
        (
            EventKind::Other { kind: "acknowledged".to_owned(), stored: "null".to_owned() },
            json!({ "kind": "acknowledged", "stored": null }),
        ),
    ];
    for (kind, expected) in table {
        assert_eq!(shown(kind), expected);
    }
}

#[test]
fn a_request_names_the_exact_payload_and_its_queue() {
    let meta = domain::PayloadMeta { digest: domain::Digest::of(b"a"), bytes: 1, content_type: None };
    for (action, kind) in [(Reentry::Retry, "retry_requested"), (Reentry::Restart, "restart_requested")] {
        let requested = Requested {
            action,
            trigger: Trigger::Manual,
            reason: Some("partner is back".to_owned()),
            job: None,
            side: PayloadSide::Receiver,
            payload: Revision { number: 3, meta: meta.clone(), event: 1 },
            queue_url: "http://q".to_owned(),
        };
        let expected = json!({ "kind": kind, "action": action.as_str(), "trigger": "manual", "reason": "partner is back",
            "payload": { "side": "receiver", "revision": 3, "bytes": 1, "sha256": meta.digest.to_string() },
            "queueUrl": "http://q" });
        assert_eq!(shown(EventKind::Requested(Box::new(requested))), expected);
    }
}

#[test]
fn a_failure_says_where_why_and_with_which_payloads() {
    let mut partial = report();
    partial["status"] = json!("partially_failed");
    partial["parts"] = json!([{ "id": "a", "status": "failed" }]);
    for (report, kind) in [(report(), "failed"), (partial, "partially_failed")] {
        let change = reported(None, &report, &orders());
        let shown = event(&change.events[0]);
        assert_eq!(
            (&shown["kind"], &shown["actor"], &shown["sequence"]),
            (&json!(kind), &json!("pipeline"), &json!(1))
        );
        assert_eq!((&shown["phase"], &shown["origin"]), (&json!("delivery"), &json!("Step 3")));
        assert_eq!(shown["error"]["code"], json!("ETIMEDOUT"));
        assert_eq!(shown["payloads"]["receiver"]["revision"], json!(1));
        assert_eq!(shown.get("job"), None);
    }
}

#[test]
fn what_was_not_taken_as_it_came_is_shown_with_its_event_and_only_there() {
    let plain = Event {
        sequence: 1,
        at: at("2026-11-20T14:00:00Z"),
        attempt: 1,
        actor: Actor::Pipeline,
        kind: EventKind::RetryHeld,
        warnings: Vec::new(),
    };
    assert!(event(&plain).get("warnings").is_none());
    let warned = Event { warnings: vec![domain::Warning::new("attempt", "is 5000: left out")], ..plain };
    assert_eq!(event(&warned)["warnings"], json!([{ "field": "attempt", "problem": "is 5000: left out" }]));
}
