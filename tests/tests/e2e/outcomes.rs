//! Outcomes are decided by attempt and event time, not by the order of arrival, and each is logged once.

mod deadlines;
mod log;
mod order;

use serde_json::{Value, json};
use tests::{World, report};

/// A world whose flow `orders` has only manual retries, so that logs contain only what a test does.
async fn world_with_manual_retries() -> World {
    let world = World::start().await;
    world.put("/flows/orders", json!({ "retry": { "mode": "manual" } })).await.ok();
    // Tests report events of this hour, so no event is later than its report.
    world.advance("1h").await;
    world
}

/// Creates an interchange that failed at the start of the test and is retried.
async fn retried(world: &World, id: &str) {
    world.report(report(id, "orders", json!({}))).await;
    retry(world, id).await;
}

async fn retry(world: &World, id: &str) {
    let reason = json!({ "reason": "the partner is back" });
    world.post(&format!("/interchanges/{id}/retry"), reason).await.ok();
}

/// A report of `completed`, `in_network` or `failed`. Members of `more` replace members of the report.
fn outcome(kind: &str, id: &str, more: Value) -> Value {
    if kind == "failed" {
        let mut plain = json!({ "attempt": null, "occurredAt": null, "payloads": null });
        plain.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        return report(id, "orders", plain);
    }
    let mut outcome = json!({ "type": format!("interchange.{kind}"), "interchangeId": id, "flow": "orders" });
    outcome.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    outcome
}

/// Reports the outcome of an attempt. `at` is the minute and second after 14:00.
async fn report_outcome(world: &World, kind: &str, id: &str, attempt: u64, at: &str) {
    let more = json!({ "attempt": attempt, "occurredAt": format!("2026-11-20T14:{at}Z") });
    world.report(outcome(kind, id, more)).await;
}

async fn status(world: &World, id: &str) -> String {
    world.interchange(id).await["status"].as_str().unwrap().to_owned()
}
