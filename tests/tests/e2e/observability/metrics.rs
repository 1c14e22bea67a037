//! Metrics: their sums equal the number of events.

use serde_json::{Value, json};
use tests::{RECEIVER_STAGE, World, metrics, report};

/// Waits until the metrics have these sums, and returns all log lines.
async fn counted(world: &World, expected: &[(&str, u64)]) -> Vec<Value> {
    let all = |lines: &[Value]| {
        let sums = metrics(lines);
        expected.iter().all(|(name, sum)| sums.get(*name) == Some(sum))
    };
    world.log().lines_until(all).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_metric_is_counted_once_where_it_happens() {
    let world = World::start().await;
    let ladder = json!({ "confirmation": { "within": "48h" }, "retry": { "schedule": { "delays": ["5m"] } } });
    world.put("/flows/orders", ladder).await.ok();
    let failure = report("4711", "orders", json!({}));
    world.report(failure.clone()).await;
    world.report(failure).await;
    world.advance("5m").await;
    world.report(report("4711", "orders", json!({ "attempt": 2, "occurredAt": "2026-11-20T14:05:00Z" }))).await;
    world.post("/interchanges/4711/retry", json!({ "reason": "partner is back" })).await.ok();
    let completed = json!({ "type": "interchange.completed", "interchangeId": "4711", "flow": "orders", "attempt": 3 });
    world.report(completed).await;
    let expected = [
        ("Ingested", 3),
        ("IngestLag", 3),
        ("Duplicates", 1),
        ("Sent", 2),
        ("FailedAgain", 1),
        ("Exhausted", 1),
        ("Completed", 1),
    ];
    let lines = counted(&world, &expected).await;
    let lags: Vec<&Value> = lines.iter().flat_map(|line| line["IngestLag"].as_array()).flatten().collect();
    assert!(lags.iter().all(|lag| lag.as_u64().is_some_and(|lag| lag < 60_000)), "{lags:?}");
    assert!(lines.iter().all(|line| line.get("Sent") != Some(&json!(0))));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ingest_lag_starts_at_the_event_and_is_never_negative() {
    let world = World::start().await;
    world.report(report("old", "orders", json!({ "occurredAt": "2026-11-20T13:50:00Z" }))).await;
    world.report(report("ahead", "orders", json!({ "occurredAt": "2026-11-20T18:00:00Z" }))).await;
    let lines = counted(&world, &[("IngestLag", 2)]).await;
    let lags: Vec<u64> =
        lines.iter().flat_map(|l| l["IngestLag"].as_array()).flatten().filter_map(Value::as_u64).collect();
    assert_eq!(lags, [600_000, 0]);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_sweep_counts_the_overdue_slots_of_active_flows() {
    let world = World::start().await;
    for flow in ["orders", "idle"] {
        world.report(report(flow, flow, json!({}))).await;
    }
    world.put("/flows/idle", json!({ "active": false })).await.ok();
    let schedules = world.scheduler.list_schedules().group_name("reprise").send().await.unwrap();
    for name in schedules.schedules().iter().filter_map(|s| s.name()).filter(|name| !name.starts_with("reprise-sweep"))
    {
        world.scheduler.delete_schedule().group_name("reprise").name(name).send().await.unwrap();
    }
    world.advance("31m").await;
    assert_eq!(world.drain(RECEIVER_STAGE).await.len(), 1);
    let swept = |line: &&Value| line.get("OverdueSlots").is_some();
    let overdue = |line: &&Value| line["OverdueSlots"].as_u64().is_some_and(|slots| slots > 0);
    let lines = world.log().lines_until(|lines| lines.iter().any(|line| overdue(&line))).await;
    let swept: Vec<&Value> = lines.iter().filter(swept).collect();
    let overdue: u64 = swept.iter().filter_map(|line| line["OverdueSlots"].as_u64()).sum();
    assert_eq!(overdue, 1, "the slot of the active flow, once");
    assert!(swept.len() > 2, "a sweep without overdue slots must log zero");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_halted_by_its_canary_is_counted() {
    let world = World::start().await;
    world.put("/flows/orders", json!({ "retry": { "mode": "manual" } })).await.ok();
    world.send((0..2).map(|i| report(&format!("i-{i}"), "orders", json!({})).to_string())).await;
    let canary = json!({ "reason": "partner is back", "selection": { "all": true }, "canary": 1 });
    world.post("/flows/orders/retry", canary).await.ok();
    world.settle().await;
    let first = world.drain(RECEIVER_STAGE).await;
    world.report(report(first[0].id(), "orders", json!({ "attempt": 2, "occurredAt": "2026-11-20T14:00:01Z" }))).await;
    world.advance("1m").await;
    let lines = counted(&world, &[("JobsHalted", 1), ("Sent", 1), ("FailedAgain", 1)]).await;
    assert!(lines.iter().any(|line| line["outcome"] == "halted"));
    world.stop().await;
}
