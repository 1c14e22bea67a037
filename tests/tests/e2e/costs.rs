//! What a batch costs, where more calls than are needed would mean that something is done twice.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tests::{World, report};

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_more_transactions_than_run_side_by_side_is_written_once() {
    let world = World::start_metered().await;
    world.put("/flows/orders", json!({ "retry": { "mode": "manual" } })).await.ok();
    drop(world.stack.aws().meter().take());
    let sender = |n: usize| json!({ "payloads": { "sender": { "body": format!("order {n}") } } });
    let reports: Vec<Value> = (0..300).map(|n| report(&format!("o-{n}"), "orders", sender(n))).collect();
    world.take_in(&reports).await;
    let mut calls: BTreeMap<String, usize> = BTreeMap::new();
    for call in world.stack.aws().meter().take() {
        *calls.entry(call.operation).or_default() += 1;
    }
    // 49 heads and as many events to a transaction beside the counts of flow and group, the payloads being small enough
    // to go with the events; a hundred heads a read, and one read for the flow.
    let wanted = [("BatchGetItem", 4), ("TransactWriteItems", 7)];
    assert_eq!(calls, wanted.map(|(operation, count)| (operation.to_owned(), count)).into());
    assert_eq!(world.get("/flows/orders").await.ok()["counts"]["failed"], 300);
    world.stop().await;
}
