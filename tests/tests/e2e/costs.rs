//! The number of AWS calls for a batch. More calls than necessary would mean that something is done twice.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tests::{World, report};

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_with_more_transactions_than_run_concurrently_is_written_once() {
    let world = World::start_metered().await;
    world.put("/flows/orders", json!({ "retry": { "mode": "manual" } })).await.ok();
    drop(world.stack.aws().meter().take());
    let sender = |n: usize| json!({ "payloads": { "sender": { "body": format!("order {n}") } } });
    let reports: Vec<Value> = (0..300).map(|n| report(&format!("o-{n}"), "orders", sender(n))).collect();
    world.ingest_batch(&reports).await;
    let mut calls: BTreeMap<String, usize> = BTreeMap::new();
    for call in world.stack.aws().meter().take() {
        *calls.entry(call.operation).or_default() += 1;
    }
    // A transaction writes 49 heads, 49 events and the counts of flow and group. The payloads are small enough to be stored in
    // the event items. A read returns a hundred heads, and there is one read for the flow.
    let expected = [("BatchGetItem", 4), ("TransactWriteItems", 7)];
    assert_eq!(calls, expected.map(|(operation, count)| (operation.to_owned(), count)).into());
    assert_eq!(world.get("/flows/orders").await.ok()["counts"]["failed"], 300);
    world.stop().await;
}
