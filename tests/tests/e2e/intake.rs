//! Intake: every message of the failures queue is stored and visible, and the queue becomes empty.

mod id_ownership;
mod large;

use serde_json::{Value, json};
use tests::{Answer, FAILURES, RECEIVER_STAGE, World, report};

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_report_is_stored_in_the_flow_unassigned_with_the_reason() {
    let world = World::start().await;
    let with = |name: &str, value: Value| report("4711", "orders", json!({ name: value })).to_string();
    let error = |error: Value| with("error", error);
    let payloads = |payloads: Value| with("payloads", payloads);
    let whole = report("4711", "orders", json!({})).to_string();
    let invalid = [
        (whole[..whole.len() - 1].to_owned(), "not JSON"),
        (whole.replace("\"attempt\":1", "\"attempt\":01"), "not JSON"),
        (format!("{whole} {whole}"), "not JSON"),
        (with("type", "interchange.exploded".into()), "`type`"),
        (with("interchangeId", Value::Null), "`interchangeId` is missing"),
        (with("interchangeId", "a b".into()), "`interchangeId`"),
        (with("interchangeId", "x".repeat(129).into()), "`interchangeId`"),
        (with("interchangeId", 4711.into()), "`interchangeId`"),
        (with("flow", Value::Null), "`flow` is missing"),
        (with("flow", "a:b".into()), "`flow`"),
        (with("attempt", 0.into()), "`attempt`"),
        (with("attempt", "2".into()), "`attempt`"),
        (with("occurredAt", "yesterday".into()), "`occurredAt`"),
        (with("status", "partially_failed".into()), "`parts`"),
        (with("status", "completed".into()), "`status`"),
        (with("parts", json!([{ "status": "failed" }])), "`parts[0].id`"),
        (with("phase", "mapping".into()), "`phase`"),
        (with("sender", "x".repeat(257).into()), "`sender`"),
        (with("orderKey", "a b".into()), "`orderKey`"),
        (with("retryAfter", "soon".into()), "`retryAfter`"),
        (error(json!("boom")), "`error`"),
        (error(json!({ "category": "weather" })), "`error.category`"),
        (error(json!({ "message": "x".repeat(10_001) })), "`error.message`"),
        (payloads(json!("UNB")), "`payloads`"),
        (payloads(json!({ "sender": {} })), "`payloads.sender.body`"),
        (
            payloads(json!({ "sender": { "body": "%%%", "encoding": "base64" } })),
            "`payloads.sender.body` is not base64",
        ),
        (payloads(json!({ "sender": { "body": "a", "encoding": "gzip" } })), "`payloads.sender.encoding`"),
        (payloads(json!({ "receiver": { "ref": "http://a/b" } })), "`payloads.receiver.ref`"),
        (payloads(json!({ "receiver": { "body": "a", "contentType": "text/plain\nx: y" } })), "contentType"),
    ];
    let mut sent = Vec::new();
    for (body, names) in &invalid {
        sent.push((format!("dlq-{}", world.put_message(FAILURES, body, &[]).await), body, *names));
    }
    world.settle().await;
    assert_queues_are_empty(&world);
    for (id, body, names) in &sent {
        let interchange = world.interchange(id).await;
        assert_eq!((&interchange["flow"], &interchange["status"]), (&json!("unassigned"), &json!("failed")), "{body}");
        assert_eq!(interchange["error"]["code"], "broken-report");
        let message = interchange["error"]["message"].as_str().unwrap();
        assert!(message.contains(names), "{message} does not name {names}");
        assert!(interchange.get("nextRetryAt").is_none());
        assert_eq!(&bytes(&world, id).await, body.as_bytes());
    }
    world.get("/interchanges/4711").await.is_problem(404, "not-found");
    assert_eq!(world.get("/flows/unassigned").await.ok()["counts"]["failed"], invalid.len());
    // They can be deleted, one or all.
    let reason = json!({ "reason": "told the pipeline's owner" });
    world.post(&format!("/interchanges/{}/delete", sent[0].0), reason).await.ok();
    let job = json!({ "reason": "told the pipeline's owner", "selection": { "all": true } });
    assert_eq!(world.post("/flows/unassigned/delete", job).await.status, 202);
    world.settle().await;
    let counts = &world.get("/flows/unassigned").await.ok()["counts"];
    assert_eq!((&counts["failed"], &counts["deleted"]), (&json!(0), &json!(invalid.len())));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_not_a_report_is_stored_as_it_is() {
    let world = World::start().await;
    let deep = "[".repeat(10_000);
    let bodies = [
        "not JSON",
        "{",
        "{}",
        "[]",
        "null",
        "17",
        "\"text\"",
        "{\"type\":\"order\"}",
        "{\"type\":17}",
        "\u{feff}{}",
        "\u{fffd}",
        "{\"requestContext\":{\"condition\":null}}",
        " ",
        "\r\n",
        deep.as_str(),
    ];
    let mut sent = Vec::new();
    for body in bodies {
        sent.push((format!("dlq-{}", world.put_message(FAILURES, body, &[]).await), body));
    }
    world.settle().await;
    assert_queues_are_empty(&world);
    for (id, body) in &sent {
        let interchange = world.interchange(id).await;
        assert_eq!(
            (&interchange["flow"], &interchange["phase"]),
            (&json!("unassigned"), &json!("processing")),
            "{body}"
        );
        assert_eq!(interchange["error"]["code"], "dead-letter", "{body}");
        assert_eq!(bytes(&world, id).await, body.as_bytes());
    }
    let page = world.get("/flows/unassigned/interchanges").await.ok();
    assert_eq!(page["items"].as_array().unwrap().len(), bodies.len());
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_record_with_missing_members_is_stored() {
    let world = World::start().await;
    let records = [
        ("{\"requestContext\":{\"condition\":\"EventAgeExceeded\"}}", "unassigned", "system"),
        (
            "{\"requestContext\":{\"condition\":\"RetriesExhausted\",\"functionArn\":\"nonsense\"},\"requestPayload\":null}",
            "unassigned",
            "unknown",
        ),
    ];
    for (record, flow, category) in records {
        let message = world.put_message(FAILURES, record, &[]).await;
        world.settle().await;
        let interchange = world.interchange(&format!("lambda-{message}")).await;
        assert_eq!((&interchange["flow"], &interchange["error"]["category"]), (&json!(flow), &json!(category)));
    }
    // A deeply nested request payload is stored without being parsed.
    let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
    let record = r#"{"requestContext":{"condition":"RetriesExhausted","requestId":"r-1","functionArn":"arn:aws:lambda:eu-west-1:000000000000:function:mapping"},"#;
    let record = format!(r#"{record}"requestPayload":{deep},"responsePayload":{{"errorMessage":"no rule"}}}}"#);
    world.put_message(FAILURES, &record, &[]).await;
    world.settle().await;
    let interchange = world.interchange("lambda-r-1").await;
    assert_eq!((&interchange["flow"], &interchange["error"]["message"]), (&json!("mapping"), &json!("no rule")));
    assert_eq!(bytes(&world, "lambda-r-1").await, deep.as_bytes());
    assert_queues_are_empty(&world);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_payload_is_a_payload() {
    let world = World::start().await;
    let empty = json!({ "sender": { "body": "" }, "receiver": { "body": "", "encoding": "base64" } });
    world.report(report("4711", "orders", json!({ "payloads": empty }))).await;
    assert_queues_are_empty(&world);
    let shown = world.interchange("4711").await;
    for side in ["sender", "receiver"] {
        assert_eq!((&shown["payloads"][side]["bytes"], &shown["payloads"][side]["revision"]), (&json!(0), &json!(1)));
        let payload = world.get(&format!("/interchanges/4711/payloads/{side}")).await;
        assert_eq!((payload.status, payload.bytes.len()), (200, 0), "{side}");
    }
    world.post("/interchanges/4711/retry", json!({ "reason": "the partner is back" })).await.ok();
    let staged = world.drain(RECEIVER_STAGE).await;
    assert_eq!((staged[0].body.as_str(), &staged[0].reprise["encoding"]), ("\n", &json!("base64")));
    world.stop().await;
}

fn bytes_of(answer: &Answer) -> Vec<u8> {
    assert_eq!(answer.status, 200);
    answer.bytes.clone()
}

/// The sender payload.
async fn bytes(world: &World, id: &str) -> Vec<u8> {
    bytes_of(&world.get(&format!("/interchanges/{id}/payloads/sender")).await)
}

fn assert_queues_are_empty(world: &World) {
    assert_eq!((world.held(FAILURES), world.held("reprise-failures-dlq")), (0, 0));
}
