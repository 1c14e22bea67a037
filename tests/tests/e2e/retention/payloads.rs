//! A delete removes all payloads immediately, and nothing else.

use serde_json::{Value, json};
use tests::{World, noise, report};

use super::{act, all_expire, holds_payloads, large, manual_flow, none_expires};

/// Failures with payloads of every size: small ones in the items of their events, one in an item of its own, one in several
/// items, and one that would need several items but compresses well.
fn of_every_size() -> Vec<Value> {
    let payload = |body: String| json!({ "payloads": { "receiver": { "body": body } } });
    let encoded = json!({ "body": base64(&noise(700_000)), "encoding": "base64" });
    vec![
        report("small", "orders", json!({})),
        report("large", "orders", payload("x".repeat(20_000))),
        report("several", "orders", json!({ "payloads": { "receiver": encoded } })),
        report("packed", "orders", payload("x".repeat(900_000))),
    ]
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manual_delete_removes_the_payloads_in_its_commit() {
    let world = World::start_metered().await;
    manual_flow(&world).await;
    for failure in of_every_size() {
        let id = failure["interchangeId"].as_str().unwrap().to_owned();
        world.report(failure).await;
        // The second failure adds a revision. The first revision is in an older item of the log.
        act(&world, "retry", &id).await;
        let second = json!({ "attempt": 2, "payloads": { "receiver": { "body": format!("corrected {id}") } } });
        world.report(report(&id, "orders", second)).await;
        assert!(holds_payloads(&world, &id));
        drop(world.stack.aws().meter().take());
        act(&world, "delete", &id).await;
        let writes = world.stack.aws().meter().take().into_iter().map(|call| call.operation);
        let writes: Vec<String> = writes.filter(|operation| !operation.ends_with("GetItem")).collect();
        assert_eq!(writes, ["TransactWriteItems"], "{id}: the delete and the removal are one transaction");
        assert!(!holds_payloads(&world, &id), "{id}");
        assert!(all_expire(&world, &id), "{id}");
        assert_eq!(world.get(&format!("/interchanges/{id}/payloads/receiver")).await.status, 404);
        assert_eq!(world.kinds(&id).await, ["failed", "retry_requested", "failed", "deleted"]);
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn payloads_that_do_not_fit_into_the_transaction_are_removed_directly_after_it() {
    let world = World::start_metered().await;
    manual_flow(&world).await;
    for attempt in 1..=5 {
        // The revisions differ, and none of them compresses.
        let bytes: Vec<u8> = noise(700_000).into_iter().map(|byte| byte.wrapping_add(attempt)).collect();
        let payload = json!({ "receiver": { "body": base64(&bytes), "encoding": "base64" } });
        world.report(report("o-1", "orders", json!({ "attempt": attempt, "payloads": payload }))).await;
    }
    drop(world.stack.aws().meter().take());
    act(&world, "delete", "o-1").await;
    let calls = world.stack.aws().meter().take();
    let count = |operation: &str| calls.iter().filter(|call| call.operation == operation).count();
    assert_eq!((count("TransactWriteItems"), count("BatchExecuteStatement")), (1, 1), "ten chunks are one call");
    assert!(!holds_payloads(&world, "o-1") && all_expire(&world, "o-1"));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_delete_job_has_ended_its_interchanges_have_no_payloads() {
    let world = World::start().await;
    manual_flow(&world).await;
    for failure in of_every_size() {
        let id = failure["interchangeId"].as_str().unwrap().to_owned();
        world.report(failure).await;
        act(&world, "retry", &id).await;
        world.report(report(&id, "orders", json!({ "attempt": 2, "payloads": null }))).await;
    }
    let all = json!({ "reason": "sent by mail", "selection": { "all": true } });
    let job = world.post("/flows/orders/delete", all).await.location.unwrap();
    world.settle().await;
    assert_eq!(world.get(&job).await.ok()["counts"]["sent"], 4);
    for id in ["small", "large", "several", "packed"] {
        assert!(!holds_payloads(&world, id), "{id}");
        assert!(all_expire(&world, id), "{id}");
        assert_eq!(world.get(&format!("/interchanges/{id}/payloads/receiver")).await.status, 404);
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_interchange_that_fails_again_has_the_payloads_of_the_new_report() {
    let world = World::start().await;
    manual_flow(&world).await;
    for id in ["small", "large"] {
        let failure =
            |attempt| if id == "small" { report(id, "orders", json!({ "attempt": attempt })) } else { large(id, 1) };
        world.report(failure(1)).await;
        act(&world, "delete", id).await;
        let mut again = failure(1);
        again["attempt"] = json!(2);
        let payload = again["payloads"]["receiver"]["body"].clone();
        world.report(again).await;
        assert!(none_expires(&world, id), "{id}");
        let answer = world.get(&format!("/interchanges/{id}/payloads/receiver")).await;
        assert_eq!((answer.status, answer.bytes.as_slice()), (200, payload.as_str().unwrap().as_bytes()), "{id}");
    }
    world.stop().await;
}
