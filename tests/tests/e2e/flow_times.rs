//! When a flow's oldest and newest failures happened: told with its counts, and moving on with every one that is resolved.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tests::{RECEIVER_STAGE, World, report};

use crate::chaos::has_folded;

/// How a flow tells a failure's time: rounded down to the minute, hour or day, by how far away it is.
pub(crate) fn told(failed_at: &str, now: Timestamp) -> Value {
    let failed_at: Timestamp = failed_at.parse().unwrap();
    let whole = |time: Timestamp, width: i64| time.as_second().div_euclid(width);
    let far = |width: i64, most: i64| (whole(now, width) - whole(failed_at, width)).abs() > most;
    let width = match (far(3_600, 6), far(86_400, 7)) {
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

async fn by_hand() -> World {
    let world = World::start().await;
    let config = json!({ "retry": { "mode": "manual" }, "confirmation": { "within": "365d" } });
    world.put("/flows/orders", config).await.ok();
    world
}

async fn delete(world: &World, id: &str) {
    world.post(&format!("/interchanges/{id}/delete"), json!({ "reason": "done by phone" })).await.ok();
}

/// The oldest and the newest, as the flow and as the list of flows tell them, which is the same.
async fn times(world: &World) -> [Value; 2] {
    let flow = world.get("/flows/orders").await.ok();
    let flows = world.get("/flows").await.ok();
    let times = |flow: &Value| ["oldestFailureAt", "newestFailureAt"].map(|name| flow[name].clone());
    assert_eq!(times(&flow), times(&flows["items"][0]));
    times(&flow)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_oldest_moves_on_when_it_is_deleted_and_the_newest_back_when_it_is_completed() {
    let world = by_hand().await;
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
async fn repeats_change_no_time_and_a_late_report_of_an_earlier_failure_is_the_oldest() {
    let world = by_hand().await;
    let first = failed("1", "2026-11-20T13:30:00Z");
    world.take_in(&[first.clone(), first.clone(), failed("2", "2026-11-20T13:10:00Z")]).await;
    world.report(first.clone()).await;
    assert_eq!(times(&world).await, ["2026-11-20T13:10:00Z", "2026-11-20T13:30:00Z"]);

    delete(&world, "1").await;
    world.report(first).await;
    assert_eq!(times(&world).await, ["2026-11-20T13:10:00Z", "2026-11-20T13:10:00Z"], "a repeat brought it back");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_that_is_under_way_is_not_resolved_and_one_that_fails_again_is_the_newest() {
    let world = by_hand().await;
    world.take_in(&[failed("1", "2026-11-20T13:00:00Z"), failed("2", "2026-11-20T13:30:00Z")]).await;
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
    assert_eq!(times(&world).await, ["2026-11-20T14:05:00Z", "2026-11-20T14:10:00Z"], "resolved, and failed anew");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn times_widen_with_age_and_stay_right_through_folding_and_what_is_resolved_after_it() {
    let world = by_hand().await;
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
    assert!(has_folded(&world), "nothing was folded, so that this test shows nothing of it");

    world.report(failed("3", "2026-11-28T19:00:00Z")).await;
    delete(&world, "0").await;
    delete(&world, "2").await;
    assert_eq!(times(&world).await, ["2026-11-20T00:00:00Z", "2026-11-28T19:00:00Z"]);
    delete(&world, "1").await;
    assert_eq!(times(&world).await, ["2026-11-28T19:00:00Z", "2026-11-28T19:00:00Z"]);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_hour_old_oldest_that_is_folded_moves_on_to_the_hour_of_the_next() {
    let world = by_hand().await;
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
async fn failures_outcomes_and_deletes_at_the_same_time_leave_the_times_of_what_is_left() {
    let world = by_hand().await;
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
        [left.first(), left.last()].map(|item| told(item.unwrap()["failedAt"].as_str().unwrap(), now));
    assert_eq!(times(&world).await, [oldest, newest]);
    assert_eq!(times(&world).await[0], at(100));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_run_is_the_first_of_those_that_are_left() {
    let world = World::start().await;
    let next_run = async || world.get("/flows/orders").await.ok()["nextRunAt"].clone();
    world.report(failed("1", "2026-11-20T14:00:00Z")).await;
    world.advance("3m").await;
    world.report(failed("2", "2026-11-20T14:03:00Z")).await;
    assert_eq!(next_run().await, "2026-11-20T14:05:00Z");
    world.advance("150s").await;
    assert_eq!(next_run().await, "2026-11-20T14:08:00Z");
    delete(&world, "2").await;
    assert_eq!(next_run().await, Value::Null, "what was due is handled");
    assert_eq!(world.drain(RECEIVER_STAGE).await.len(), 1);
    world.stop().await;
}

/// The attributes of each count row of the flow: what only the table itself tells.
fn count_rows(world: &World) -> Vec<Vec<String>> {
    let request = json!({ "TableName": "reprise", "KeyConditionExpression": "pk = :pk AND begins_with(sk, :sk)",
                          "ExpressionAttributeValues": { ":pk": { "S": "FLOWS" }, ":sk": { "S": "orders#" } } });
    let rows = world.stack.aws().dynamodb().query(serde_json::from_value(request).unwrap()).unwrap();
    rows.items.unwrap().into_iter().map(|row| row.into_keys().collect()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_folds_the_rows_of_however_many_writers_and_widens_them_when_they_are_old() {
    let world = by_hand().await;
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
        "one, beside the one that registers the flow"
    );
    assert_eq!(times(&world).await, ["2026-11-20T13:00:00Z", "2026-11-20T14:59:00Z"]);

    world.advance("10h").await;
    let minutes = count_rows(&world).concat().into_iter().filter(|name| name.starts_with('m')).count();
    assert_eq!((failed().await, minutes), (json!(250), 0));
    assert_eq!(times(&world).await, ["2026-11-20T13:00:00Z", "2026-11-20T14:00:00Z"]);
    world.stop().await;
}

/// Whoever looks at many flows is answered by as many calls as who looks at few.
#[tokio::test(flavor = "multi_thread")]
async fn ninety_failing_flows_cost_three_calls_and_so_does_one() {
    let world = World::start_metered().await;
    let long_ago = world.stack.aws().clock().now() - SignedDuration::from_hours(30);
    let reports: Vec<Value> = (0..180)
        .map(|n| report(&n.to_string(), &format!("flow-{}", n % 90), json!({ "occurredAt": long_ago.to_string() })))
        .collect();
    world.take_in(&reports).await;
    for (path, wanted) in
        [("/flows", vec!["BatchGetItem", "Query", "Query"]), ("/flows/flow-7", vec!["GetItem", "Query", "Query"])]
    {
        drop(world.stack.aws().meter().take());
        let answer = world.get(path).await.ok();
        let mut calls: Vec<String> = world.stack.aws().meter().take().into_iter().map(|call| call.operation).collect();
        calls.sort();
        assert_eq!(calls, wanted, "{path}");
        let flow = answer["items"].get(89).unwrap_or(&answer);
        assert_eq!((&flow["counts"]["failed"], &flow["oldestFailureAt"]), (&json!(2), &json!("2026-11-19T08:00:00Z")));
        assert_eq!(flow["nextRunAt"], "2026-11-20T14:01:00Z", "a retry that is due already");
    }
    world.stop().await;
}
