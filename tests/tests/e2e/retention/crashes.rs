//! Functions that die between a commit and what follows from it. DynamoDB has done what it was asked and has not answered
//! yet when they are killed, so each test has its crash at the very point that it is about.

use std::time::Duration;

use serde_json::{Value, json};
use tests::World;

use super::{Item, act, all_expire, completed, failed, holds_payloads, items, large, manual, none_expires, until};

/// How long DynamoDB keeps its answers to itself.
const HELD: Duration = Duration::from_secs(1);

const IDS: [&str; 3] = ["o-1", "o-2", "o-3"];

/// What the head says, as the table has it.
fn stands(world: &World, id: &str) -> String {
    let head = items(world, id).into_iter().find(|item| item.sort_key() == "HEAD").unwrap();
    let row: Value = serde_json::from_str(head.0["row"]["S"].as_str().unwrap()).unwrap();
    row["st"].as_str().unwrap().to_owned()
}

/// Three interchanges that wait for the outcome of their second attempt.
async fn three_waiting(world: &World) {
    for id in IDS {
        world.report(large(id, 1)).await;
        act(world, "retry", id).await;
    }
}

/// Kills a function as soon as something is so at the table and before it can know. What it was told comes again.
async fn killed(world: &World, function: &str, doing: impl Future<Output = ()>, once: impl Fn() -> bool) {
    let meter = world.stack.aws().meter();
    meter.hold_responses(HELD);
    let ((), ()) = tokio::join!(doing, async {
        until("the moment of the crash", once).await;
        assert!(world.stack.kill_environments(function).await.unwrap() > 0);
        meter.hold_responses(Duration::ZERO);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_completion_whose_ingest_dies_after_the_commit_still_expires() {
    let world = World::start_metered().await;
    manual(&world).await;
    three_waiting(&world).await;
    let reports = IDS.map(|id| completed(id, 2, "2026-11-20T14:05:00Z").to_string());
    let done = || IDS.iter().all(|id| stands(&world, id) == "completed");
    killed(&world, "reprise-ingest-failure", world.send(reports), done).await;
    assert!(IDS.iter().all(|id| !all_expire(&world, id)), "it died before what follows from the commit");
    // The batch comes again, and all of it is known.
    world.advance("8m").await;
    for id in IDS {
        assert!(all_expire(&world, id), "{id}");
        assert_eq!(world.kinds(id).await, ["failed", "retry_requested", "completed"]);
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assumed_completion_whose_runner_dies_after_the_commit_still_expires() {
    let world = World::start_metered().await;
    let silent = json!({ "mode": "silent", "within": "10m" });
    world.put("/flows/orders", json!({ "confirmation": silent, "retry": { "mode": "manual" } })).await.ok();
    three_waiting(&world).await;
    let done = || IDS.iter().any(|id| stands(&world, id) == "completed");
    killed(&world, "reprise-run-job", world.advance("11m"), done).await;
    world.advance("20m").await;
    for id in IDS {
        assert!(all_expire(&world, id), "{id}");
        assert_eq!(world.kinds(id).await, ["failed", "retry_requested", "assumed_completed"]);
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_dies_after_the_commit_of_a_deletion_still_removes_the_payloads() {
    let world = World::start_metered().await;
    manual(&world).await;
    for id in IDS {
        world.report(large(id, 1)).await;
    }
    let all = json!({ "reason": "sent by mail", "selection": { "all": true } });
    let done = || IDS.iter().all(|id| stands(&world, id) == "deleted");
    let deletion = async {
        world.post("/flows/orders/delete", all).await;
        world.settle().await;
    };
    killed(&world, "reprise-run-job", deletion, done).await;
    assert!(IDS.iter().all(|id| holds_payloads(&world, id)), "it died before what follows from the commit");
    world.advance("13m").await;
    for id in IDS {
        assert!(!holds_payloads(&world, id) && all_expire(&world, id), "{id}");
        assert_eq!(world.kinds(id).await, ["failed", "deleted"]);
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_whose_ingest_dies_before_its_commit_leaves_what_is_completed_to_expire_in_the_end() {
    let world = World::start_metered().await;
    manual(&world).await;
    three_waiting(&world).await;
    world.send(IDS.map(|id| completed(id, 2, "2026-11-20T14:05:00Z").to_string())).await;
    assert!(IDS.iter().all(|id| all_expire(&world, id)));
    let reports = IDS.map(|id| failed(id, 3, "2026-11-20T14:10:00Z").to_string());
    // What its commit does not write is kept first.
    let kept = || IDS.iter().all(|id| items(&world, id).iter().any(|item| item.expires().is_none()));
    killed(&world, "reprise-ingest-failure", world.send(reports), kept).await;
    assert!(IDS.iter().all(|id| stands(&world, id) == "completed"), "it died before the commit");
    world.advance("8m").await;
    for id in IDS {
        assert_eq!(stands(&world, id), "failed");
        assert!(none_expires(&world, id), "{id}");
    }
    world.send(IDS.map(|id| completed(id, 3, "2026-11-20T14:20:00Z").to_string())).await;
    assert!(IDS.iter().all(|id| all_expire(&world, id)));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_whose_ingest_dies_after_its_commit_never_expires() {
    let world = World::start_metered().await;
    manual(&world).await;
    three_waiting(&world).await;
    world.send(IDS.map(|id| completed(id, 2, "2026-11-20T14:05:00Z").to_string())).await;
    let reports = IDS.map(|id| failed(id, 3, "2026-11-20T14:10:00Z").to_string());
    let done = || IDS.iter().all(|id| stands(&world, id) == "failed");
    killed(&world, "reprise-ingest-failure", world.send(reports), done).await;
    let expiring = |id: &&str| items(&world, id).iter().any(|item: &Item| item.expires().is_some());
    assert!(!IDS.iter().any(expiring), "nothing is left to do after the commit");
    world.advance("8m").await;
    assert!(!IDS.iter().any(expiring));
    world.stop().await;
}
