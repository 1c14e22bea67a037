//! Intake: whatever lands on the failures queue is kept and visible, and nothing stays in the queue.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tests::{Answer, FAILURES, RECEIVER_STAGE, SENDER_STAGE, World, noise, report};

/// The most bytes of an SQS message.
const MOST: usize = 1_048_576;

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_report_is_a_dead_letter_of_unassigned_that_says_what_is_broken() {
    let world = World::start().await;
    let with = |name: &str, value: Value| report("4711", "orders", json!({ name: value })).to_string();
    let error = |error: Value| with("error", error);
    let payloads = |payloads: Value| with("payloads", payloads);
    let whole = report("4711", "orders", json!({})).to_string();
    let broken = [
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
    for (body, names) in &broken {
        sent.push((format!("dlq-{}", world.put_message(FAILURES, body, &[]).await), body, *names));
    }
    world.settle().await;
    is_drained(&world);
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
    assert_eq!(world.get("/flows/unassigned").await.ok()["counts"]["failed"], broken.len());
    // It can be given up, one or all.
    let reason = json!({ "reason": "told the pipeline's owner" });
    world.post(&format!("/interchanges/{}/delete", sent[0].0), reason).await.ok();
    let job = json!({ "reason": "told the pipeline's owner", "selection": { "all": true } });
    assert_eq!(world.post("/flows/unassigned/delete", job).await.status, 202);
    world.settle().await;
    let counts = &world.get("/flows/unassigned").await.ok()["counts"];
    assert_eq!((&counts["failed"], &counts["deleted"]), (&json!(0), &json!(broken.len())));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_no_report_is_kept_whatever_it_is() {
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
    is_drained(&world);
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
async fn a_failure_record_without_what_it_usually_has_is_kept() {
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
    is_drained(&world);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_payload_is_a_payload() {
    let world = World::start().await;
    let empty = json!({ "sender": { "body": "" }, "receiver": { "body": "", "encoding": "base64" } });
    world.report(report("4711", "orders", json!({ "payloads": empty }))).await;
    is_drained(&world);
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

#[tokio::test(flavor = "multi_thread")]
async fn the_largest_message_that_sqs_takes_is_kept_whole() {
    let world = World::start().await;
    // As a dead letter, and as a report whose payload fills it to the last byte.
    let letter = STANDARD.encode(noise(MOST / 4 * 3));
    let frame =
        |body: &str| report("4711", "orders", json!({ "payloads": { "receiver": { "body": body } } })).to_string();
    let filling = "x".repeat(MOST - frame("").len());
    let whole = frame(&filling);
    assert_eq!((letter.len(), whole.len()), (MOST, MOST));
    let id = format!("dlq-{}", world.put_message(FAILURES, &letter, &[]).await);
    world.put_message(FAILURES, &whole, &[]).await;
    world.settle().await;
    is_drained(&world);
    assert!(bytes(&world, &id).await == letter.as_bytes());
    let payload = world.get("/interchanges/4711/payloads/receiver").await;
    assert!(payload.bytes == filling.as_bytes());
    world.post("/interchanges/4711/retry", json!({ "reason": "the partner is back" })).await.ok();
    assert!(world.drain(RECEIVER_STAGE).await[0].body == filling);
    // There is no room for `reprise` beside the letter: it fails again, says why, and is kept.
    let stages = json!({ "sender": { "queueUrl": world.queue_url(SENDER_STAGE) } });
    world.put("/flows/unassigned", json!({ "stages": stages })).await.ok();
    too_large_to_send(&world, &id, "restart").await;
    // So it is where base64 makes a payload too large.
    let grown = json!({ "payloads": { "receiver": { "body": format!("\u{1c}{}", "x".repeat(900_000)) } } });
    world.report(report("4712", "orders", grown)).await;
    too_large_to_send(&world, "4712", "retry").await;
    assert_eq!(world.held(SENDER_STAGE) + world.held(RECEIVER_STAGE), 0);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_of_the_largest_messages_at_once_are_all_kept() {
    let world = World::start().await;
    // Twice as long inside the event of a function, where a line feed is written with two characters.
    let letters: Vec<String> = (0..8).map(|n| format!("{n}{}", "\n".repeat(MOST - 1))).collect();
    let mut ids = Vec::new();
    for letter in &letters {
        ids.push(format!("dlq-{}", world.put_message(FAILURES, letter, &[]).await));
    }
    world.settle().await;
    is_drained(&world);
    for (id, letter) in ids.iter().zip(&letters) {
        assert!(bytes(&world, id).await == letter.as_bytes(), "{id}");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_is_as_long_as_it_may_be_everywhere_is_kept_and_one_beyond_the_table_is_a_dead_letter() {
    let world = World::start().await;
    let flow = "f".repeat(64);
    let with_parts = |id: &str, message: &str| {
        let part = |n| json!({ "id": format!("{n:0>128}"), "status": "failed", "message": message.repeat(1_000) });
        let parts: Vec<Value> = (0..100).map(part).collect();
        let text = "𝄞".repeat(256);
        let error = json!({ "category": "system", "code": "𝄞".repeat(128), "message": "𝄞".repeat(10_000) });
        report(
            id,
            &flow,
            json!({
                "status": "partially_failed", "parts": parts, "error": error, "origin": text, "sender": text,
                "receiver": text, "partner": text, "sourceId": text, "correlationId": text,
            }),
        )
    };
    let long = with_parts(&"x".repeat(128), "y");
    let id = long["interchangeId"].as_str().unwrap();
    world.put_message(FAILURES, &long.to_string(), &[]).await;
    // DynamoDB takes items of 400 KB. What is longer holds nobody up: neither itself nor the rest of its batch.
    let too_long = with_parts("4711", "𝄞").to_string();
    let letter = format!("dlq-{}", world.put_message(FAILURES, &too_long, &[]).await);
    world.report(report("4712", &flow, json!({}))).await;
    is_drained(&world);
    let shown = world.interchange(id).await;
    assert_eq!((&shown["parts"], &shown["error"]), (&long["parts"], &long["error"]));
    world.post(&format!("/interchanges/{id}/retry"), json!({ "reason": "the partner is back" })).await.ok();
    assert_eq!(world.drain(RECEIVER_STAGE).await[0].reprise["parts"].as_array().unwrap().len(), 100);
    assert_eq!(world.interchange("4712").await["status"], "failed");
    world.get("/interchanges/4711").await.is_problem(404, "not-found");
    let kept = world.interchange(&letter).await;
    assert_eq!((&kept["flow"], &kept["error"]["code"]), (&json!("unassigned"), &json!("refused")));
    assert!(kept["error"]["message"].as_str().unwrap().contains("cannot be stored"), "{kept}");
    assert!(bytes(&world, &letter).await == too_long.as_bytes());
    world.stop().await;
}

async fn too_large_to_send(world: &World, id: &str, action: &str) {
    let before = bytes_of(&payload(world, id, action).await);
    let reason = json!({ "reason": "the partner is back" });
    world.post(&format!("/interchanges/{id}/{action}"), reason).await.is_problem(409, "send-failed");
    let interchange = world.interchange(id).await;
    assert_eq!((&interchange["status"], &interchange["attempt"]), (&json!("failed"), &json!(2)));
    assert_eq!(interchange["error"]["code"], "send_failed");
    assert!(interchange.get("nextRetryAt").is_none(), "it would be refused again: {interchange}");
    assert_eq!(world.kinds(id).await.last().unwrap(), "send_failed");
    assert!(bytes_of(&payload(world, id, action).await) == before);
}

async fn payload(world: &World, id: &str, action: &str) -> Answer {
    let side = if action == "retry" { "receiver" } else { "sender" };
    world.get(&format!("/interchanges/{id}/payloads/{side}")).await
}

fn bytes_of(answer: &Answer) -> Vec<u8> {
    assert_eq!(answer.status, 200);
    answer.bytes.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_on_an_id_of_another_flow_is_kept_and_touches_neither() {
    let world = World::start().await;
    world.report(report("4711", "orders", json!({}))).await;
    let owned = world.interchange("4711").await;
    let foreign = report("4711", "invoices", json!({ "attempt": 2 })).to_string();
    let id = format!("dlq-{}", world.put_message(FAILURES, &foreign, &[]).await);
    world.settle().await;
    is_drained(&world);
    assert_eq!(world.interchange("4711").await, owned);
    let kept = world.interchange(&id).await;
    assert_eq!((&kept["flow"], &kept["error"]["code"]), (&json!("unassigned"), &json!("refused")));
    assert!(kept["error"]["message"].as_str().unwrap().contains("belongs to flow orders"), "{kept}");
    world.stop().await;
}

/// The sender payload.
async fn bytes(world: &World, id: &str) -> Vec<u8> {
    bytes_of(&world.get(&format!("/interchanges/{id}/payloads/sender")).await)
}

fn is_drained(world: &World) {
    assert_eq!((world.held(FAILURES), world.held("reprise-failures-dlq")), (0, 0));
}
