//! Retention: resolved interchanges expire with all their items, deleted ones lose their payloads, and unresolved ones never
//! expire. The API does not show the expiry, so these tests read the table.

mod crashes;
mod expiry;
mod payloads;
mod races;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::{World, report};

/// How long to wait for an expected event.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// The size of a payload that is too large to be stored in the item of its event.
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

    /// Whether it contains payload bytes.
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

/// Waits until a condition holds, while other tasks run.
async fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let end = Instant::now() + MAX_WAIT;
    while !holds() {
        assert!(Instant::now() < end, "timed out while waiting for {what}");
        tokio::task::yield_now().await;
    }
}

/// A failure whose receiver payload is stored in an item of its own.
fn large(id: &str, attempt: u32) -> Value {
    let receiver = json!({ "body": format!("{id} {attempt} {}", "x".repeat(LARGE)), "contentType": "text/plain" });
    report(id, "orders", json!({ "attempt": attempt, "payloads": { "receiver": receiver } }))
}

/// The failure of a later attempt, without payloads.
fn failed(id: &str, attempt: u32, at: &str) -> Value {
    report(id, "orders", json!({ "attempt": attempt, "occurredAt": at, "payloads": null }))
}

fn completed(id: &str, attempt: u32, at: &str) -> Value {
    json!({ "type": "interchange.completed", "interchangeId": id, "flow": "orders", "attempt": attempt, "occurredAt": at })
}

async fn manual_flow(world: &World) {
    let config = json!({ "retry": { "mode": "manual" }, "confirmation": { "within": "30d" } });
    world.put("/flows/orders", config).await.ok();
}

async fn act(world: &World, action: &str, id: &str) {
    world.post(&format!("/interchanges/{id}/{action}"), json!({ "reason": "as it should be" })).await.ok();
}
