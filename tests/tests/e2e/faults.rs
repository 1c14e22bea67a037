//! Tests the fault injection of the AWS endpoint: the caller of each call is known, and faults fail calls and kill their callers.

use local::local_aws::{Fault, Match, Recording, Rule, Service};
use serde_json::json;
use tests::{FAILURES, World, report};

const INGEST: &str = "reprise-ingest-failure";

/// After this time the messages of a killed function are visible again.
const REDELIVERY_TIME: &str = "20m";

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
async fn a_failure_is_stored_once_although_ingest_is_killed_before_or_after_its_commit() {
    let world = World::start_faulty().await;
    let faults = world.stack.aws().faults();
    for (id, fault) in [("4711", Fault::KillBefore), ("4712", Fault::KillAfter)] {
        faults.clear();
        faults.add(commits_of_ingest(fault));
        world.put("/flows/orders", json!({ "retry": { "mode": "manual" } })).await.ok();
        world.report(report(id, "orders", json!({}))).await;
        assert_eq!(world.held(FAILURES), 1, "{fault:?}: the batch is not finished");
        assert!(world.stack.environment_pids(INGEST).unwrap().is_empty(), "{fault:?}: the process still runs");
        assert_eq!(world.get(&format!("/interchanges/{id}")).await.status == 200, fault == Fault::KillAfter);

        world.advance(REDELIVERY_TIME).await;
        assert_eq!(world.kinds(id).await, ["failed"]);
        assert_eq!(world.held(FAILURES), 0);
    }
    assert_eq!(faults.fired().len(), 2);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_of_a_function_is_recorded_with_the_name_of_the_function() {
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
    let without_caller: Vec<_> =
        calls.iter().filter(|call| call.service == Service::DynamoDb && call.caller.is_none()).collect();
    assert!(without_caller.is_empty(), "{without_caller:?}");
    world.stop().await;
}
