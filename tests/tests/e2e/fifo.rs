//! FIFO stages: jobs and slots send the messages of a group in the order in which they failed.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::{StageMessage, World, report};

const STAGE: &str = "delivery.fifo";
const COUNT: usize = 250;

/// How long to wait for an expected event.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// After this time the work item of a killed run-job is delivered again: the visibility timeout of the jobs queue plus a minute.
const REDELIVERY_TIME: &str = "13m";

/// A flow with a FIFO stage and failures of one order key, reported in another order than they happened in. None of them is due
/// before 14:05.
async fn failed(retry: Value) -> World {
    let world = World::start().await;
    let stages = json!({ "receiver": { "queueUrl": world.fifo_queue(STAGE).await } });
    let within = json!({ "mode": "confirms", "within": "30d" });
    world.put("/flows/orders", json!({ "stages": stages, "retry": retry, "confirmation": within })).await.ok();
    let failures = (0..COUNT).map(|n| n * 37 % COUNT).map(|n| {
        let at = format!("2026-11-20T13:59:{:02}.{:03}Z", 1 + n / 5, n % 5 * 200);
        report(&id(n), "orders", json!({ "orderKey": "PO-1001", "phase": "delivery", "occurredAt": at })).to_string()
    });
    world.send(failures).await;
    world
}

/// An id that does not reveal the order.
fn id(n: usize) -> String {
    format!("o-{:03}", n * 7 % COUNT)
}

async fn retry_all(world: &World, more: Value) -> String {
    let mut order = json!({ "reason": "the partner is up again", "selection": { "all": true } });
    order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let answer = world.post("/flows/orders/retry", order).await;
    assert_eq!(answer.status, 202, "{}", answer.json());
    answer.location.unwrap()
}

/// The ids in the order in which a consumer that ignores repeats receives them.
fn received_ids(staged: &[StageMessage]) -> Vec<&str> {
    let mut seen = HashSet::new();
    staged.iter().map(StageMessage::id).filter(|id| seen.insert(*id)).collect()
}

fn assert_in_order(staged: &[StageMessage]) {
    let expected: Vec<String> = (0..COUNT).map(id).collect();
    assert!(staged.iter().all(|staged| staged.attempt() == 2));
    assert_eq!(received_ids(staged), expected);
}

async fn kill_once_staged(world: &World, count: usize) {
    let end = Instant::now() + MAX_WAIT;
    while world.held(STAGE) < count {
        assert!(Instant::now() < end, "{} of {count} were sent", world.held(STAGE));
        tokio::task::yield_now().await;
    }
    assert!(world.stack.kill_environments("reprise-run-job").await.unwrap() > 0, "there was no process to kill");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_sends_a_group_in_the_order_it_failed_in() {
    let world = failed(json!({ "mode": "manual" })).await;
    let job = retry_all(&world, json!({})).await;
    world.settle().await;
    assert_in_order(&world.drain(STAGE).await);
    let job = world.get(&job).await.ok();
    assert_eq!((&job["status"], &job["counts"]["sent"]), (&json!("completed"), &json!(COUNT)), "{job}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_continues_in_that_order_after_run_job_is_killed() {
    let world = failed(json!({ "mode": "manual" })).await;
    let job = retry_all(&world, json!({})).await;
    kill_once_staged(&world, 120).await;
    world.settle().await;
    world.advance(REDELIVERY_TIME).await;
    assert_in_order(&world.drain(STAGE).await);
    let job = world.get(&job).await.ok();
    assert_eq!((&job["status"], &job["counts"]["sent"]), (&json!("completed"), &json!(COUNT)), "{job}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_to_a_fifo_stage_keeps_its_rate_and_stops_when_it_is_cancelled() {
    let world = failed(json!({ "mode": "manual" })).await;
    let job = retry_all(&world, json!({ "rate": 10 })).await;
    world.settle().await;
    assert_eq!(world.held(STAGE), 10, "the messages of the first second");
    world.advance("5s").await;
    assert_eq!(world.held(STAGE), 60);
    world.post(&format!("{job}/cancel"), json!({})).await.ok();
    world.advance("1m").await;
    let job = world.get(&job).await.ok();
    assert_eq!((&job["status"], &job["counts"]["sent"]), (&json!("cancelled"), &json!(60)), "{job}");
    assert_eq!(job["skips"], json!({ "cancelled": COUNT - 60 }));
    let expected: Vec<String> = (0..60).map(id).collect();
    assert_eq!(received_ids(&world.drain(STAGE).await), expected);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_sends_a_group_in_the_order_it_failed_in() {
    let world = failed(json!({ "mode": "automatic" })).await;
    world.advance("4m").await;
    assert_eq!(world.held(STAGE), 0);
    world.advance("1m").await;
    assert_in_order(&world.drain(STAGE).await);
    world.advance("30m").await;
    assert!(world.drain(STAGE).await.is_empty(), "the sweep sends nothing again");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_continues_in_that_order_after_run_job_is_killed_and_the_sweep_starts_it_again() {
    let world = failed(json!({ "mode": "automatic" })).await;
    let ((), ()) = tokio::join!(world.advance("5m"), kill_once_staged(&world, 120));
    world.advance("30m").await;
    assert_in_order(&world.drain(STAGE).await);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ordered_slot_is_held_while_its_flow_is_inactive() {
    let world = failed(json!({ "mode": "automatic" })).await;
    let url = world.queue_url(STAGE);
    let config = |active| json!({ "active": active, "stages": { "receiver": { "queueUrl": url } } });
    world.put("/flows/orders", config(false)).await.ok();
    world.advance("1h").await;
    assert_eq!(world.held(STAGE), 0);
    world.put("/flows/orders", config(true)).await.ok();
    world.settle().await;
    assert_in_order(&world.drain(STAGE).await);
    world.stop().await;
}
