//! Jobs: one action on every interchange of a selection, completed despite crashes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::{Answer, RECEIVER_STAGE, SENDER_STAGE, StageMessage, World, report};

const RUN_JOB: &str = "reprise-run-job";

/// How long to wait for an expected event.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// After this time the work item of a killed run-job is delivered again: the visibility timeout of the jobs queue plus a minute.
const REDELIVERY_TIME: &str = "13m";

/// Creates a flow without automatic retries and with a deadline far in the future, so that time changes nothing.
async fn manual_flow(world: &World) {
    let config = json!({ "retry": { "mode": "manual" }, "confirmation": { "mode": "confirms", "within": "30d" } });
    world.put("/flows/orders", config).await.ok();
}

fn failures(ids: impl IntoIterator<Item = String>) -> Vec<String> {
    ids.into_iter().map(|id| report(&id, "orders", json!({})).to_string()).collect()
}

async fn fail(world: &World, count: usize) {
    world.send(failures((0..count).map(|n| format!("o-{n}")))).await;
}

async fn order(world: &World, action: &str, body: Value) -> Answer {
    let mut with_reason = json!({ "reason": "the partner is up again" });
    with_reason.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
    world.post(&format!("/flows/orders/{action}"), with_reason).await
}

/// Creates a job and returns its path.
async fn job(world: &World, action: &str, body: Value) -> String {
    let answer = order(world, action, body).await;
    let path = answer.location.clone().expect("a Location");
    let job = answer.ok();
    assert_eq!(path, format!("/jobs/{}", job["id"].as_str().unwrap()));
    path
}

/// Creates a job, waits until the stack is idle, and returns the job.
async fn finished_job(world: &World, action: &str, body: Value) -> Value {
    let path = job(world, action, body).await;
    world.settle().await;
    world.get(&path).await.ok()
}

/// Waits until at least so many messages are on the receiver stage.
async fn wait_for_staged(world: &World, count: usize) {
    let end = Instant::now() + MAX_WAIT;
    while world.held(RECEIVER_STAGE) < count {
        assert!(Instant::now() < end, "{} of {count} were sent", world.held(RECEIVER_STAGE));
        tokio::task::yield_now().await;
    }
}

/// Kills all processes of run-job. Fails when there is none.
async fn kill_run_job(world: &World) {
    assert!(world.stack.kill_environments(RUN_JOB).await.unwrap() > 0, "run-job has no process to kill");
}

/// Kills run-job while it works, and waits until the rest of the stack is idle.
async fn interrupt_job(world: &World) {
    kill_run_job(world).await;
    world.settle().await;
}

fn counts(job: &Value) -> [u64; 5] {
    ["matched", "sent", "skipped", "completed", "failedAgain"].map(|name| job["counts"][name].as_u64().unwrap())
}

fn ids(staged: &[StageMessage]) -> BTreeSet<String> {
    staged.iter().map(|staged| staged.id().to_owned()).collect()
}

