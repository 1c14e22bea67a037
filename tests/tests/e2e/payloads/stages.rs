//! FIFO stages, and stages that move a message to their dead-letter queue.

use serde_json::json;
use tests::{FAILURES, StageMessage, World, report, samples};

use super::{act, assert_shown, by_id};

#[tokio::test(flavor = "multi_thread")]
async fn a_fifo_message_has_the_order_key_or_id_as_group_and_the_id_and_attempt_as_deduplication_id() {
    let world = World::start().await;
    let stages = json!({ "sender": { "queueUrl": world.fifo_queue("mapping.fifo").await },
                         "receiver": { "queueUrl": world.fifo_queue("delivery.fifo").await } });
    world.put("/flows/orders", json!({ "stages": stages })).await.ok();
    let long = "x".repeat(128);
    world.report(report("4711", "orders", json!({ "orderKey": "PO-1001" }))).await;
    world.report(report("4712", "orders", json!({}))).await;
    world.report(report(&long, "orders", json!({}))).await;
    for id in ["4711", "4712", long.as_str()] {
        act(&world, id, "retry").await;
    }
    let retried = by_id(world.drain("delivery.fifo").await);
    assert_eq!(system(&retried["4711"]), ("PO-1001", "4711#2"));
    assert_eq!(system(&retried["4712"]), ("4712", "4712#2"));
    // SQS allows 128 characters, so a digest replaces the longest ids.
    assert_eq!(system(&retried[long.as_str()]).0, long);
    assert_eq!(system(&retried[long.as_str()]).1.len(), 64);
    world.report(report("4711", "orders", json!({ "attempt": 2 }))).await;
    act(&world, "4711", "restart").await;
    let restarted = world.drain("mapping.fifo").await;
    assert_eq!(system(&restarted[0]), ("PO-1001", "4711#3"));
    assert_eq!(restarted[0].payload(), b"sender of 4711");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_of_a_stage_is_a_failure_of_its_interchange_and_attempt() {
    let world = World::start().await;
    let stage = world.stage_with_dead_letters("delivery", FAILURES).await;
    // Another flow lists the queue. This has no effect, as the message names its interchange and flow.
    let listed = json!([{ "arn": world.queue_arn("delivery"), "phase": "processing" }]);
    world.put("/flows/others", json!({ "deadLetterQueues": listed })).await.ok();
    world.put("/flows/orders", json!({ "stages": { "receiver": { "queueUrl": stage } } })).await.ok();
    for sample in samples().iter().filter(|sample| ["edifact", "empty", "noise"].contains(&sample.name)) {
        let id = sample.name;
        let payloads = json!({ "receiver": sample.in_report() });
        world.report(report(id, "orders", json!({ "payloads": payloads, "correlationId": "c-1" }))).await;
        act(&world, id, "retry").await;
        assert_eq!(world.receive_without_deleting("delivery").await.len(), 1);
        let interchange = world.interchange(id).await;
        assert_eq!(interchange["status"], "failed");
        assert_eq!(interchange["attempt"], 2);
        assert_eq!(interchange["phase"], "delivery");
        assert_eq!(interchange["error"]["code"], "dead-letter");
        assert_eq!(interchange["correlationId"], "c-1");
        // It is the payload that was sent, so there is no new revision.
        assert_eq!(interchange["payloads"]["receiver"]["revisions"].as_array().unwrap().len(), 1, "{interchange}");
        assert_shown(&world, id, "receiver", sample).await;
        let kinds = ["failed", "retry_scheduled", "retry_requested", "failed", "retry_scheduled"];
        assert_eq!(world.kinds(id).await, kinds);
    }
    assert_eq!(world.get("/flows/others").await.ok()["counts"]["failed"], 0);
    assert_eq!(world.get("/flows/unassigned/interchanges").await.ok()["items"], json!([]));
    world.stop().await;
}

/// The message group id and the deduplication id.
fn system(staged: &StageMessage) -> (&str, &str) {
    (staged.system("MessageGroupId").unwrap(), staged.system("MessageDeduplicationId").unwrap())
}
