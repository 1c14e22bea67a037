//! Repeated requests, and work items that are delivered twice at the same time: each message is sent once.

use std::collections::BTreeMap;
use std::time::Duration;

use local::local_aws::{Fault, Match, Redelivery, RedeliveryKind, Rule, Service};
use serde_json::{Value, json};
use tests::{RECEIVER_STAGE, StageMessage, World, report};

const SIZE: usize = 1_000;
const JOBS: &str = "reprise-jobs";
const FIFO: &str = "orders.fifo";

/// Configures a flow with manual retries and a deadline of a month.
async fn flow(world: &World, queue_url: &str) {
    let config = json!({ "retry": { "mode": "manual" }, "confirmation": { "within": "30d" },
                         "stages": { "receiver": { "queueUrl": queue_url } } });
    world.put("/flows/orders", config).await.ok();
}

async fn fail(world: &World, count: usize) {
    let failure = |n: usize| report(&format!("o-{n}"), "orders", json!({ "orderKey": format!("k-{}", n % 7) }));
    world.send((0..count).map(|n| failure(n).to_string())).await;
}

/// Delivers every message of the jobs queue a second time while the first delivery is in progress.
fn deliver_all_twice(world: &World) {
    let redelivery =
        Redelivery { queue: JOBS.to_owned(), kind: RedeliveryKind::WhileInFlight, after: Duration::ZERO, one_in: None };
    world.stack.aws().faults().redeliver(redelivery);
}

/// How many messages each interchange has on the stage.
fn times(staged: &[StageMessage]) -> BTreeMap<&str, usize> {
    staged.iter().fold(BTreeMap::new(), |mut times, staged| {
        *times.entry(staged.id()).or_default() += 1;
        times
    })
}

/// Requests a job five times with one key at the same time, and returns its path.
async fn order_five_times(world: &World, body: &Value) -> String {
    let order = || world.post_once("/flows/orders/retry", "one-key", body.clone());
    let (a, b, c, d, e) = tokio::join!(order(), order(), order(), order(), order());
    let paths: Vec<String> = [a, b, c, d, e].into_iter().map(|answer| answer.location.unwrap()).collect();
    assert!(paths.iter().all(|path| *path == paths[0]), "{paths:?}");
    paths[0].clone()
}

async fn counts(world: &World, path: &str) -> (Value, Value, Value, Value) {
    let job = world.get(path).await.ok();
    let count = |name: &str| job["counts"][name].clone();
    (job["status"].clone(), count("matched"), count("sent"), count("skipped"))
}

fn all_sent() -> (Value, Value, Value, Value) {
    (json!("completed"), json!(SIZE), json!(SIZE), json!(0))
}

/// A world with failures in a flow that sends to `queue`, in which every work item is delivered twice.
async fn world_with(queue: &str) -> World {
    let world = World::start_faulty().await;
    let url = if queue == FIFO { world.fifo_queue(FIFO).await } else { world.queue_url(queue) };
    flow(&world, &url).await;
    fail(&world, SIZE).await;
    deliver_all_twice(&world);
    world
}

async fn assert_job_sends_each_once(queue: &str, more: Value) {
    let world = world_with(queue).await;
    let mut body = json!({ "reason": "the partner is back", "selection": { "all": true } });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let path = order_five_times(&world, &body).await;
    for _ in 0..12 {
        world.advance("2m").await;
    }
    let staged = world.drain(queue).await;
    assert_eq!((staged.len(), times(&staged).len()), (SIZE, SIZE), "each once");
    assert_eq!(counts(&world, &path).await, all_sent());
    assert!(world.stack.aws().faults().redelivered() > 10, "no work items were delivered twice");
    assert_eq!((world.held(JOBS), world.held("reprise-jobs-dlq")), (0, 0));
    world.stop().await;
}

fn ids() -> Value {
    let ids: Vec<String> = (0..SIZE).map(|n| format!("o-{n}")).collect();
    json!({ "selection": { "ids": ids } })
}