async fn flow_counts(world: &World) -> Value {
    world.get("/flows/orders").await.ok()["counts"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_of_five_thousand_are_sent_although_run_job_is_killed_twice() {
    let world = World::start().await;
    manual_flow(&world).await;
    // Two of every five failures match the filter.
    let matches = |n: usize| n % 5 < 2;
    let refused = json!({ "error": { "category": "business", "message": "unknown article" } });
    let failures = (0..5_000).map(|n| {
        let more = if matches(n) { json!({}) } else { refused.clone() };
        report(&format!("o-{n}"), "orders", more).to_string()
    });
    world.send(failures).await;

    let filter = json!({ "selection": { "filter": { "message": "TIMEOUT to ERP" } } });
    let path = job(&world, "retry", filter).await;
    wait_for_staged(&world, 300).await;
    kill_run_job(&world).await;
    let ((), ()) = tokio::join!(world.advance(REDELIVERY_TIME), async {
        wait_for_staged(&world, 1_200).await;
        assert!(world.held(RECEIVER_STAGE) < 2_000, "the job ended before run-job was killed");
        kill_run_job(&world).await;
    });
    world.advance(REDELIVERY_TIME).await;

    let sent = world.drain(RECEIVER_STAGE).await;
    let expected: BTreeSet<String> = (0..5_000).filter(|n| matches(*n)).map(|n| format!("o-{n}")).collect();
    assert!(ids(&sent) == expected, "{} of {} were sent", ids(&sent).len(), expected.len());
    assert!(sent.iter().all(|s| s.attempt() == 2 && s.body == format!("receiver of {}", s.id())));
    assert!(world.drain(SENDER_STAGE).await.is_empty());

    let job = world.get(&path).await.ok();
    assert_eq!((job["status"].as_str(), counts(&job)), (Some("completed"), [2_000, 2_000, 0, 0, 0]), "{job}");
    let counts = flow_counts(&world).await;
    assert_eq!((&counts["failed"], &counts["waiting_for_retry"]), (&json!(3_000), &json!(2_000)));
    for n in [0, 1, 4_995, 4_996] {
        assert_eq!(world.kinds(&format!("o-{n}")).await, ["failed", "retry_requested"]);
    }
    for n in [2, 3, 4, 4_999] {
        assert_eq!(world.interchange(&format!("o-{n}")).await["version"], 1);
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_fails_again_while_its_job_is_interrupted_is_not_sent_again_and_counted_once() {
    let world = World::start().await;
    manual_flow(&world).await;
    fail(&world, 300).await;
    let path = job(&world, "retry", json!({ "selection": { "all": true } })).await;
    wait_for_staged(&world, 1).await;
    interrupt_job(&world).await;
    let first = world.drain(RECEIVER_STAGE).await;
    let again = first.iter().map(|s| report(s.id(), "orders", json!({ "attempt": 2 })).to_string());
    world.send(again).await;
    let failed_again = ids(&first).len() as u64;
    assert!(world.get(&path).await.ok()["status"] == "running", "the job ended before it was interrupted");
    world.advance(REDELIVERY_TIME).await;

    let second = world.drain(RECEIVER_STAGE).await;
    assert!(first.iter().chain(&second).all(|staged| staged.attempt() == 2));
    assert!(ids(&first).is_disjoint(&ids(&second)), "what failed again was sent again");
    assert_eq!(ids(&first).len() + ids(&second).len(), 300);
    let job = world.get(&path).await.ok();
    assert_eq!((job["status"].as_str(), counts(&job)), (Some("completed"), [300, 300, 0, 0, failed_again]), "{job}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_cancelled_while_it_is_interrupted_sends_only_what_it_claimed() {
    let world = World::start().await;
    manual_flow(&world).await;
    fail(&world, 400).await;
    let path = job(&world, "retry", json!({ "selection": { "all": true } })).await;
    wait_for_staged(&world, 1).await;
    interrupt_job(&world).await;
    let cancelled = world.post(&format!("{path}/cancel"), json!({})).await.ok();
    assert_eq!(cancelled["status"], "cancelling", "the job ended before it was interrupted");
    world.advance(REDELIVERY_TIME).await;

    let job = world.get(&path).await.ok();
    assert_eq!(job["status"], "cancelled");
    let sent = ids(&world.drain(RECEIVER_STAGE).await);
    let waiting = flow_counts(&world).await["waiting_for_retry"].as_u64().unwrap();
    assert_eq!(sent.len() as u64, waiting, "every claimed message was sent");
    let [matched, counted, skipped, ..] = counts(&job);
    assert_eq!((counted, counted + skipped), (waiting, matched), "{job}");
    assert_eq!(order(&world, "retry", json!({ "selection": { "all": true } })).await.status, 202);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_job_sends_nothing_more_and_cannot_be_cancelled_again() {
    let world = World::start().await;
    manual_flow(&world).await;
    fail(&world, 3_000).await;
    let path = job(&world, "retry", json!({ "selection": { "all": true } })).await;
    wait_for_staged(&world, 100).await;
    world.post(&format!("{path}/cancel"), json!({})).await.ok();
    world.settle().await;
    let job = world.get(&path).await.ok();
    assert_eq!(job["status"], "cancelled");
    assert!(job["endedAt"].is_string());
    let sent = world.drain(RECEIVER_STAGE).await;
    assert!(sent.len() < 3_000, "it was cancelled before its end");
    let [matched, counted, skipped, ..] = counts(&job);
    assert_eq!((counted, counted + skipped), (sent.len() as u64, matched), "{job}");
    assert_eq!(flow_counts(&world).await["failed"], 3_000 - counted);
    world.post(&format!("{path}/cancel"), json!({})).await.is_problem(409, "job-ended");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_accepts_the_next_job_only_after_the_active_one_has_ended() {
    let world = World::start().await;
    manual_flow(&world).await;
    fail(&world, 300).await;
    let all = json!({ "selection": { "all": true } });
    let path = job(&world, "retry", all.clone()).await;
    wait_for_staged(&world, 1).await;
    interrupt_job(&world).await;
    for action in ["retry", "restart", "delete"] {
        let problem = order(&world, action, all.clone()).await.is_problem(409, "job-active");
        assert_eq!(problem["job"], path);
    }
    world.report(report("i-1", "invoices", json!({}))).await;
    let other = world.post("/flows/invoices/delete", json!({ "reason": "a test", "selection": { "all": true } })).await;
    assert_eq!(other.status, 202, "another flow accepts a job");
    world.advance(REDELIVERY_TIME).await;
    assert_eq!(world.get(&path).await.ok()["status"], "completed");
    assert_eq!(world.drain(RECEIVER_STAGE).await.iter().map(StageMessage::id).collect::<BTreeSet<_>>().len(), 300);
    world.send((0..300).map(|n| report(&format!("o-{n}"), "orders", json!({ "attempt": 2 })).to_string())).await;
    let next = finished_job(&world, "retry", all).await;
    assert_eq!((next["status"].as_str(), counts(&next)), (Some("completed"), [300, 300, 0, 0, 0]), "{next}");
    let listed = world.get("/flows/orders/jobs").await.ok();
    assert_eq!(listed["items"][0]["id"], next["id"], "newest first");
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_over_ids_takes_only_these_and_shows_why_it_skipped_some() {
    let world = World::start().await;
    manual_flow(&world).await;
    fail(&world, 5).await;
    let unmapped = json!({ "payloads": { "sender": { "body": "UNB+UNOC:3" } } });
    world.report(report("unmapped", "orders", unmapped)).await;
    world.report(report("foreign", "invoices", json!({}))).await;
    world.post("/interchanges/o-3/delete", json!({ "reason": "a double" })).await.ok();
    let foreign = order(&world, "retry", json!({ "selection": { "ids": ["o-1", "foreign"] } })).await;
    assert_eq!(foreign.is_problem(400, "invalid-field")["field"], "selection.ids[1]");
    let named = ["o-1", "o-3", "unmapped", "unknown", "o-2", "o-1"];
    let job = finished_job(&world, "retry", json!({ "selection": { "ids": named } })).await;
    assert_eq!((job["status"].as_str(), counts(&job)), (Some("completed"), [5, 2, 3, 0, 0]), "{job}");
    let skips = json!({ "not-failed": 1, "no-receiver-payload": 1, "not-found": 1 });
    assert_eq!(job["skips"], skips);
    let sent = world.drain(RECEIVER_STAGE).await;
    assert_eq!(ids(&sent), BTreeSet::from(["o-1".to_owned(), "o-2".to_owned()]));
    assert!(sent.iter().all(|staged| staged.reprise["job"] == job["id"]));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_job_sends_the_sender_payloads_and_counts_their_outcomes() {
    let world = World::start().await;
    manual_flow(&world).await;
    fail(&world, 120).await;
    let job = finished_job(&world, "restart", json!({ "selection": { "all": true } })).await;
    assert_eq!(counts(&job), [120, 120, 0, 0, 0]);
    let sent = world.drain(SENDER_STAGE).await;
    let bodies: BTreeMap<&str, &str> = sent.iter().map(|s| (s.id(), s.body.as_str())).collect();
    assert_eq!(bodies.len(), 120);
    assert!(bodies.iter().all(|(id, body)| *body == format!("sender of {id}")));
    assert!(sent.iter().all(|s| s.reprise["action"] == "restart" && s.reprise["trigger"] == "manual"));
    assert!(world.drain(RECEIVER_STAGE).await.is_empty());
    world.send((0..120).map(|n| outcome(&format!("o-{n}"), n % 3 != 0))).await;
    let job = world.get(&format!("/jobs/{}", job["id"].as_str().unwrap())).await.ok();
    assert_eq!(counts(&job), [120, 120, 0, 80, 40]);
    let requested = world.interchange("o-1").await["events"][1].clone();
    assert_eq!(
        (&requested["kind"], &requested["reason"], &requested["job"]),
        (&json!("restart_requested"), &json!("the partner is up again"), &job["id"])
    );
    world.stop().await;
}

fn outcome(id: &str, completes: bool) -> String {
    let failed = report(id, "orders", json!({ "attempt": 2 }));
    let completed = json!({ "type": "interchange.completed", "interchangeId": id, "flow": "orders", "attempt": 2 });
    if completes { completed.to_string() } else { failed.to_string() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delete_job_removes_the_payloads_and_keeps_heads_and_logs_although_run_job_is_killed() {
    let world = World::start().await;
    manual_flow(&world).await;
    fail(&world, 150).await;
    let path = job(&world, "delete", json!({ "selection": { "all": true } })).await;
    let end = Instant::now() + MAX_WAIT;
    while counts(&world.get(&path).await.ok())[1] == 0 {
        assert!(Instant::now() < end, "nothing was deleted");
    }
    interrupt_job(&world).await;
    world.advance(REDELIVERY_TIME).await;
    let job = world.get(&path).await.ok();
    assert_eq!((job["status"].as_str(), counts(&job)), (Some("completed"), [150, 150, 0, 0, 0]), "{job}");
    for n in 0..150 {
        let id = format!("o-{n}");
        for side in ["sender", "receiver"] {
            let payload = world.get(&format!("/interchanges/{id}/payloads/{side}")).await;
            payload.is_problem(404, "not-found");
        }
        assert_eq!(world.interchange(&id).await["status"], "deleted");
        assert_eq!(world.kinds(&id).await, ["failed", "deleted"]);
    }
    let deleted = world.interchange("o-7").await["events"][1].clone();
    assert_eq!((&deleted["reason"], &deleted["job"]), (&json!("the partner is up again"), &job["id"]));
    assert_eq!(world.get("/flows/orders/interchanges").await.ok()["items"], json!([]));
    assert_eq!(world.held(RECEIVER_STAGE) + world.held(SENDER_STAGE), 0);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_takes_only_failures_before_its_as_of_time() {
    let world = World::start().await;
    manual_flow(&world).await;
    fail(&world, 5).await;
    world.advance("10m").await;
    let now = world.stack.aws().clock().now().to_string();
    let later = (0..5).map(|n| report(&format!("later-{n}"), "orders", json!({ "occurredAt": now })).to_string());
    world.send(later).await;
    let by_hand = json!({ "reason": "once more" });
    world.post("/interchanges/o-0/retry", by_hand).await.ok();
    world.report(report("o-0", "orders", json!({ "attempt": 2, "occurredAt": now }))).await;
    assert_eq!(world.drain(RECEIVER_STAGE).await.len(), 1);
    let body = json!({ "selection": { "all": true }, "asOf": "2026-11-20T14:05:00Z" });
    let job = finished_job(&world, "retry", body).await;
    assert_eq!((&job["asOf"], counts(&job)), (&json!("2026-11-20T14:05:00Z"), [4, 4, 0, 0, 0]), "{job}");
    let sent: BTreeSet<String> = (1..5).map(|n| format!("o-{n}")).collect();
    assert_eq!(ids(&world.drain(RECEIVER_STAGE).await), sent);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_capped_job_takes_the_oldest_failures() {
    let world = World::start().await;
    manual_flow(&world).await;
    let failures = (0..260).map(|n| {
        let at = format!("2026-11-20T13:{:02}:{:02}Z", 59 - n / 60, 59 - n % 60);
        report(&format!("o-{n}"), "orders", json!({ "occurredAt": at })).to_string()
    });
    world.send(failures).await;
    let job = finished_job(&world, "retry", json!({ "selection": { "all": true }, "cap": 130 })).await;
    assert_eq!((job["status"].as_str(), counts(&job)), (Some("completed"), [130, 130, 0, 0, 0]), "{job}");
    let oldest: BTreeSet<String> = (130..260).map(|n| format!("o-{n}")).collect();
    assert_eq!(ids(&world.drain(RECEIVER_STAGE).await), oldest);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_matches_nothing_ends_immediately() {
    let world = World::start().await;
    manual_flow(&world).await;
    fail(&world, 3).await;
    let nobody = json!({ "selection": { "filter": { "sender": "NOBODY" } } });
    let job = finished_job(&world, "retry", nobody.clone()).await;
    assert_eq!((job["status"].as_str(), counts(&job)), (Some("completed"), [0; 5]));
    assert_eq!(order(&world, "retry", nobody).await.status, 202, "the flow accepts another job");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_with_a_low_rate_spreads_its_messages_over_time_and_completes() {
    let world = World::start().await;
    manual_flow(&world).await;
    fail(&world, 250).await;
    let path = job(&world, "retry", json!({ "selection": { "all": true }, "rate": 1 })).await;
    world.advance("60s").await;
    let first = world.drain(RECEIVER_STAGE).await.len();
    assert!((50..=70).contains(&first), "{first} were sent in a minute at one per second");
    world.advance("10m").await;
    assert_eq!(first + world.drain(RECEIVER_STAGE).await.len(), 250);
    let job = world.get(&path).await.ok();
    assert_eq!((job["status"].as_str(), counts(&job)), (Some("completed"), [250, 250, 0, 0, 0]), "{job}");
    world.stop().await;
}
