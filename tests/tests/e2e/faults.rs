//! Faults of the AWS endpoint reach the functions: their calls are known by name, fail as asked, and kill their callers.

use local::local_aws::{Fault, Match, Recording, Rule, Service};
use serde_json::json;
use tests::{FAILURES, World, report};

const INGEST: &str = "reprise-ingest-failure";

/// Killed messages are back after this.
const A_WHILE: &str = "20m";

fn commits_of_ingest(fault: Fault) -> Rule {
    let matches = Match {
        service: Some(Service::DynamoDb),
        operation: Some("TransactWriteItems".to_owned()),
        caller: Some(INGEST.to_owned()),
        ..Match::default()
    };
    Rule::new(matches, fault)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_kept_once_though_ingest_is_killed_before_and_after_it_commits() {
    let world = World::start_faulty().await;
    let faults = world.stack.aws().faults();
    for (id, fault) in [("4711", Fault::KillBefore), ("4712", Fault::KillAfter)] {
        faults.clear();
        faults.add(commits_of_ingest(fault));
        world.put("/flows/orders", json!({ "retry": { "mode": "manual" } })).await.ok();
        world.report(report(id, "orders", json!({}))).await;
        assert_eq!(world.held(FAILURES), 1, "{fault:?}: its batch is not done");
        assert!(world.stack.environment_pids(INGEST).unwrap().is_empty(), "{fault:?}: its process is gone");
        assert_eq!(world.get(&format!("/interchanges/{id}")).await.status == 200, fault == Fault::KillAfter);

        world.advance(A_WHILE).await;
        assert_eq!(world.kinds(id).await, ["failed"]);
        assert_eq!(world.held(FAILURES), 0);
    }
    assert_eq!(faults.fired().len(), 2);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_of_a_function_is_recorded_with_its_name() {
    let world = World::start_faulty().await;
    let faults = world.stack.aws().faults();
    faults.record(Recording::On);
    world.report(report("4711", "orders", json!({}))).await;
    world.get("/flows").await.ok();
    let calls = faults.calls();
    for service in [Service::DynamoDb, Service::Scheduler] {
        assert!(
            calls.iter().any(|call| call.service == service && call.caller.as_deref() == Some(INGEST)),
            "{calls:?}"
        );
    }
    assert!(calls.iter().any(|call| call.caller.as_deref() == Some("reprise-list")), "{calls:?}");
    let nameless: Vec<_> =
        calls.iter().filter(|call| call.service == Service::DynamoDb && call.caller.is_none()).collect();
    assert!(nameless.is_empty(), "{nameless:?}");
    world.stop().await;
}
