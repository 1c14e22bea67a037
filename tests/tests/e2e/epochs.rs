//! A restored table assigns attempt numbers a second time. The epoch distinguishes the new attempts from the lost ones.

use std::path::Path;

use super::reports::{completed, retry};
use serde_json::json;
use tests::{RECEIVER_STAGE, World, report};

/// The epoch that is set after a restore.
const NEW_EPOCH: u64 = 1_795_183_200;

/// Sets a new epoch, as `infra/RUNBOOK.md` tells operators to do after a restore.
fn set_new_epoch(world: &World) {
    let update = json!({
        "TableName": "reprise", "Key": { "pk": { "S": "SETTINGS" }, "sk": { "S": "EPOCH" } },
        "UpdateExpression": "SET epoch = :now", "ExpressionAttributeValues": { ":now": { "N": NEW_EPOCH.to_string() } },
    });
    world.stack.aws().dynamodb().update_item(serde_json::from_value(update).unwrap()).unwrap();
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_that_are_assigned_again_after_a_restore_have_another_epoch() {
    let folder = tempfile::tempdir().unwrap();
    let (live, backup) = (folder.path().join("live"), folder.path().join("backup"));
    let world = World::start_at(Some(live.clone())).await;
    let fifo = world.fifo_queue("ordered.fifo").await;
    let by_hand = json!({ "mode": "manual" });
    world.put("/flows/orders", json!({ "retry": by_hand })).await.ok();
    world.put("/flows/ordered", json!({ "retry": by_hand, "stages": { "receiver": { "queueUrl": fifo } } })).await.ok();
    world.report(report("4711", "orders", json!({}))).await;
    world.report(report("f-1", "ordered", json!({}))).await;
    world.stop().await;
    copy(&live, &backup);

    let world = World::start_at(Some(live)).await;
    for id in ["4711", "f-1"] {
        retry(&world, id).await;
    }
    let lost = world.drain(RECEIVER_STAGE).await;
    assert_eq!((lost[0].attempt(), &lost[0].reprise["epoch"]), (2, &json!(1)));
    assert_eq!(world.drain("ordered.fifo").await[0].system("MessageDeduplicationId"), Some("f-1#2"));
    world.stop().await;

    let world = World::start_at(Some(backup)).await;
    set_new_epoch(&world);
    for id in ["4711", "f-1"] {
        retry(&world, id).await;
    }
    let sent = world.drain(RECEIVER_STAGE).await;
    assert_eq!((sent[0].attempt(), &sent[0].reprise["epoch"]), (2, &json!(NEW_EPOCH)));
    let key = format!("f-1#2#{NEW_EPOCH}");
    assert_eq!(world.drain("ordered.fifo").await[0].system("MessageDeduplicationId"), Some(key.as_str()));

    // A late outcome of the lost attempt is logged and changes nothing.
    let of = |epoch: u64| completed("4711", json!({ "attempt": 2, "epoch": epoch }));
    world.report(of(1)).await;
    world.report(of(1)).await;
    let shown = world.interchange("4711").await;
    assert_eq!(shown["status"], "waiting_for_retry");
    assert_eq!(world.kinds("4711").await, ["failed", "retry_requested", "late_outcome"]);
    assert_eq!(shown["events"][2]["warnings"][0]["field"], "epoch");
    world.report(of(NEW_EPOCH)).await;
    assert_eq!(world.interchange("4711").await["status"], "completed");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dead_letter_of_a_lost_attempt_does_not_fail_the_new_attempt_with_its_number() {
    let world = World::start().await;
    world.put("/flows/orders", json!({ "retry": { "mode": "manual" } })).await.ok();
    world.report(report("4711", "orders", json!({}))).await;
    set_new_epoch(&world);
    retry(&world, "4711").await;
    let reprise = |epoch: Option<u64>| {
        let mut reprise = json!({ "interchangeId": "4711", "flow": "orders", "attempt": 2, "action": "retry" });
        reprise["epoch"] = json!(epoch);
        reprise.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        tests::text_attribute("String", &reprise.to_string())
    };
    // An earlier release without epochs wrote none.
    for epoch in [Some(1), None] {
        world.put_message(tests::FAILURES, "receiver of 4711", &[("reprise", reprise(epoch))]).await;
        world.settle().await;
        assert_eq!(world.interchange("4711").await["status"], "waiting_for_retry");
    }
    world.put_message(tests::FAILURES, "receiver of 4711", &[("reprise", reprise(Some(NEW_EPOCH)))]).await;
    world.settle().await;
    assert_eq!(world.interchange("4711").await["status"], "failed");
    world.stop().await;
}
