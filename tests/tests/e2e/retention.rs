//! Retention: what is resolved expires with everything that is kept of it, what is deleted loses its payloads, and what is
//! unresolved never expires. An expiry is seen at the table alone, so the tests look there.

mod crashes;
mod expiry;
mod payloads;
mod races;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::{World, report};

/// What must happen happens well within this.
const PATIENCE: Duration = Duration::from_secs(60);

/// Bytes that are too many to go with the events that bring them.
const LARGE: usize = 9_000;

/// One item of an interchange.
struct Item(Value);

impl Item {
    fn sort_key(&self) -> &str {
        self.0["sk"]["S"].as_str().unwrap()
    }

    /// When it expires, in seconds since 1970.
    fn expires(&self) -> Option<i64> {
        self.0["ttl"]["N"].as_str().map(|seconds| seconds.parse().unwrap())
    }

    /// Whether there are payload bytes in it.
    fn holds_a_payload(&self) -> bool {
        self.0.as_object().unwrap().values().any(|value| value.get("B").is_some())
    }

    fn is_of_the_log(&self) -> bool {
        self.sort_key().starts_with("EVENT#")
    }
}

/// All items of an interchange.
fn items(world: &World, id: &str) -> Vec<Item> {
    let request = json!({
        "TableName": "reprise", "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": { ":pk": { "S": format!("INTERCHANGE#{id}") } },
    });
    let answer = world.stack.aws().dynamodb().query(serde_json::from_value(request).unwrap()).unwrap();
    let answer = serde_json::to_value(answer).unwrap();
    answer["Items"].as_array().unwrap().iter().cloned().map(Item).collect()
}

/// Whether each item of an interchange expires.
fn expires(world: &World, id: &str) -> Vec<bool> {
    items(world, id).iter().map(|item| item.expires().is_some()).collect()
}

fn all_expire(world: &World, id: &str) -> bool {
    expires(world, id).into_iter().all(|expires| expires)
}

fn none_expires(world: &World, id: &str) -> bool {
    expires(world, id).into_iter().all(|expires| !expires)
}

fn holds_payloads(world: &World, id: &str) -> bool {
    items(world, id).iter().any(Item::holds_a_payload)
}

/// Lets everything else go on until something is so.
async fn until(what: &str, so: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !so() {
        assert!(Instant::now() < end, "never: {what}");
        tokio::task::yield_now().await;
    }
}

/// A failure whose receiver payload has an item of its own.
fn large(id: &str, attempt: u32) -> Value {
    let receiver = json!({ "body": format!("{id} {attempt} {}", "x".repeat(LARGE)), "contentType": "text/plain" });
    report(id, "orders", json!({ "attempt": attempt, "payloads": { "receiver": receiver } }))
}

/// The failure of a later attempt, with no payload.
fn failed(id: &str, attempt: u32, at: &str) -> Value {
    report(id, "orders", json!({ "attempt": attempt, "occurredAt": at, "payloads": null }))
}

fn completed(id: &str, attempt: u32, at: &str) -> Value {
    json!({ "type": "interchange.completed", "interchangeId": id, "flow": "orders", "attempt": attempt, "occurredAt": at })
}

async fn manual(world: &World) {
    let config = json!({ "retry": { "mode": "manual" }, "confirmation": { "within": "30d" } });
    world.put("/flows/orders", config).await.ok();
}

async fn act(world: &World, action: &str, id: &str) {
    world.post(&format!("/interchanges/{id}/{action}"), json!({ "reason": "as it should be" })).await.ok();
}
