//! An interchange as a row and in detail.

use contract::api::{interchange, interchange_detail};
use domain::{
    Category, Cause, Change, Claim, Flow, FlowName, Interchange, Received, Reentry, Trigger, Verdict, receive,
};
use serde_json::{Value, json};

use super::flows::{defaults, read};
use super::{at, read_body};

/// The change that a report makes of what is known.
pub(crate) fn reported(known: Option<Interchange>, report: &Value, flow: &Flow) -> Change {
    let intake = read_body(&report.to_string());
    let received =
        Received { queued_at: intake.queued_at, now: at("2026-11-20T14:00:05Z"), flow, epoch: domain::Epoch::FIRST };
    match receive(known, &intake.incoming.report, received) {
        Verdict::Change(change) => *change,
        other => panic!("no news: {other:?}"),
    }
}

pub(crate) fn orders() -> Flow {
    Flow::registered(FlowName::new("orders").unwrap(), &defaults(), at("2026-11-20T12:00:00Z"))
}

pub(crate) fn report() -> Value {
    json!({
        "type": "interchange.failed", "interchangeId": "4711", "flow": "orders", "attempt": 1,
        "occurredAt": "2026-11-20T14:00:00Z", "origin": "Step 3", "sender": "ACME", "receiver": "GLOBEX",
        "partner": "GLOBEX", "sourceId": "PO-1001", "correlationId": "c-1", "traceparent": "00-ab", "orderKey": "PO-1",
        "error": { "category": "system", "code": "ETIMEDOUT", "message": "connect timeout" },
        "payloads": { "sender": { "body": "UNB", "contentType": "application/edifact" }, "receiver": { "body": "<a/>" } }
    })
}

#[test]
fn a_row_says_what_the_design_lists() {
    let change = reported(None, &report(), &orders());
    let row = interchange(&change.after);
    let expected = json!({
        "interchangeId": "4711", "flow": "orders", "status": "failed", "phase": "delivery", "origin": "Step 3",
        "sender": "ACME", "receiver": "GLOBEX", "partner": "GLOBEX", "sourceId": "PO-1001", "correlationId": "c-1",
        "attempt": 1, "tries": 0, "failedAt": "2026-11-20T14:00:00Z", "nextRetryAt": "2026-11-20T14:05:00Z",
        "exhausted": false, "group": change.after.group.as_str(), "version": 0,
        "error": { "category": "system", "code": "ETIMEDOUT", "message": "connect timeout" },
        "payloads": {
            "sender": { "revision": 1, "bytes": 3, "sha256": domain::Digest::of(b"UNB").to_string(),
                "contentType": "application/edifact" },
            "receiver": { "revision": 1, "bytes": 4, "sha256": domain::Digest::of(b"<a/>").to_string() } }
    });
    assert_eq!(row, expected);
}

#[test]
fn what_has_no_value_is_left_out_of_a_row() {
    let bare = json!({ "type": "interchange.failed", "interchangeId": "4711", "flow": "orders",
        "error": { "category": "mapping" } });
    let row = interchange(&reported(None, &bare, &orders()).after);
    for name in ["origin", "sender", "partner", "nextRetryAt", "job", "parts", "sourceId", "correlationId"] {
        assert_eq!(row.get(name), None, "{name}");
    }
    assert_eq!((&row["error"], &row["payloads"]), (&json!({ "category": "mapping" }), &json!({})));
    assert_eq!((&row["exhausted"], &row["tries"]), (&json!(false), &json!(0)));
}

#[test]
fn parts_of_a_partial_failure_are_shown() {
    let mut partial = report();
    partial["status"] = json!("partially_failed");
    partial["parts"] = json!([{ "id": "line-3", "status": "failed", "message": "no such article" },
        { "id": "line-4", "status": "completed" }]);
    let row = interchange(&reported(None, &partial, &orders()).after);
    assert_eq!((&row["status"], &row["parts"]), (&json!("partially_failed"), &partial["parts"]));
}

#[test]
fn the_detail_adds_the_log_every_revision_and_the_policy_that_counts() {
    let flow = Flow {
        name: FlowName::new("orders").unwrap(),
        ..read(&json!({ "partners": { "GLOBEX": { "retry": {
        "schedule": { "delays": ["7m"] } } } } }))
        .unwrap()
    };
    let first = reported(None, &report(), &flow);
    let next = json!({ "at": "2026-11-20T14:07:00Z", "number": 1, "of": 1, "kind": "ladder", "partner": "GLOBEX",
        "action": "retry" });
    assert_eq!(interchange_detail(&first.after, &first.events, &flow)["nextRetry"], next);
    let cause = Cause {
        claim: Claim::Request("1".to_owned()),
        actor: domain::Actor::Scheduler,
        trigger: Trigger::Scheduled,
        reason: None,
        job: None,
        canary: false,
    };
    let waiting = first.after.clone().reenter(Reentry::Restart, &cause, &flow, at("2026-11-20T14:07:00Z")).unwrap();
    let mut again = report();
    again["attempt"] = json!(2);
    again["payloads"]["receiver"]["body"] = json!("<b/>");
    let second = reported(Some(waiting.after), &again, &flow);
    let detail = interchange_detail(&second.after, &second.events, &flow);
    assert_eq!((&detail["traceparent"], &detail["orderKey"]), (&json!("00-ab"), &json!("PO-1")));
    assert_eq!(detail["events"].as_array().unwrap().len(), second.events.len());
    // The part of a log that is no beginning says so; a whole one says nothing.
    assert_eq!(detail["eventsBefore"], json!(second.events[0].sequence));
    assert_eq!(interchange_detail(&first.after, &first.events, &flow).get("eventsBefore"), None);
    let revisions = detail["payloads"]["receiver"]["revisions"].as_array().unwrap();
    assert_eq!(revisions.iter().map(|revision| revision["revision"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(detail["payloads"]["receiver"]["revision"], json!(2));
    assert_eq!((&detail["exhausted"], detail.get("nextRetryAt")), (&json!(true), None));
    assert_eq!(detail.get("nextRetry"), None);
    let policy = &detail["retryPolicy"];
    assert_eq!((&policy["mode"], &policy["partner"]), (&json!("automatic"), &json!("GLOBEX")));
    assert_eq!(policy["schedule"], json!({ "kind": "ladder", "delays": ["7m"] }));
    assert_eq!(policy["why"], json!("the last of 1 delays is used up"));
    assert_eq!(second.after.error.category, Category::System);
}
