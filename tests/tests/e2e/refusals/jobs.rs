//! Refused jobs: a second job of a flow, a reused key, and invalid selections.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::{Answer, World, report};

use super::Snapshot;

const RUN_JOB: &str = "reprise-run-job";

/// How long to wait for an expected event.
const MAX_WAIT: Duration = Duration::from_secs(60);

fn all() -> Value {
    json!({ "reason": "the partner is back", "selection": { "all": true } })
}

/// Starts a job and kills run-job, so that the job stays active until the clock moves.
async fn interrupted_job(world: &World) -> String {
    let job = world.post("/flows/orders/retry", all()).await;
    assert_eq!(job.status, 202);
    let end = Instant::now() + MAX_WAIT;
    while world.stack.kill_environments(RUN_JOB).await.expect("the function exists") == 0 {
        assert!(Instant::now() < end, "run-job did not start");
        tokio::task::yield_now().await;
    }
    world.settle().await;
    let path = job.location.expect("a job has a location");
    let status = world.get(&path).await.ok()["status"].clone();
    assert!(status == "queued" || status == "running", "{status}");
    path
}

async fn with_failures(count: usize) -> World {
    let world = World::start().await;
    world.put("/flows/orders", json!({ "retry": { "mode": "manual" } })).await.ok();
    world.send((0..count).map(|n| report(&format!("m-{n:03}"), "orders", json!({})).to_string())).await;
    world
}

