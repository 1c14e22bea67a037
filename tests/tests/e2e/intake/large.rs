//! Messages and reports of the maximum size.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tests::{Answer, FAILURES, RECEIVER_STAGE, SENDER_STAGE, World, noise, report};

use super::{assert_queues_are_empty, bytes, bytes_of};

/// The maximum size of an SQS message, in bytes.
const MAX_MESSAGE: usize = 1_048_576;

#[tokio::test(flavor = "multi_thread")]
async fn the_largest_message_that_sqs_accepts_is_stored_completely() {
    let world = World::start().await;
    // Once as a dead letter, and once as a report whose payload fills the rest of the message.
    let letter = STANDARD.encode(noise(MAX_MESSAGE / 4 * 3));
    let frame =
        |body: &str| report("4711", "orders", json!({ "payloads": { "receiver": { "body": body } } })).to_string();
    let filling = "x".repeat(MAX_MESSAGE - frame("").len());
    let whole = frame(&filling);
    assert_eq!((letter.len(), whole.len()), (MAX_MESSAGE, MAX_MESSAGE));
    let id = format!("dlq-{}", world.put_message(FAILURES, &letter, &[]).await);
    world.put_message(FAILURES, &whole, &[]).await;
    world.settle().await;
    assert_queues_are_empty(&world);
    assert!(bytes(&world, &id).await == letter.as_bytes());
    let payload = world.get("/interchanges/4711/payloads/receiver").await;
    assert!(payload.bytes == filling.as_bytes());
    world.post("/interchanges/4711/retry", json!({ "reason": "the partner is back" })).await.ok();
    assert!(world.drain(RECEIVER_STAGE).await[0].body == filling);
    // With the attribute `reprise` the message would be too large. The restart fails with the reason, and the interchange stays.
    let stages = json!({ "sender": { "queueUrl": world.queue_url(SENDER_STAGE) } });
    world.put("/flows/unassigned", json!({ "stages": stages })).await.ok();
    assert_too_large_to_send(&world, &id, "restart").await;
    // The same when base64 makes a payload too large.
    let grown = json!({ "payloads": { "receiver": { "body": format!("\u{1c}{}", "x".repeat(900_000)) } } });
    world.report(report("4712", "orders", grown)).await;
    assert_too_large_to_send(&world, "4712", "retry").await;
    assert_eq!(world.held(SENDER_STAGE) + world.held(RECEIVER_STAGE), 0);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_of_the_largest_messages_at_once_are_all_stored() {
    let world = World::start().await;
    // In the event of a function they are twice as long, as JSON escapes a line feed with two characters.
    let letters: Vec<String> = (0..8).map(|n| format!("{n}{}", "\n".repeat(MAX_MESSAGE - 1))).collect();
    let mut ids = Vec::new();
    for letter in &letters {
        ids.push(format!("dlq-{}", world.put_message(FAILURES, letter, &[]).await));
    }
    world.settle().await;
    assert_queues_are_empty(&world);
    for (id, letter) in ids.iter().zip(&letters) {
        assert!(bytes(&world, id).await == letter.as_bytes(), "{id}");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_with_the_maximum_length_of_every_field_is_stored_in_any_script() {
    let world = World::start().await;
    for (id, message) in [("x".repeat(128).as_str(), "y"), ("4711", "𝄞"), ("4712", "\u{1}")] {
        let long = report_of_maximum_length(id, message);
        world.report(long.clone()).await;
        assert_queues_are_empty(&world);
        let shown = world.interchange(id).await;
        assert_eq!((&shown["flow"], &shown["error"]), (&long["flow"], &long["error"]));
        let (parts, reported) = (shown["parts"].as_array().unwrap(), long["parts"].as_array().unwrap());
        assert_eq!(parts.len(), reported.len());
        // DynamoDB stores at most 400 KB per item. Longer messages are shortened and marked.
        for (kept, reported) in parts.iter().zip(reported) {
            assert_eq!(kept["id"], reported["id"]);
            let kept = kept["message"].as_str().unwrap();
            let whole = kept == reported["message"].as_str().unwrap();
            assert!(
                if message == "y" { whole } else { kept.ends_with("… (shortened: it had 1000 characters)") },
                "{kept}"
            );
        }
        world.post(&format!("/interchanges/{id}/retry"), json!({ "reason": "the partner is back" })).await.ok();
        assert_eq!(world.drain(RECEIVER_STAGE).await[0].reprise["parts"].as_array().unwrap().len(), 100);
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_number_of_late_payloads_is_stored_and_other_reports_are_not_delayed() {
    let world = World::start().await;
    world.report(report_of_maximum_length("4711", "\u{1}")).await;
    // The head lists the newest payloads, the log lists all of them.
    let late = |n: usize| {
        let body = |side: &str| json!({ "body": format!("{side} {n}"), "contentType": "x".repeat(256) });
        let more = json!({ "payloads": { "sender": body("sender"), "receiver": body("receiver") } });
        report("4711", &"f".repeat(64), more)
    };
    let batch: Vec<Value> = (0..100).map(late).collect();
    world.ingest_batch(&batch).await;
    let mut batch: Vec<Value> = (100..140).map(late).collect();
    batch.push(report("4712", "orders", json!({})));
    world.ingest_batch(&batch).await;
    assert_eq!(world.interchange("4712").await["status"], "failed");
    let kept = world.interchange("4711").await["payloads"]["receiver"]["revision"].as_u64().unwrap();
    assert_eq!(kept, 141, "each payload is a revision");
    for revision in [2, 60, 141] {
        let path = format!("/interchanges/4711/payloads/receiver?revision={revision}");
        assert_eq!(String::from_utf8(world.get(&path).await.bytes).unwrap(), format!("receiver {}", revision - 2));
    }
    let refused = world.get("/flows/unassigned/interchanges").await.ok();
    assert_eq!(refused["items"], json!([]));
    world.stop().await;
}

fn report_of_maximum_length(id: &str, message: &str) -> Value {
    let part = |n| json!({ "id": format!("{n:𝄞>128}"), "status": "failed", "message": message.repeat(1_000) });
    let parts: Vec<Value> = (0..100).map(part).collect();
    let text = "𝄞".repeat(256);
    let error = json!({ "category": "system", "code": "𝄞".repeat(128), "message": "\u{1}".repeat(10_000) });
    let more = json!({
        "status": "partially_failed", "parts": parts, "error": error, "origin": text, "sender": text,
        "receiver": text, "partner": text, "sourceId": text, "correlationId": text,
    });
    report(id, &"f".repeat(64), more)
}

async fn assert_too_large_to_send(world: &World, id: &str, action: &str) {
    let before = bytes_of(&payload(world, id, action).await);
    let reason = json!({ "reason": "the partner is back" });
    world.post(&format!("/interchanges/{id}/{action}"), reason).await.is_problem(409, "send-failed");
    let interchange = world.interchange(id).await;
    assert_eq!((&interchange["status"], &interchange["attempt"]), (&json!("failed"), &json!(2)));
    assert_eq!(interchange["error"]["code"], "send_failed");
    let why = interchange["error"]["message"].as_str().unwrap();
    assert!(why.starts_with("the message has ") && why.ends_with(" and SQS takes 1048576"), "{why}");
    let last = interchange["events"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&last["kind"], &last["actor"]),
        (&json!("send_failed"), &json!("arn:aws:iam::000000000000:user/local")),
        "the caller of the action"
    );
    assert!(interchange.get("nextRetryAt").is_none(), "a retry would fail again: {interchange}");
    assert_eq!(world.kinds(id).await.last().unwrap(), "send_failed");
    assert!(bytes_of(&payload(world, id, action).await) == before);
}

async fn payload(world: &World, id: &str, action: &str) -> Answer {
    let side = if action == "retry" { "receiver" } else { "sender" };
    world.get(&format!("/interchanges/{id}/payloads/{side}")).await
}
