//! The times of a flow's oldest and newest unresolved failures. They change when a failure is resolved.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tests::{RECEIVER_STAGE, World, report};

use crate::chaos::has_folded;

/// A failure time as a flow shows it: rounded down to the minute, to the hour after six hours, to the day after seven days.
pub(crate) fn rounded_time(failed_at: &str, now: Timestamp) -> Value {
    let failed_at: Timestamp = failed_at.parse().unwrap();
    let whole = |time: Timestamp, width: i64| time.as_second().div_euclid(width);
    let is_older = |width: i64, max: i64| (whole(now, width) - whole(failed_at, width)).abs() > max;
    let width = match (is_older(3_600, 6), is_older(86_400, 7)) {
        (true, true) => 86_400,
        (true, false) => 3_600,
        (false, _) => 60,
    };
    Timestamp::from_second(whole(failed_at, width) * width).unwrap().to_string().into()
}

fn failed(id: &str, at: &str) -> Value {
    report(id, "orders", json!({ "occurredAt": at }))
}

fn completed(id: &str, attempt: u32, at: &str) -> Value {
    report(id, "orders", json!({ "type": "interchange.completed", "attempt": attempt, "occurredAt": at }))
}

async fn world_with_manual_retries() -> World {
    let world = World::start().await;
    let config = json!({ "retry": { "mode": "manual" }, "confirmation": { "within": "365d" } });
    world.put("/flows/orders", config).await.ok();
    world
}

async fn delete(world: &World, id: &str) {
    world.post(&format!("/interchanges/{id}/delete"), json!({ "reason": "done by phone" })).await.ok();
}

