//! Reports with impossible attempts and times, repeated reports, and outcomes that arrive before their failure.

use serde_json::{Value, json};
use tests::{RECEIVER_STAGE, START, World, report};

async fn world_with_manual_retries() -> World {
    let world = World::start().await;
    world.put("/flows/orders", json!({ "retry": { "mode": "manual" } })).await.ok();
    world
}

pub(super) async fn retry(world: &World, id: &str) {
    world.post(&format!("/interchanges/{id}/retry"), json!({ "reason": "the partner is back" })).await.ok();
}

pub(super) fn completed(id: &str, more: Value) -> Value {
    let mut report = report(id, "orders", more);
    report["type"] = "interchange.completed".into();
    report
}

async fn status(world: &World, id: &str) -> String {
    world.interchange(id).await["status"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_with_an_impossible_attempt_and_time_can_still_be_retried_and_completed() {
    let world = world_with_manual_retries().await;
    let odd = json!({ "attempt": 1_000_000, "occurredAt": "2099-01-01T00:00:00Z" });
    world.report(report("4711", "orders", odd)).await;
    let shown = world.interchange("4711").await;
    assert_eq!((&shown["attempt"], &shown["failedAt"]), (&json!(1), &json!(START)));
    let warnings = shown["events"][0]["warnings"].as_array().unwrap();
    let fields: Vec<&str> = warnings.iter().map(|warning| warning["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["attempt", "occurredAt"]);
    assert!(warnings[0]["problem"].as_str().unwrap().contains("1000000"), "{warnings:?}");
    assert!(shown["events"][0].get("problem").is_none());
    let line = world.log().line(|line| line["interchangeId"] == "4711" && line["outcome"] == "failed").await;
    assert_eq!(line["warnings"], "attempt,occurredAt");

    world.advance("1m").await;
    retry(&world, "4711").await;
    assert_eq!(world.drain(RECEIVER_STAGE).await[0].attempt(), 2);
    world.advance("1m").await;
    // An attempt that is too large to be stored does not make the report invalid either.
    world.report(completed("4711", json!({ "attempt": 4_000_000_000_u64, "occurredAt": null }))).await;
    let shown = world.interchange("4711").await;
    assert_eq!((&shown["status"], &shown["attempt"]), (&json!("completed"), &json!(2)));
    assert_eq!(shown["events"][2]["warnings"][0]["field"], "attempt");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redriven_report_of_a_known_failure_does_not_fail_the_attempt_in_flight() {
    let world = world_with_manual_retries().await;
    let known = report("4711", "orders", json!({ "attempt": null })).to_string();
    world.send([known.clone()]).await;
    world.advance("1m").await;
    retry(&world, "4711").await;
    world.advance("1m").await;
    // A redrive sends the old body in a new message.
    world.send([known]).await;
    assert_eq!(world.kinds("4711").await, ["failed", "retry_requested"]);
    assert_eq!(status(&world, "4711").await, "waiting_for_retry");
    let news = json!({ "attempt": null, "occurredAt": "2026-11-20T14:01:30Z" });
    world.report(report("4711", "orders", news)).await;
    assert_eq!(world.kinds("4711").await, ["failed", "retry_requested", "failed"]);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_whose_completion_arrived_first_is_stored_as_completed_and_not_retried() {
    let world = World::start().await;
    world.advance("5m").await;
    let done = completed("4711", json!({ "occurredAt": "2026-11-20T14:02:00Z" }));
    world.report(done.clone()).await;
    world.report(done).await;
    // Before its failure is reported, the interchange is not visible.
    world.get("/interchanges/4711").await.is_problem(404, "not-found");
    world.post("/interchanges/4711/retry", json!({ "reason": "x" })).await.is_problem(404, "not-found");
    assert_eq!(world.get("/flows").await.ok()["items"], json!([]));

    world.report(report("4711", "orders", json!({ "occurredAt": "2026-11-20T14:01:00Z" }))).await;
    let shown = world.interchange("4711").await;
    assert_eq!((&shown["status"], &shown["failedAt"]), (&json!("completed"), &json!("2026-11-20T14:01:00Z")));
    assert_eq!(world.kinds("4711").await, ["failed", "completed"]);
    assert_eq!(world.get("/interchanges/4711/payloads/receiver").await.bytes, b"receiver of 4711");
    let counts = &world.get("/flows/orders").await.ok()["counts"];
    assert_eq!((&counts["completed"], counts["failed"].as_u64().unwrap_or_default()), (&json!(1), 0));
    world.advance("1h").await;
    assert_eq!(world.held(RECEIVER_STAGE), 0);
    assert_eq!(world.kinds("4711").await, ["failed", "completed"]);
    // A failure after the completion counts.
    world.report(report("4711", "orders", json!({ "attempt": 2, "occurredAt": "2026-11-20T14:10:00Z" }))).await;
    assert_eq!(status(&world, "4711").await, "failed");
    assert_eq!(world.get("/flows/orders").await.ok()["counts"]["completed"], 0);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_early_outcome_and_its_failure_have_the_same_result_in_one_batch_as_one_after_the_other() {
    let world = world_with_manual_retries().await;
    world.advance("5m").await;
    let done = |id: &str| completed(id, json!({ "occurredAt": "2026-11-20T14:02:00Z" })).to_string();
    let failed = |id: &str, at: &str| report(id, "orders", json!({ "occurredAt": at })).to_string();
    world
        .send([
            done("a"),
            failed("a", "2026-11-20T14:01:00Z"),
            done("b"),
            failed("b", "2026-11-20T14:03:00Z"),
            failed("c", "2026-11-20T14:01:00Z"),
            done("c"),
        ])
        .await;
    for (id, expected, kinds) in [
        ("a", "completed", vec!["failed", "completed"]),
        ("b", "failed", vec!["failed", "late_outcome"]),
        ("c", "completed", vec!["failed", "completed"]),
    ] {
        assert_eq!(
            (status(&world, id).await.as_str(), world.kinds(id).await),
            (expected, kinds.iter().map(|k| (*k).to_owned()).collect()),
            "{id}"
        );
    }
    let counts = &world.get("/flows/orders").await.ok()["counts"];
    assert_eq!((&counts["completed"], &counts["failed"]), (&json!(2), &json!(1)));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_early_outcome_expires_after_fourteen_days() {
    let world = world_with_manual_retries().await;
    for id in ["in-time", "too-late"] {
        world.report(completed(id, json!({}))).await;
    }
    world.advance("13d").await;
    world.report(report("in-time", "orders", json!({}))).await;
    world.advance("2d").await;
    world.report(report("too-late", "orders", json!({}))).await;
    assert_eq!(
        (status(&world, "in-time").await, status(&world, "too-late").await),
        ("completed".to_owned(), "failed".to_owned())
    );
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_without_early_outcomes_ignores_an_outcome_before_its_failure() {
    let world = World::start().await;
    let config = json!({ "retry": { "mode": "manual" }, "confirmation": { "early": false } });
    world.put("/flows/orders", config).await.ok();
    assert_eq!(world.get("/flows/orders").await.ok()["confirmation"]["early"], false);
    world.report(completed("4711", json!({}))).await;
    world.report(report("4711", "orders", json!({}))).await;
    assert_eq!(status(&world, "4711").await, "failed");
    assert_eq!(world.kinds("4711").await, ["failed"]);
    world.stop().await;
}
