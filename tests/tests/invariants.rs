//! Tests the invariants: each is broken once in a world in which all of them hold, and the check must report it.

use local_aws::dynoxide::actions::delete_item::DeleteItemRequest;
use local_aws::dynoxide::actions::update_item::UpdateItemRequest;
use serde_json::{Value, json};
use tests::invariants::{Evidence, Outcome, Sighting, check};
use tests::{RECEIVER_STAGE, World, report};

/// A flow whose three failures were retried by a job. One completed, one failed again, one got no outcome.
async fn retried() -> (World, Evidence) {
    let world = World::start().await;
    let mut evidence = Evidence::default();
    let confirmation = json!({ "mode": "silent", "within": "10m" });
    world.put("/flows/orders", json!({ "retry": { "mode": "manual" }, "confirmation": confirmation })).await.ok();
    for id in ["a", "b", "c"] {
        evidence.record_report(id, "orders", 1, Outcome::Failed);
        world.report(report(id, "orders", json!({}))).await;
    }
    let all = json!({ "reason": "the partner is up again", "selection": { "all": true } });
    world.post("/flows/orders/retry", all).await.ok();
    world.settle().await;
    for staged in world.drain(RECEIVER_STAGE).await {
        let sent_at = world.stack.aws().clock().now();
        evidence.seen.push(Sighting { id: staged.id().to_owned(), attempt: 2, group: None, sent_at });
    }
    for (id, outcome) in [("a", Outcome::Completed), ("b", Outcome::Failed)] {
        evidence.record_report(id, "orders", 2, outcome);
        let now = world.stack.aws().clock().now().to_string();
        let more = json!({ "type": outcome.kind(), "attempt": 2, "occurredAt": now });
        world.report(report(id, "orders", more)).await;
    }
    world.advance("1h").await;
    (world, evidence)
}

/// The invariants that the check reports as broken.
async fn broken(world: &World, evidence: &Evidence) -> Vec<&'static str> {
    let mut rules: Vec<_> = check(world, evidence).await.into_iter().map(|violation| violation.rule).collect();
    rules.dedup();
    rules
}

fn key(pk: &str, sk: &str) -> Value {
    json!({ "pk": { "S": pk }, "sk": { "S": sk } })
}

fn delete(world: &World, pk: &str, sk: &str) {
    let request = json!({ "TableName": "reprise", "Key": key(pk, sk) });
    let request: DeleteItemRequest = serde_json::from_value(request).expect("a request");
    world.stack.aws().dynamodb().delete_item(request).expect("the item can be written");
}

fn set(world: &World, (pk, sk): (&str, &str), name: &str, value: Value) {
    let request = json!({ "TableName": "reprise", "Key": key(pk, sk), "UpdateExpression": "SET #name = :value",
        "ExpressionAttributeNames": { "#name": name }, "ExpressionAttributeValues": { ":value": value } });
    let request: UpdateItemRequest = serde_json::from_value(request).expect("a request");
    world.stack.aws().dynamodb().update_item(request).expect("the item can be written");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_difference_between_the_stage_and_the_log_is_reported() {
    let (world, mut evidence) = retried().await;
    assert_eq!(check(&world, &evidence).await, []);

    let again = evidence.seen[0].clone();
    evidence.seen.push(again);
    assert_eq!(broken(&world, &evidence).await, ["nothing is sent twice without a reason"]);
    evidence.seen.pop();

    let silent = evidence.seen.iter().position(|seen| seen.id == "c").unwrap();
    let silent = evidence.seen.remove(silent);
    let rules = broken(&world, &evidence).await;
    assert_eq!(rules, ["silence counts only for what was on the stage", "every claimed attempt is sent"]);

    evidence.seen.push(Sighting { attempt: 3, ..silent.clone() });
    assert!(broken(&world, &evidence).await.contains(&"every sent attempt is claimed"));
    evidence.seen.pop();
    evidence.seen.push(silent);

    evidence.order.insert("PO-1".to_owned(), vec!["a".to_owned()]);
    assert_eq!(broken(&world, &evidence).await, ["FIFO groups keep their order"]);
    evidence.order.clear();

    evidence.record_report("a", "orders", 7, Outcome::Failed);
    assert_eq!(broken(&world, &evidence).await, ["every outcome is in the log"]);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sums_that_disagree_with_the_table_are_reported() {
    let (world, evidence) = retried().await;
    set(&world, ("FLOWS", "orders#tampered"), "failed", json!({ "N": "1" }));
    assert_eq!(broken(&world, &evidence).await, ["counts agree with a recount"]);
    delete(&world, "FLOWS", "orders#tampered");

    set(&world, ("FLOWS", "orders#tampered"), "next", json!({ "N": "2" }));
    assert_eq!(broken(&world, &evidence).await, ["planned retries agree with a recount"]);
    delete(&world, "FLOWS", "orders#tampered");

    set(&world, ("FLOWS", "orders#tampered"), "m1", json!({ "N": "1" }));
    assert_eq!(broken(&world, &evidence).await, ["failure times agree with a recount"]);
    delete(&world, "FLOWS", "orders#tampered");

    let jobs = world.get("/flows/orders/jobs").await.ok();
    let job = format!("JOB#{}", jobs["items"][0]["id"].as_str().unwrap());
    set(&world, (&job, "COUNT#tampered"), "failedAgain", json!({ "N": "1" }));
    assert_eq!(broken(&world, &evidence).await, ["a job's outcomes add up"]);
    delete(&world, &job, "COUNT#tampered");
    assert_eq!(check(&world, &evidence).await, []);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_items_and_leftover_work_are_reported() {
    let (world, evidence) = retried().await;
    set(&world, ("SLOTS", "2026-11-20T15:00:00Z#orders"), "retries", json!({ "S": "yes" }));
    assert_eq!(broken(&world, &evidence).await, ["all work ends"]);
    delete(&world, "SLOTS", "2026-11-20T15:00:00Z#orders");

    let until = world.stack.aws().clock().now().as_millisecond() + 60_000;
    set(&world, ("JOB#x", "LEASE#00000001"), "u", json!({ "N": until.to_string() }));
    assert_eq!(broken(&world, &evidence).await, ["all work ends"]);
    delete(&world, "JOB#x", "LEASE#00000001");

    delete(&world, "INTERCHANGE#b", "EVENT#0000000001");
    let rules = broken(&world, &evidence).await;
    assert!(rules.contains(&"logs have no gap") && rules.contains(&"every outcome is in the log"), "{rules:?}");
    delete(&world, "INTERCHANGE#b", "HEAD");
    assert!(broken(&world, &evidence).await.contains(&"every accepted failure is kept"));
    world.stop().await;
}