fn filter_and_rate() -> Value {
    json!({ "selection": { "filter": { "message": "timeout" } }, "rate": 100 })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_over_everything_that_is_requested_five_times_sends_each_message_once() {
    assert_job_sends_each_once(RECEIVER_STAGE, json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_with_a_filter_and_a_rate_sends_each_once() {
    assert_job_sends_each_once(RECEIVER_STAGE, filter_and_rate()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_over_ids_sends_each_once() {
    assert_job_sends_each_once(RECEIVER_STAGE, ids()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_over_all_to_a_fifo_queue_sends_each_once() {
    assert_job_sends_each_once(FIFO, json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_with_a_filter_and_a_rate_to_a_fifo_queue_sends_each_once() {
    assert_job_sends_each_once(FIFO, filter_and_rate()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_over_ids_to_a_fifo_queue_sends_each_once() {
    assert_job_sends_each_once(FIFO, ids()).await;
}

async fn assert_job_continues_after_its_canary(queue: &str) {
    let world = world_with(queue).await;
    let body = json!({ "reason": "is it back?", "selection": { "all": true }, "canary": 3 });
    let path = order_five_times(&world, &body).await;
    world.settle().await;
    let mut staged = world.drain(queue).await;
    assert_eq!(times(&staged).len(), 3);
    let completed = |staged: &StageMessage| {
        let more = json!({ "type": "interchange.completed", "attempt": 2, "occurredAt": "2026-11-20T14:00:01Z" });
        report(staged.id(), "orders", more).to_string()
    };
    // The outcome itself makes the job continue, although the clock does not move.
    world.send(staged.iter().map(completed)).await;
    staged.extend(world.drain(queue).await);
    assert!(staged.len() > 3, "the job continues immediately");
    for _ in 0..6 {
        world.advance("2m").await;
    }
    staged.extend(world.drain(queue).await);
    assert_eq!((staged.len(), times(&staged).len()), (SIZE, SIZE));
    assert_eq!(counts(&world, &path).await, all_sent());
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_continues_after_the_outcome_of_its_canary_and_sends_each_once() {
    assert_job_continues_after_its_canary(RECEIVER_STAGE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_to_a_fifo_queue_continues_after_the_outcome_of_its_canary_and_sends_each_once() {
    assert_job_continues_after_its_canary(FIFO).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_sends_every_message_despite_fifty_kills_and_repeats_at_most_one_chunk_per_kill() {
    let world = World::start_faulty().await;
    flow(&world, &world.queue_url(RECEIVER_STAGE)).await;
    fail(&world, SIZE).await;
    let faults = world.stack.aws().faults();
    let runner = Match { caller: Some("reprise-run-job".to_owned()), ..Match::default() };
    for (seed, fault) in [(4711, Fault::KillBefore), (4712, Fault::KillAfter)] {
        faults.add(Rule { times: 25, one_in: Some((seed, 0.15)), ..Rule::new(runner.clone(), fault) });
    }
    let body = json!({ "reason": "the partner is back", "selection": { "all": true } });
    let path = world.post("/flows/orders/retry", body).await.location.unwrap();
    for _ in 0..60 {
        world.advance("4m").await;
    }
    let kills = faults.fired().len();
    let staged = world.drain(RECEIVER_STAGE).await;
    assert_eq!(kills, 50);
    assert_eq!(times(&staged).len(), SIZE, "each is sent");
    assert!(staged.iter().all(|staged| staged.attempt() == 2), "a repeat has another attempt");
    assert!(staged.len() - SIZE <= 100 * kills, "{} repeats of {kills} kills", staged.len() - SIZE);
    assert_eq!(counts(&world, &path).await, all_sent());
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_is_sent_at_most_twice_when_the_response_of_sqs_is_lost() {
    let world = World::start_faulty().await;
    flow(&world, &world.queue_url(RECEIVER_STAGE)).await;
    fail(&world, 1).await;
    let stage = Match { key_prefix: Some(RECEIVER_STAGE.to_owned()), service: Some(Service::Sqs), ..Match::default() };
    let lost = Rule { times: 1, ..Rule::new(stage, Fault::ResetAfter) };
    world.stack.aws().faults().add(lost);
    let answer = world.post("/interchanges/o-0/retry", json!({ "reason": "again" })).await.ok();
    assert_eq!(answer["status"], "waiting_for_retry", "the message may have been sent");
    world.advance("5m").await;
    let staged = world.drain(RECEIVER_STAGE).await;
    assert!((1..=2).contains(&staged.len()), "{} copies", staged.len());
    assert!(staged.iter().all(|staged| staged.attempt() == 2));
    assert_eq!(world.interchange("o-0").await["status"], "waiting_for_retry");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_requests_of_an_action_with_one_key_run_it_once_and_get_the_same_response() {
    let world = World::start_faulty().await;
    flow(&world, &world.queue_url(RECEIVER_STAGE)).await;
    fail(&world, 2).await;
    for (action, id, sends) in [("retry", "o-0", 1), ("delete", "o-1", 0)] {
        let path = format!("/interchanges/{id}/{action}");
        let act = || world.post_once(&path, action, json!({ "reason": "once" }));
        let (a, b, c) = tokio::join!(act(), act(), act());
        let answers: Vec<Value> = [a, b, c, act().await].into_iter().map(|answer| answer.ok()).collect();
        assert!(answers.iter().all(|answer| answer["status"] == answers[0]["status"]), "{answers:?}");
        assert_eq!(world.drain(RECEIVER_STAGE).await.len(), sends);
        let other = world.post_once(&path, action, json!({ "reason": "twice" })).await;
        other.is_problem(422, "idempotency-key-reused");
    }
    let kinds = world.kinds("o-0").await;
    assert_eq!(kinds.iter().filter(|kind| *kind == "retry_requested").count(), 1);
    world.advance("5m").await;
    assert!(world.drain(RECEIVER_STAGE).await.is_empty());
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_that_sqs_refused_runs_when_it_is_repeated_with_its_key() {
    let world = World::start_faulty().await;
    flow(&world, &world.queue_url("deleted-by-mistake")).await;
    fail(&world, 1).await;
    let act = || world.post_once("/interchanges/o-0/retry", "key", json!({ "reason": "again" }));
    act().await.is_problem(409, "send-failed");
    act().await.is_problem(409, "send-failed");
    flow(&world, &world.queue_url(RECEIVER_STAGE)).await;
    for _ in 0..2 {
        let answer = act().await.ok();
        assert_eq!((&answer["status"], &answer["attempt"]), (&json!("waiting_for_retry"), &json!(4)));
    }
    world.advance("5m").await;
    assert_eq!(world.drain(RECEIVER_STAGE).await.len(), 1);
    world.stop().await;
}
