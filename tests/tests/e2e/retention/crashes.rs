//! Kills functions between a commit and the writes that follow it. DynamoDB has committed but has not responded yet when the
//! function is killed, so the crash happens exactly at that point.

use std::time::Duration;

use serde_json::{Value, json};
use tests::World;

use super::{
    Item, act, all_expire, completed, failed, holds_payloads, items, large, manual_flow, none_expires, wait_until,
};

/// How long DynamoDB holds back its responses.
const RESPONSE_DELAY: Duration = Duration::from_secs(1);

const IDS: [&str; 3] = ["o-1", "o-2", "o-3"];

/// The status of an interchange's head in the table.
fn stored_status(world: &World, id: &str) -> String {
    let head = items(world, id).into_iter().find(|item| item.sort_key() == "HEAD").unwrap();
    let row: Value = serde_json::from_str(head.0["row"]["S"].as_str().unwrap()).unwrap();
    row["st"].as_str().unwrap().to_owned()
}

/// Creates three interchanges that wait for the outcome of their second attempt.
async fn three_waiting(world: &World) {
    for id in IDS {
        world.report(large(id, 1)).await;
        act(world, "retry", id).await;
    }
}

/// Starts an operation and kills the function as soon as `committed` holds, before the function gets the response. Its input is
/// delivered again later.
async fn kill_after(world: &World, function: &str, operation: impl Future<Output = ()>, committed: impl Fn() -> bool) {
    let meter = world.stack.aws().meter();
    meter.hold_responses(RESPONSE_DELAY);
    let ((), ()) = tokio::join!(operation, async {
        wait_until("the commit", committed).await;
        assert!(world.stack.kill_environments(function).await.unwrap() > 0);
        meter.hold_responses(Duration::ZERO);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_completion_still_expires_when_ingest_dies_after_its_commit() {
    let world = World::start_metered().await;
    manual_flow(&world).await;
    three_waiting(&world).await;
    let reports = IDS.map(|id| completed(id, 2, "2026-11-20T14:05:00Z").to_string());
    let done = || IDS.iter().all(|id| stored_status(&world, id) == "completed");
    kill_after(&world, "reprise-ingest-failure", world.send(reports), done).await;
    assert!(IDS.iter().all(|id| !all_expire(&world, id)), "it died before the writes that follow the commit");
    // The batch is delivered again, and all its reports are known.
    world.advance("8m").await;
    for id in IDS {
        assert!(all_expire(&world, id), "{id}");
        assert_eq!(world.kinds(id).await, ["failed", "retry_requested", "completed"]);
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assumed_completion_still_expires_when_run_job_dies_after_its_commit() {
    let world = World::start_metered().await;
    let silent = json!({ "mode": "silent", "within": "10m" });
    world.put("/flows/orders", json!({ "confirmation": silent, "retry": { "mode": "manual" } })).await.ok();
    three_waiting(&world).await;
    let done = || IDS.iter().any(|id| stored_status(&world, id) == "completed");
    kill_after(&world, "reprise-run-job", world.advance("11m"), done).await;
    world.advance("20m").await;
    for id in IDS {
        assert!(all_expire(&world, id), "{id}");
        assert_eq!(world.kinds(id).await, ["failed", "retry_requested", "assumed_completed"]);
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delete_job_still_removes_the_payloads_when_run_job_dies_after_its_commit() {
    let world = World::start_metered().await;
    manual_flow(&world).await;
    for id in IDS {
        world.report(large(id, 1)).await;
    }
    let all = json!({ "reason": "sent by mail", "selection": { "all": true } });
    let done = || IDS.iter().all(|id| stored_status(&world, id) == "deleted");
    let deletion = async {
        world.post("/flows/orders/delete", all).await;
        world.settle().await;
    };
    kill_after(&world, "reprise-run-job", deletion, done).await;
    assert!(IDS.iter().all(|id| holds_payloads(&world, id)), "it died before the writes that follow the commit");
    world.advance("13m").await;
    for id in IDS {
        assert!(!holds_payloads(&world, id) && all_expire(&world, id), "{id}");
        assert_eq!(world.kinds(id).await, ["failed", "deleted"]);
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_completed_interchange_still_expires_after_ingest_died_before_the_commit_of_a_failure() {
    let world = World::start_metered().await;
    manual_flow(&world).await;
    three_waiting(&world).await;
    world.send(IDS.map(|id| completed(id, 2, "2026-11-20T14:05:00Z").to_string())).await;
    assert!(IDS.iter().all(|id| all_expire(&world, id)));
    let reports = IDS.map(|id| failed(id, 3, "2026-11-20T14:10:00Z").to_string());
    // Before the commit, ingest clears the expiry of the items that the commit does not write.
    let cleared = || IDS.iter().all(|id| items(&world, id).iter().any(|item| item.expires().is_none()));
    kill_after(&world, "reprise-ingest-failure", world.send(reports), cleared).await;
    assert!(IDS.iter().all(|id| stored_status(&world, id) == "completed"), "it died before the commit");
    world.advance("8m").await;
    for id in IDS {
        assert_eq!(stored_status(&world, id), "failed");
        assert!(none_expires(&world, id), "{id}");
    }
    world.send(IDS.map(|id| completed(id, 3, "2026-11-20T14:20:00Z").to_string())).await;
    assert!(IDS.iter().all(|id| all_expire(&world, id)));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_never_expires_when_ingest_dies_after_its_commit() {
    let world = World::start_metered().await;
    manual_flow(&world).await;
    three_waiting(&world).await;
    world.send(IDS.map(|id| completed(id, 2, "2026-11-20T14:05:00Z").to_string())).await;
    let reports = IDS.map(|id| failed(id, 3, "2026-11-20T14:10:00Z").to_string());
    let done = || IDS.iter().all(|id| stored_status(&world, id) == "failed");
    kill_after(&world, "reprise-ingest-failure", world.send(reports), done).await;
    let expiring = |id: &&str| items(&world, id).iter().any(|item: &Item| item.expires().is_some());
    assert!(!IDS.iter().any(expiring), "the commit left an item that expires");
    world.advance("8m").await;
    assert!(!IDS.iter().any(expiring));
    world.stop().await;
}
