//! What is as large as it may be.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tests::{Answer, FAILURES, RECEIVER_STAGE, SENDER_STAGE, World, noise, report};

use super::{bytes, bytes_of, is_drained};

/// The most bytes of an SQS message.
const MOST: usize = 1_048_576;

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
async fn a_report_that_is_as_long_as_it_may_be_everywhere_is_kept_whatever_its_script() {
    let world = World::start().await;
    for (id, message) in [("x".repeat(128).as_str(), "y"), ("4711", "𝄞"), ("4712", "\u{1}")] {
        let long = as_long_as_can_be(id, message);
        world.report(long.clone()).await;
        is_drained(&world);
        let shown = world.interchange(id).await;
        assert_eq!((&shown["flow"], &shown["error"]), (&long["flow"], &long["error"]));
        let (parts, told) = (shown["parts"].as_array().unwrap(), long["parts"].as_array().unwrap());
        assert_eq!(parts.len(), told.len());
        // DynamoDB takes items of 400 KB. What is longer is shortened, and says so.
        for (kept, told) in parts.iter().zip(told) {
            assert_eq!(kept["id"], told["id"]);
            let kept = kept["message"].as_str().unwrap();
            let whole = kept == told["message"].as_str().unwrap();
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
async fn what_is_brought_late_is_kept_however_often_and_holds_nobody_up() {
    let world = World::start().await;
    world.report(as_long_as_can_be("4711", "\u{1}")).await;
    // The head names the newest of what is brought; the log names all of it.
    let late = |n: usize| {
        let body = |side: &str| json!({ "body": format!("{side} {n}"), "contentType": "x".repeat(256) });
        let more = json!({ "payloads": { "sender": body("sender"), "receiver": body("receiver") } });
        report("4711", &"f".repeat(64), more)
    };
    let batch: Vec<Value> = (0..100).map(late).collect();
    world.take_in(&batch).await;
    let mut batch: Vec<Value> = (100..140).map(late).collect();
    batch.push(report("4712", "orders", json!({})));
    world.take_in(&batch).await;
    assert_eq!(world.interchange("4712").await["status"], "failed");
    let kept = world.interchange("4711").await["payloads"]["receiver"]["revision"].as_u64().unwrap();
    assert_eq!(kept, 141, "each is kept, however many there are");
    for revision in [2, 60, 141] {
        let path = format!("/interchanges/4711/payloads/receiver?revision={revision}");
        assert_eq!(String::from_utf8(world.get(&path).await.bytes).unwrap(), format!("receiver {}", revision - 2));
    }
    let refused = world.get("/flows/unassigned/interchanges").await.ok();
    assert_eq!(refused["items"], json!([]));
    world.stop().await;
}

fn as_long_as_can_be(id: &str, message: &str) -> Value {
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

async fn too_large_to_send(world: &World, id: &str, action: &str) {
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
        "whoever asked"
    );
    assert!(interchange.get("nextRetryAt").is_none(), "it would be refused again: {interchange}");
    assert_eq!(world.kinds(id).await.last().unwrap(), "send_failed");
    assert!(bytes_of(&payload(world, id, action).await) == before);
}

async fn payload(world: &World, id: &str, action: &str) -> Answer {
    let side = if action == "retry" { "receiver" } else { "sender" };
    world.get(&format!("/interchanges/{id}/payloads/{side}")).await
}
