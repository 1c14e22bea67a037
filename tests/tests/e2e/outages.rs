//! Services that fail for minutes, and lost work items: no failure is lost, nothing is completed that was not sent, and no flow
//! is blocked.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use local::local_aws::{Fault, Match, Recording, Rule, Service};
use serde_json::{Value, json};
use tests::{FAILURES, RECEIVER_STAGE, START, StageMessage, World, report};

const JOBS: &str = "reprise-jobs";

/// A world with a flow that has manual retries and a deadline of a month.
async fn world_with_manual_retries() -> World {
    let world = World::start_faulty().await;
    let config = json!({ "retry": { "mode": "manual" }, "confirmation": { "within": "30d" } });
    world.put("/flows/orders", config).await.ok();
    world
}

fn failures(count: usize) -> impl Iterator<Item = String> {
    (0..count).map(|n| report(&format!("o-{n}"), "orders", json!({})).to_string())
}

fn ids(staged: &[StageMessage]) -> BTreeSet<&str> {
    staged.iter().map(StageMessage::id).collect()
}

/// A fault for all calls of this service, for so many minutes of the clock.
fn for_minutes(minutes: i64, service: Service, key: Option<&str>, fault: Fault) -> Rule {
    let start: Timestamp = START.parse().unwrap();
    let matches = Match { service: Some(service), key_prefix: key.map(str::to_owned), ..Match::default() };
    let until = Some(start + SignedDuration::from_mins(minutes));
    Rule { times: Rule::ALWAYS, until, ..Rule::new(matches, fault) }
}

async fn statuses(world: &World) -> Value {
    world.get("/flows/orders").await.ok()["counts"].clone()
}

