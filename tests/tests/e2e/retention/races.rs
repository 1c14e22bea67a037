//! Races: one environment does the writes that follow a commit after another one has changed the interchange again. The test
//! uses the crate `table` directly in the role of the slower environment.

use contract::intake::{QueueRecord, read};
use domain::{FlowName, Interchange, InterchangeId, Received, Timestamp, Verdict, receive};
use serde_json::{Value, json};
use table::{Committed, Table, Work};
use tests::{World, report};

use super::{act, all_expire, completed, failed, holds_payloads, large, manual_flow, none_expires};

/// The table as another environment would use it.
fn another(world: &World) -> Table {
    use aws_sdk_dynamodb::config::{BehaviorVersion, Builder, Credentials, Region};
    let config = Builder::new()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .credentials_provider(Credentials::new("any", "any", None, None, "tests"))
        .endpoint_url(world.stack.aws_url())
        .build();
    Table::new(aws_sdk_dynamodb::Client::from_conf(config), "reprise", jiff::SignedDuration::from_hours(24))
}

async fn loaded(table: &Table, id: &str) -> Interchange {
    table.head(&InterchangeId::new(id).unwrap()).await.unwrap().unwrap()
}

/// The interchange with a version that it will not reach.
fn ahead(interchange: Interchange) -> Interchange {
    Interchange { version: interchange.version + 100, ..interchange }
}

/// The work for a report, decided for an interchange as it was loaded.
async fn decided(table: &Table, head: Interchange, report: &Value, now: Timestamp) -> Work {
    let flow = table.flow(&FlowName::new("orders").unwrap()).await.unwrap().unwrap();
    let body = report.to_string();
    let record = QueueRecord {
        body: &body,
        message_id: "m",
        queued_at: now,
        sender: None,
        dead_letter_source: None,
        attributes: &[],
    };
    let intake = read(&record);
    let received = Received { queued_at: now, now, flow: &flow, epoch: domain::Epoch::FIRST };
    match receive(Some(head.clone()), &intake.incoming.report, received) {
        Verdict::Change(change) => Work::new(Some(head), *change),
        verdict => panic!("{verdict:?}"),
    }
}

fn now(world: &World) -> Timestamp {
    world.stack.aws().clock().now()
}

/// Creates a completed interchange with several log items and a payload in an item of its own.
async fn one_completed(world: &World) {
    manual_flow(world).await;
    world.report(large("o-1", 1)).await;
    act(world, "retry", "o-1").await;
    world.report(completed("o-1", 2, "2026-11-20T14:05:00Z")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_expiry_is_ignored_after_the_next_failure() {
    let world = World::start().await;
    let table = another(&world);
    one_completed(&world).await;
    let outdated = loaded(&table, "o-1").await;
    world.report(failed("o-1", 3, "2026-11-20T14:10:00Z")).await;
    table.set_ttl([&outdated], now(&world)).await.unwrap();
    assert!(none_expires(&world, "o-1"));
    // Only the version prevents it.
    table.set_ttl([&ahead(outdated)], now(&world)).await.unwrap();
    assert!(!none_expires(&world, "o-1"));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_that_loses_a_version_conflict_does_not_clear_the_expiry() {
    let world = World::start().await;
    let table = another(&world);
    one_completed(&world).await;
    let behind = loaded(&table, "o-1").await;
    let failure = decided(&table, behind, &failed("o-1", 3, "2026-11-20T14:10:00Z"), now(&world)).await;
    // The interchange changes and stays resolved.
    let late = json!({ "type": "interchange.in_network", "attempt": 1, "payloads": null });
    world.report(report("o-1", "orders", late)).await;
    assert_eq!(table.commit(&[failure], now(&world)).await.unwrap(), [Committed::Stale]);
    assert!(all_expire(&world, "o-1"), "the losing writer must not clear the expiry that the other one set");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_purge_does_not_remove_payloads_of_the_next_failure() {
    let world = World::start().await;
    let table = another(&world);
    manual_flow(&world).await;
    for id in ["small", "large"] {
        let failure = |attempt| match id {
            "small" => report(id, "orders", json!({ "attempt": attempt })),
            _ => large(id, 1),
        };
        world.report(failure(1)).await;
        act(&world, "delete", id).await;
        let outdated = loaded(&table, id).await;
        // The same bytes again, under the same keys.
        let mut again = failure(1);
        again["attempt"] = json!(2);
        world.report(again).await;
        table.set_ttl([&outdated], now(&world)).await.unwrap();
        assert!(none_expires(&world, id), "{id}");
        assert!(holds_payloads(&world, id), "{id}");
        assert_eq!(world.get(&format!("/interchanges/{id}/payloads/receiver")).await.status, 200, "{id}");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_writes_after_a_resolution_are_idempotent() {
    let world = World::start().await;
    let table = another(&world);
    one_completed(&world).await;
    let interchange = loaded(&table, "o-1").await;
    for _ in 0..3 {
        table.set_ttl([&interchange], now(&world)).await.unwrap();
        assert!(all_expire(&world, "o-1") && holds_payloads(&world, "o-1"));
    }
    assert_eq!(world.kinds("o-1").await, ["failed", "retry_requested", "completed"]);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_interchange_after_a_commit_equals_the_one_that_is_loaded_again() {
    let world = World::start().await;
    let table = another(&world);
    manual_flow(&world).await;
    world.report(large("o-1", 1)).await;
    act(&world, "retry", "o-1").await;
    let waiting = loaded(&table, "o-1").await;
    let work = decided(&table, waiting, &completed("o-1", 2, "2026-11-20T14:05:00Z"), now(&world)).await;
    let [Committed::Done { version, .. }] = table.commit(std::slice::from_ref(&work), now(&world)).await.unwrap()[..]
    else {
        panic!("there is no other writer");
    };
    assert_eq!(work.committed(version), loaded(&table, "o-1").await);
    world.stop().await;
}
