//! Kills functions while they work: nothing is lost and nothing is done twice.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::json;
use tests::{FAILURES, RECEIVER_STAGE, StageMessage, World, report};

/// How long to wait for an expected event.
const MAX_WAIT: Duration = Duration::from_secs(60);

fn failures(count: usize) -> Vec<String> {
    (0..count).map(|n| report(&format!("o-{n}"), "orders", json!({})).to_string()).collect()
}

fn ids(staged: &[StageMessage]) -> BTreeSet<&str> {
    staged.iter().map(StageMessage::id).collect()
}

async fn failed(world: &World) -> u64 {
    let flow = world.get("/flows/orders").await;
    if flow.status == 404 { 0 } else { flow.ok()["counts"]["failed"].as_u64().unwrap() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_is_stored_once_although_ingest_is_killed_twice_during_it() {
    let world = World::start().await;
    world.put("/flows/orders", json!({ "retry": { "mode": "manual" } })).await.ok();
    let ((), ()) = tokio::join!(world.send(failures(1_500)), async {
        let end = Instant::now() + MAX_WAIT;
        for stored in [1, 300] {
            while failed(&world).await < stored {
                assert!(Instant::now() < end, "no failure is stored");
            }
            assert!(world.stack.kill_environments("reprise-ingest-failure").await.unwrap() > 0);
        }
    });
    // The messages in flight become visible again after the visibility timeout of the failures queue.
    world.advance("8m").await;
    assert_eq!(failed(&world).await, 1_500);
    let groups = world.get("/flows/orders/groups").await.ok();
    assert_eq!(groups["items"][0]["count"], 1_500);
    for n in (0..1_500).step_by(50) {
        assert_eq!(world.kinds(&format!("o-{n}")).await, ["failed"]);
    }
    assert_eq!(world.held(FAILURES) + world.held("reprise-failures-dlq"), 0);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_is_sent_completely_although_run_job_is_killed() {
    let world = World::start().await;
    world.put("/flows/orders", json!({ "confirmation": { "mode": "confirms", "within": "30d" } })).await.ok();
    world.send(failures(600)).await;
    let ((), ()) = tokio::join!(world.advance("5m"), async {
        let end = Instant::now() + MAX_WAIT;
        while world.held(RECEIVER_STAGE) == 0 {
            assert!(Instant::now() < end, "nothing is sent");
            tokio::task::yield_now().await;
        }
        assert!(world.stack.kill_environments("reprise-run-job").await.unwrap() > 0);
    });
    world.advance("13m").await;
    let sent = world.drain(RECEIVER_STAGE).await;
    assert_eq!(ids(&sent).len(), 600);
    assert!(sent.iter().all(|staged| staged.attempt() == 2), "a repeat carries the same attempt");
    for n in (0..600).step_by(20) {
        assert_eq!(world.kinds(&format!("o-{n}")).await, ["failed", "retry_scheduled", "retry_requested"]);
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_continues_after_the_whole_stack_was_stopped_and_started_again() {
    let data = tempfile::tempdir().unwrap();
    let world = World::start_at(Some(data.path().to_owned())).await;
    let config = json!({ "retry": { "mode": "manual" }, "confirmation": { "mode": "confirms", "within": "30d" } });
    world.put("/flows/orders", config).await.ok();
    world.send(failures(1_000)).await;
    let all = json!({ "reason": "the partner is up again", "selection": { "all": true } });
    let path = world.post("/flows/orders/retry", all).await.location.unwrap();
    let end = Instant::now() + MAX_WAIT;
    while world.held(RECEIVER_STAGE) < 100 {
        assert!(Instant::now() < end, "nothing is sent");
        tokio::task::yield_now().await;
    }
    world.stop().await;

    let world = World::start_at(Some(data.path().to_owned())).await;
    world.advance("13m").await;
    let sent = world.drain(RECEIVER_STAGE).await;
    assert_eq!(ids(&sent).len(), 1_000);
    assert!(sent.iter().all(|staged| staged.attempt() == 2));
    let job = world.get(&path).await.ok();
    assert_eq!((&job["status"], &job["counts"]["sent"]), (&json!("completed"), &json!(1_000)), "{job}");
    assert_eq!(job["counts"]["skipped"], 0);
    world.stop().await;
}