async fn retry_all(world: &World) -> String {
    let body = json!({ "reason": "the partner is back", "selection": { "all": true } });
    world.post("/flows/orders/retry", body).await.location.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_flow_completes_nothing_while_sqs_fails_and_everything_after_it_is_sent() {
    let world = World::start_faulty().await;
    let silent = json!({ "retry": { "mode": "manual" }, "confirmation": { "mode": "silent", "within": "5m" } });
    world.put("/flows/orders", silent).await.ok();
    world.send(failures(20)).await;
    world.stack.aws().faults().add(for_minutes(15, Service::Sqs, Some(RECEIVER_STAGE), Fault::ServerError));
    let path = retry_all(&world).await;
    for _ in 0..14 {
        world.advance("1m").await;
        assert_eq!(statuses(&world).await["completed"].as_u64().unwrap_or(0), 0, "nothing is on the stage");
    }
    for _ in 0..20 {
        world.advance("2m").await;
    }
    let staged = world.drain(RECEIVER_STAGE).await;
    assert_eq!((staged.len(), ids(&staged).len()), (20, 20), "each once");
    assert_eq!(statuses(&world).await["completed"], 20);
    let job = world.get(&path).await.ok();
    assert_eq!((&job["status"], &job["counts"]["sent"]), (&json!("completed"), &json!(20)), "{job}");
    assert_eq!((world.held(JOBS), world.held("reprise-jobs-dlq")), (0, 0));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirming_flow_uses_no_attempt_while_sqs_fails() {
    let world = World::start_faulty().await;
    world.put("/flows/orders", json!({ "confirmation": { "within": "5m" } })).await.ok();
    world.send(failures(20)).await;
    world.stack.aws().faults().add(for_minutes(25, Service::Sqs, Some(RECEIVER_STAGE), Fault::ServerError));
    for _ in 0..34 {
        world.advance("1m").await;
    }
    let staged = world.drain(RECEIVER_STAGE).await;
    assert_eq!(ids(&staged).len(), 20);
    assert!(staged.iter().all(|staged| staged.attempt() == 2), "the first retry, late");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_whose_job_lost_its_work_items_is_unblocked_by_a_cancel_or_by_the_sweep() {
    let world = world_with_manual_retries().await;
    world.send(failures(250)).await;
    let slow = json!({ "reason": "slowly", "selection": { "all": true }, "rate": 1 });
    let path = world.post("/flows/orders/retry", slow).await.location.unwrap();
    world.settle().await;
    let purge = world.sqs.purge_queue().queue_url(world.queue_url(JOBS));
    purge.send().await.unwrap();
    let cancelled = world.post(&format!("{path}/cancel"), json!({})).await.ok();
    assert_eq!(cancelled["status"], "cancelled", "no worker holds a chunk");
    let count = |name: &str| cancelled["counts"][name].as_u64().unwrap();
    assert_eq!(count("matched"), count("sent") + count("skipped"), "{cancelled}");
    assert_eq!(cancelled["skips"]["cancelled"], count("skipped"));

    let path = retry_all(&world).await;
    world.sqs.purge_queue().queue_url(world.queue_url(JOBS)).send().await.unwrap();
    for _ in 0..10 {
        world.advance("2m").await;
    }
    let job = world.get(&path).await.ok();
    assert_eq!(job["status"], "completed", "{job}");
    let staged = world.drain(RECEIVER_STAGE).await;
    assert_eq!(ids(&staged).len(), 250);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scheduler_that_fails_for_an_hour_delays_no_failure_and_no_retry() {
    let world = World::start_faulty().await;
    world.put("/flows/orders", json!({ "confirmation": { "within": "30d" } })).await.ok();
    let down = for_minutes(60, Service::Scheduler, None, Fault::ServerError);
    world.stack.aws().faults().add(down);
    world.send(failures(120)).await;
    assert_eq!(statuses(&world).await["failed"], 120);
    assert_eq!((world.held(FAILURES), world.held("reprise-failures-dlq")), (0, 0));
    for _ in 0..8 {
        world.advance("1m").await;
    }
    assert_eq!(ids(&world.drain(RECEIVER_STAGE).await).len(), 120, "the sweep dispatches what has no schedule");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_repeated_when_half_of_all_dynamodb_calls_are_throttled_for_a_minute() {
    let world = world_with_manual_retries().await;
    let throttled = Rule { one_in: Some((4711, 0.5)), ..for_minutes(1, Service::DynamoDb, None, Fault::Throttle) };
    world.stack.aws().faults().add(throttled.clone());
    world.send(failures(5_000)).await;
    for _ in 0..10 {
        world.advance("1m").await;
    }
    assert_eq!(statuses(&world).await["failed"], 5_000);
    let until = Some(world.stack.aws().clock().now() + SignedDuration::from_mins(1));
    world.stack.aws().faults().add(Rule { until, ..throttled });
    // The response may be a 500. With the Idempotency-Key the order is safe to repeat.
    let body = json!({ "reason": "the partner is back", "selection": { "all": true } });
    let mut path = None;
    for _ in 0..20 {
        path = world.post_once("/flows/orders/retry", "one-key", body.clone()).await.location;
        if path.is_some() {
            break;
        }
    }
    for _ in 0..20 {
        world.advance("1m").await;
    }
    let staged = world.drain(RECEIVER_STAGE).await;
    assert_eq!((staged.len(), ids(&staged).len()), (5_000, 5_000), "each once");
    let job = world.get(&path.unwrap()).await.ok();
    assert_eq!((&job["status"], &job["counts"]["sent"]), (&json!("completed"), &json!(5_000)), "{job}");
    assert_eq!((world.held(JOBS), world.held("reprise-jobs-dlq"), world.held("reprise-failures-dlq")), (0, 0, 0));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_is_sent_once_when_the_response_to_its_commit_is_an_error() {
    let world = world_with_manual_retries().await;
    world.send(failures(1)).await;
    let commits = Match {
        operation: Some("TransactWriteItems".to_owned()),
        caller: Some("reprise-retry".to_owned()),
        ..Match::default()
    };
    world.stack.aws().faults().add(Rule { times: Rule::ALWAYS, ..Rule::new(commits, Fault::ServerErrorAfter) });
    let answer = world.post("/interchanges/o-0/retry", json!({ "reason": "again" })).await;
    assert_eq!(answer.status, 500);
    world.stack.aws().faults().clear();
    world.advance("5m").await;
    let staged = world.drain(RECEIVER_STAGE).await;
    assert_eq!((staged.len(), world.interchange("o-0").await["status"].as_str()), (1, Some("waiting_for_retry")));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_without_a_response_delays_a_batch_only_by_seconds() {
    let world = World::start_faulty().await;
    let reads = Match {
        operation: Some("BatchGetItem".to_owned()),
        caller: Some("reprise-ingest-failure".to_owned()),
        ..Match::default()
    };
    world.stack.aws().faults().add(Rule::new(reads, Fault::Hang));
    let begun = std::time::Instant::now();
    world.send(failures(1)).await;
    assert_eq!(statuses(&world).await["failed"], 1, "the second try succeeds");
    assert!(begun.elapsed().as_secs() < 25, "a try ends after 3 s: {:?}", begun.elapsed());
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_makes_no_extra_calls_for_the_held_slots_of_an_inactive_flow() {
    let world = World::start_faulty().await;
    for minute in 0..20 {
        world.report(report(&format!("i-{minute}"), "idle", json!({}))).await;
        world.advance("1m").await;
        if minute == 0 {
            world.put("/flows/idle", json!({ "active": false })).await.ok();
        }
    }
    world.advance("30m").await;
    let faults = world.stack.aws().faults();
    faults.record(Recording::On);
    world.advance("1m").await;
    let sweeper = |call: &&local::local_aws::SeenCall| call.caller.as_deref() == Some("reprise-scheduled-retry");
    let calls = faults.calls();
    assert!(calls.iter().filter(sweeper).count() <= 12, "{calls:?}");
    assert!(world.drain(RECEIVER_STAGE).await.is_empty());

    world.put("/flows/idle", json!({ "active": true })).await.ok();
    world.settle().await;
    assert_eq!(ids(&world.drain(RECEIVER_STAGE).await).len(), 20, "activation releases them all");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_work_fails_too_often_is_stuck_until_it_is_resumed() {
    let world = world_with_manual_retries().await;
    world.send(failures(5)).await;
    world.stack.aws().faults().add(Rule {
        times: Rule::ALWAYS,
        ..Rule::new(Match { key_prefix: Some(RECEIVER_STAGE.to_owned()), ..Match::default() }, Fault::ServerError)
    });
    let path = retry_all(&world).await;
    world.advance("3h").await;
    let job = world.get(&path).await.ok();
    assert_eq!((&job["status"], &job["stuck"]), (&json!("running"), &json!(true)), "{job}");
    assert!(job["halt"].as_str().unwrap().contains("resume"), "{job}");
    assert_eq!(world.held("reprise-jobs-dlq"), 0, "the job shows that its work was set aside");

    world.stack.aws().faults().clear();
    world.post(&format!("{path}/resume"), json!({})).await.ok();
    world.settle().await;
    let job = world.get(&path).await.ok();
    assert_eq!((&job["status"], job.get("stuck")), (&json!("completed"), None), "{job}");
    assert_eq!(world.drain(RECEIVER_STAGE).await.len(), 5);
    world.stop().await;
}