/// The oldest and the newest failure time of the flow. Checks that the list of flows shows the same.
async fn times(world: &World) -> [Value; 2] {
    let flow = world.get("/flows/orders").await.ok();
    let flows = world.get("/flows").await.ok();
    let times = |flow: &Value| ["oldestFailureAt", "newestFailureAt"].map(|name| flow[name].clone());
    assert_eq!(times(&flow), times(&flows["items"][0]));
    times(&flow)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_oldest_time_increases_after_a_delete_and_the_newest_time_decreases_after_a_completion() {
    let world = world_with_manual_retries().await;
    for (id, at) in [("1", "2026-11-20T13:00:20Z"), ("2", "2026-11-20T13:20:00Z"), ("3", "2026-11-20T13:59:59Z")] {
        world.report(failed(id, at)).await;
    }
    assert_eq!(times(&world).await, ["2026-11-20T13:00:00Z", "2026-11-20T13:59:00Z"]);

    delete(&world, "1").await;
    assert_eq!(times(&world).await, ["2026-11-20T13:20:00Z", "2026-11-20T13:59:00Z"]);
    world.report(completed("3", 1, "2026-11-20T14:00:00Z")).await;
    assert_eq!(times(&world).await, ["2026-11-20T13:20:00Z", "2026-11-20T13:20:00Z"]);
    delete(&world, "2").await;
    assert_eq!(times(&world).await, [Value::Null, Value::Null]);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn repeats_change_no_time_and_a_late_report_of_an_earlier_failure_becomes_the_oldest() {
    let world = world_with_manual_retries().await;
    let first = failed("1", "2026-11-20T13:30:00Z");
    world.ingest_batch(&[first.clone(), first.clone(), failed("2", "2026-11-20T13:10:00Z")]).await;
    world.report(first.clone()).await;
    assert_eq!(times(&world).await, ["2026-11-20T13:10:00Z", "2026-11-20T13:30:00Z"]);

    delete(&world, "1").await;
    world.report(first).await;
    assert_eq!(times(&world).await, ["2026-11-20T13:10:00Z", "2026-11-20T13:10:00Z"], "a repeat must not restore it");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_in_flight_still_counts_and_one_that_fails_again_becomes_the_newest() {
    let world = world_with_manual_retries().await;
    world.ingest_batch(&[failed("1", "2026-11-20T13:00:00Z"), failed("2", "2026-11-20T13:30:00Z")]).await;
    let all = json!({ "reason": "again", "selection": { "all": true } });
    world.post("/flows/orders/restart", all).await.ok();
    world.settle().await;
    assert_eq!(times(&world).await, ["2026-11-20T13:00:00Z", "2026-11-20T13:30:00Z"]);

    world.advance("10m").await;
    world.report(report("1", "orders", json!({ "attempt": 2, "occurredAt": "2026-11-20T14:10:00Z" }))).await;
    assert_eq!(times(&world).await, ["2026-11-20T13:30:00Z", "2026-11-20T14:10:00Z"]);
    world.report(completed("2", 2, "2026-11-20T14:10:00Z")).await;
    assert_eq!(times(&world).await, ["2026-11-20T14:10:00Z", "2026-11-20T14:10:00Z"]);
    world.report(report("2", "orders", json!({ "attempt": 3, "occurredAt": "2026-11-20T14:05:00Z" }))).await;
    assert_eq!(
        times(&world).await,
        ["2026-11-20T14:05:00Z", "2026-11-20T14:10:00Z"],
        "it was resolved and failed again"
    );
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn times_get_coarser_with_age_and_stay_correct_after_folding_and_later_deletes() {
    let world = world_with_manual_retries().await;
    let at = ["2026-11-20T13:10:30Z", "2026-11-20T13:40:00Z", "2026-11-20T14:00:00Z"];
    for (n, at) in at.iter().enumerate() {
        world.report(failed(&n.to_string(), at)).await;
    }
    assert!(!has_folded(&world));
    for (wait, oldest, newest) in [
        ("2h", "2026-11-20T13:10:00Z", "2026-11-20T14:00:00Z"),
        ("4h", "2026-11-20T13:00:00Z", "2026-11-20T14:00:00Z"),
        ("24h", "2026-11-20T13:00:00Z", "2026-11-20T14:00:00Z"),
        ("168h", "2026-11-20T00:00:00Z", "2026-11-20T00:00:00Z"),
    ] {
        world.advance(wait).await;
        assert_eq!(times(&world).await, [oldest, newest], "{wait} later");
    }
    assert!(has_folded(&world), "nothing was folded, so this test does not cover it");

    world.report(failed("3", "2026-11-28T19:00:00Z")).await;
    delete(&world, "0").await;
    delete(&world, "2").await;
    assert_eq!(times(&world).await, ["2026-11-20T00:00:00Z", "2026-11-28T19:00:00Z"]);
    delete(&world, "1").await;
    assert_eq!(times(&world).await, ["2026-11-28T19:00:00Z", "2026-11-28T19:00:00Z"]);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_a_folded_oldest_failure_is_deleted_the_next_hour_becomes_the_oldest_time() {
    let world = world_with_manual_retries().await;
    world.report(failed("1", "2026-11-20T05:10:00Z")).await;
    world.report(failed("2", "2026-11-20T06:50:00Z")).await;
    assert_eq!(times(&world).await, ["2026-11-20T05:00:00Z", "2026-11-20T06:00:00Z"]);
    world.advance("90m").await;
    assert!(has_folded(&world));
    delete(&world, "1").await;
    assert_eq!(times(&world).await, ["2026-11-20T06:00:00Z", "2026-11-20T06:00:00Z"]);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_concurrent_failures_outcomes_and_deletes_the_times_are_those_of_the_remaining_failures() {
    let world = world_with_manual_retries().await;
    let at = |n: usize| format!("2026-11-20T{:02}:{:02}:00Z", 9 + n / 60, n % 60);
    let first: Vec<String> = (0..240).map(|n| failed(&n.to_string(), &at(n)).to_string()).collect();
    world.send(first).await;
    let done = (0..100).map(|n| completed(&n.to_string(), 1, "2026-11-20T14:00:00Z").to_string());
    let more = (240..300).map(|n| failed(&n.to_string(), &at(n)).to_string());
    let job = json!({ "reason": "gone", "selection": { "filter": { "from": at(200) } } });
    tokio::join!(world.send(done), world.send(more), async {
        world.post("/flows/orders/delete", job).await.ok();
    });
    world.settle().await;

    let left = world.get("/flows/orders/interchanges?limit=200&order=oldest").await.ok();
    let left = left["items"].as_array().unwrap();
    let now = world.stack.aws().clock().now();
    let [oldest, newest] =
        [left.first(), left.last()].map(|item| rounded_time(item.unwrap()["failedAt"].as_str().unwrap(), now));
    assert_eq!(times(&world).await, [oldest, newest]);
    assert_eq!(times(&world).await[0], at(100));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_run_is_the_earliest_of_the_remaining_retries() {
    let world = World::start().await;
    let next_run = async || world.get("/flows/orders").await.ok()["nextRunAt"].clone();
    world.report(failed("1", "2026-11-20T14:00:00Z")).await;
    world.advance("3m").await;
    world.report(failed("2", "2026-11-20T14:03:00Z")).await;
    assert_eq!(next_run().await, "2026-11-20T14:05:00Z");
    world.advance("150s").await;
    assert_eq!(next_run().await, "2026-11-20T14:08:00Z");
    delete(&world, "2").await;
    assert_eq!(next_run().await, Value::Null, "no retry is planned any more");
    assert_eq!(world.drain(RECEIVER_STAGE).await.len(), 1);
    world.stop().await;
}

/// The attribute names of each count row of the flow. Only the table shows them.
fn count_rows(world: &World) -> Vec<Vec<String>> {
    let request = json!({ "TableName": "reprise", "KeyConditionExpression": "pk = :pk AND begins_with(sk, :sk)",
                          "ExpressionAttributeValues": { ":pk": { "S": "FLOWS" }, ":sk": { "S": "orders#" } } });
    let rows = world.stack.aws().dynamodb().query(serde_json::from_value(request).unwrap()).unwrap();
    rows.items.unwrap().into_iter().map(|row| row.into_keys().collect()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_folds_the_rows_of_many_writers_and_coarsens_old_times() {
    let world = world_with_manual_retries().await;
    let first: Timestamp = "2026-11-20T13:00:00Z".parse().unwrap();
    for writer in 0..250 {
        let minute = first.as_second() / 60 + writer % 120;
        let row = json!({ "pk": { "S": "FLOWS" }, "sk": { "S": format!("orders#{writer:012x}-0-2026112014") },
                          "k": { "N": "1" }, "at": { "S": first.to_string() }, "failed": { "N": "1" },
                          format!("m{minute}"): { "N": "1" } });
        let put = serde_json::from_value(json!({ "TableName": "reprise", "Item": row })).unwrap();
        world.stack.aws().dynamodb().put_item(put).unwrap();
    }
    let failed = async || world.get("/flows/orders").await.ok()["counts"]["failed"].clone();
    assert_eq!((failed().await, count_rows(&world).len()), (json!(250), 251));

    world.advance("20m").await;
    assert_eq!(
        (failed().await, count_rows(&world).len()),
        (json!(250), 2),
        "one folded row and the row that registers the flow"
    );
    assert_eq!(times(&world).await, ["2026-11-20T13:00:00Z", "2026-11-20T14:59:00Z"]);

    world.advance("10h").await;
    let minutes = count_rows(&world).concat().into_iter().filter(|name| name.starts_with('m')).count();
    assert_eq!((failed().await, minutes), (json!(250), 0));
    assert_eq!(times(&world).await, ["2026-11-20T13:00:00Z", "2026-11-20T14:00:00Z"]);
    world.stop().await;
}

/// The number of calls for the list of flows does not depend on the number of flows.
#[tokio::test(flavor = "multi_thread")]
async fn the_list_of_ninety_flows_takes_three_calls_as_does_a_single_flow() {
    let world = World::start_metered().await;
    let long_ago = world.stack.aws().clock().now() - SignedDuration::from_hours(30);
    let reports: Vec<Value> = (0..180)
        .map(|n| report(&n.to_string(), &format!("flow-{}", n % 90), json!({ "occurredAt": long_ago.to_string() })))
        .collect();
    world.ingest_batch(&reports).await;
    for (path, expected) in
        [("/flows", vec!["BatchGetItem", "Query", "Query"]), ("/flows/flow-7", vec!["GetItem", "Query", "Query"])]
    {
        drop(world.stack.aws().meter().take());
        let answer = world.get(path).await.ok();
        let mut calls: Vec<String> = world.stack.aws().meter().take().into_iter().map(|call| call.operation).collect();
        calls.sort();
        assert_eq!(calls, expected, "{path}");
        let flow = answer["items"].get(89).unwrap_or(&answer);
        assert_eq!((&flow["counts"]["failed"], &flow["oldestFailureAt"]), (&json!(2), &json!("2026-11-19T08:00:00Z")));
        assert_eq!(flow["nextRunAt"], "2026-11-20T14:01:00Z", "an overdue retry");
    }
    world.stop().await;
}