fn is_job_active(answer: &Answer, path: &str) {
    let problem = answer.is_problem(409, "job-active");
    assert_eq!(problem["job"], path);
    assert!(problem["detail"].as_str().unwrap().contains(path), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_job_is_refused_with_a_link_to_the_active_one() {
    let world = with_failures(300).await;
    world.report(report("other", "invoices", json!({}))).await;
    let first = interrupted_job(&world).await;
    let before = Snapshot::of(&world, &["m-000", "m-299"]).await;
    for action in ["retry", "restart", "delete"] {
        is_job_active(&world.post(&format!("/flows/orders/{action}"), all()).await, &first);
    }
    is_job_active(&world.post_once("/flows/orders/retry", "key-1", all()).await, &first);
    before.assert_unchanged(&world, &["m-000", "m-299"], "a second job").await;
    // Another flow has a job of its own.
    let other = world.post("/flows/invoices/delete", all()).await;
    assert_eq!(other.status, 202);
    // The first job continues when its work item is delivered again. After its end another one is accepted.
    world.advance("13m").await;
    let job = world.get(&first).await.ok();
    assert_eq!((&job["status"], &job["counts"]["sent"]), (&json!("completed"), &json!(300)));
    assert_eq!(world.post_once("/flows/orders/retry", "key-1", all()).await.status, 202);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_with_its_key_returns_the_same_job_and_another_request_is_refused() {
    let world = with_failures(3).await;
    let delete = json!({ "reason": "sent twice", "selection": { "ids": ["m-000", "m-001"] } });
    let first = world.post_once("/flows/orders/delete", "key-1", delete.clone()).await;
    assert_eq!(first.status, 202);
    world.settle().await;
    let before = Snapshot::of(&world, &["m-000", "m-001", "m-002"]).await;
    let again = world.post_once("/flows/orders/delete", "key-1", delete.clone()).await;
    assert_eq!((again.status, &again.location), (202, &first.location));
    assert_eq!(again.ok()["counts"]["sent"], 2);
    let other = json!({ "reason": "sent twice", "selection": { "ids": ["m-002"] } });
    world.post_once("/flows/orders/delete", "key-1", other).await.is_problem(422, "idempotency-key-reused");
    world.post_once("/flows/orders/retry", "key-1", delete.clone()).await.is_problem(422, "idempotency-key-reused");
    for key in ["", &"k".repeat(257)] {
        let problem = world.post_once("/flows/orders/delete", key, delete.clone()).await;
        assert_eq!(problem.is_problem(400, "invalid-field")["field"], "Idempotency-Key");
    }
    before.assert_unchanged(&world, &["m-000", "m-001", "m-002"], "a repeated request").await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_selection_creates_no_job() {
    let world = with_failures(2).await;
    let before = Snapshot::of(&world, &["m-000", "m-001"]).await;
    let too_many: Vec<String> = (0..1_001).map(|n| format!("m-{n}")).collect();
    for (selection, field) in [
        (json!(null), "selection"),
        (json!("all"), "selection"),
        (json!({}), "selection"),
        (json!({ "all": false }), "selection.all"),
        (json!({ "all": "yes" }), "selection.all"),
        (json!({ "all": true, "ids": ["m-000"] }), "selection"),
        (json!({ "everything": true }), "selection.everything"),
        (json!({ "ids": [] }), "selection.ids"),
        (json!({ "ids": too_many }), "selection.ids"),
        (json!({ "ids": "m-000" }), "selection.ids"),
        (json!({ "ids": ["m-000", 17] }), "selection.ids[1]"),
        (json!({ "ids": ["m-000", "a b"] }), "selection.ids[1]"),
        (json!({ "filter": [] }), "selection.filter"),
        (json!({ "filter": { "status": "broken" } }), "selection.filter.status"),
        (json!({ "filter": { "status": ["failed", "broken"] } }), "selection.filter.status[1]"),
        (json!({ "filter": { "phase": "mapping" } }), "selection.filter.phase"),
        (json!({ "filter": { "from": 17 } }), "selection.filter.from"),
        (json!({ "filter": { "message": "" } }), "selection.filter.message"),
        (json!({ "filter": { "limit": 5 } }), "selection.filter.limit"),
    ] {
        let shown: String = selection.to_string().chars().take(80).collect();
        let order = json!({ "reason": "the partner is back", "selection": selection });
        let answer = world.post("/flows/orders/retry", order).await;
        assert_eq!(answer.is_problem(400, "invalid-field")["field"], field, "{shown}");
    }
    for (field, value) in [
        ("cap", json!(0)),
        ("cap", json!("all")),
        ("rate", json!(0)),
        ("rate", json!(1.5)),
        ("canary", json!(-1)),
        ("asOf", json!("now")),
        ("force", json!(true)),
    ] {
        let mut order = all();
        order[field] = value;
        let answer = world.post("/flows/orders/retry", order).await;
        assert_eq!(answer.is_problem(400, "invalid-field")["field"], field);
    }
    let large = json!({ "reason": "x", "selection": { "all": true }, "more": "x".repeat(300_000) });
    world.post("/flows/orders/retry", large).await.is_problem(413, "too-large");
    before.assert_unchanged(&world, &["m-000", "m-001"], "a wrong selection").await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_skips_what_it_cannot_send_and_cannot_be_cancelled_after_its_end() {
    let world = with_failures(3).await;
    world.report(report("bare", "orders", json!({ "payloads": { "sender": { "body": "UNB+1" } } }))).await;
    world.report(report("other", "invoices", json!({}))).await;
    world.post("/interchanges/m-000/delete", json!({ "reason": "sent twice" })).await.ok();
    let order = |ids: &[&str]| json!({ "reason": "the partner is back", "selection": { "ids": ids } });
    let before = Snapshot::of(&world, &["m-000", "bare", "other"]).await;
    for path in ["/flows/orders/retry", "/flows/orders/retry?plan=true"] {
        let foreign = world.post(path, order(&["m-001", "other"])).await;
        assert_eq!(foreign.is_problem(400, "invalid-field")["field"], "selection.ids[1]");
    }
    before.assert_unchanged(&world, &["m-000", "bare", "other"], "an id of another flow").await;
    let ids = ["m-000", "m-001", "m-002", "m-002", "bare", "nobody"];
    let path = world.post("/flows/orders/retry", order(&ids)).await.location.unwrap();
    world.settle().await;
    let job = world.get(&path).await.ok();
    assert_eq!(job["status"], "completed");
    assert_eq!((&job["counts"]["sent"], &job["counts"]["skipped"]), (&json!(2), &json!(3)), "{job}");
    assert_eq!((&job["skips"]["not-failed"], &job["skips"]["no-receiver-payload"]), (&json!(1), &json!(1)), "{job}");
    for id in ["m-000", "bare", "other"] {
        assert_eq!(world.interchange(id).await, before.0[format!("interchange {id}")], "{id}");
    }
    let problem = world.post(&format!("{path}/cancel"), json!({})).await.is_problem(409, "job-ended");
    assert_eq!(problem["jobStatus"], "completed");
    assert_eq!(world.get(&path).await.ok(), job);
    world.stop().await;
}

/// Requests jobs while others end. A job may end between the refused write and the read of the active job.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_for_a_job_while_another_one_ends_is_accepted_or_refused_and_never_an_error() {
    let world = with_failures(1).await;
    let none = json!({ "reason": "nothing to do", "selection": { "ids": ["nobody"] } });
    let mut made = 0;
    for _ in 0..25 {
        let requests = (0..6).map(|_| world.post("/flows/orders/delete", none.clone()));
        for answer in futures::future::join_all(requests).await {
            match answer.status {
                202 => made += 1,
                _ => drop(answer.is_problem(409, "job-active")),
            }
        }
    }
    assert!(made > 1, "{made}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_with_reschedule_is_not_stored_while_a_job_is_active() {
    let world = with_failures(300).await;
    let first = interrupted_job(&world).await;
    let before = world.get("/flows/orders").await.ok();
    let ladder = json!({ "displayName": "Orders", "retry": { "schedule": { "delays": ["5m"] } } });
    for path in ["/flows/orders?reschedule=true", "/flows/orders?reschedule=true&plan=true"] {
        is_job_active(&world.put(path, ladder.clone()).await, &first);
        assert_eq!(world.get("/flows/orders").await.ok(), before, "{path}");
    }
    assert_eq!(world.get("/flows/orders/jobs").await.ok()["items"].as_array().map(Vec::len), Some(1));
    world.stop().await;
}
