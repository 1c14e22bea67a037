//! Slots with many members and very large heads: memory stays bounded, and a head that is too large blocks no other.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::SignedDuration;
use serde_json::json;
use tests::{RECEIVER_STAGE, World, report};

/// A debug build needs 30 MB. If it loaded the whole slot, it would need 11 KB more for each member.
const MAX_PEAK_KIB: u64 = 48 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn the_memory_for_a_slot_of_a_window_does_not_grow_with_its_members() {
    const MEMBERS: usize = 3_000;
    let world = World::start().await;
    let window = json!({ "kind": "window", "every": "hour", "interval": 1, "batch": 500 });
    world
        .put("/flows/orders", json!({ "confirmation": { "within": "48h" }, "retry": { "schedule": window } }))
        .await
        .ok();
    let reports: Vec<_> = (0..MEMBERS).map(|n| report(&format!("o-{n}"), "orders", json!({}))).collect();
    for reports in reports.chunks(100) {
        world.ingest_batch(reports).await;
    }
    let peak = world.peak_memory_while_advancing(SignedDuration::from_mins(61), "reprise-run-job").await;
    assert_eq!(world.drain(RECEIVER_STAGE).await.len(), 500);
    assert!(peak < MAX_PEAK_KIB, "{peak} KiB");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interchange_that_cannot_be_stored_is_skipped_and_the_rest_of_its_chunk_is_sent() {
    let world = World::start().await;
    let config = json!({ "retry": { "mode": "manual" }, "confirmation": { "within": "30d" } });
    world.put("/flows/orders", config).await.ok();
    world.send((0..31).map(|n| report(&format!("o-{n}"), "orders", json!({})).to_string())).await;
    fill(&world, "o-7").await;
    let body = json!({ "reason": "the partner is back", "selection": { "all": true } });
    let path = world.post("/flows/orders/retry", body).await.location.unwrap();
    world.settle().await;
    assert_eq!(world.drain(RECEIVER_STAGE).await.len(), 30);
    let job = world.get(&path).await.ok();
    assert_eq!((&job["status"], &job["counts"]["sent"]), (&json!("completed"), &json!(30)), "{job}");
    assert_eq!(job["skips"], json!({ "unstorable": 1 }));
    let answer = world.post("/interchanges/o-7/retry", json!({ "reason": "again" })).await;
    assert_eq!(answer.status, 500);
    world.stop().await;
}

/// Makes a head as large as DynamoDB allows, so that the next change is refused.
async fn fill(world: &World, id: &str) {
    let dynamodb = dynamodb(world);
    let key = HashMap::from([("pk", format!("INTERCHANGE#{id}")), ("sk", "HEAD".to_owned())]);
    let key: HashMap<_, _> = key.into_iter().map(|(name, value)| (name.to_owned(), AttributeValue::S(value))).collect();
    let read = dynamodb.get_item().table_name("reprise").set_key(Some(key)).send().await.unwrap();
    let head = read.item.unwrap();
    let row = head["row"].as_s().unwrap().clone();
    let (mut accepted, mut refused) = (0, 400 * 1024);
    while accepted + 1 < refused {
        let middle = usize::midpoint(accepted, refused);
        let mut larger = head.clone();
        let filled = row.replace("erp.globex.example:443", &"x".repeat(middle));
        assert_ne!(filled, row);
        larger.insert("row".to_owned(), AttributeValue::S(filled));
        match dynamodb.put_item().table_name("reprise").set_item(Some(larger)).send().await {
            Ok(_) => accepted = middle,
            Err(_) => refused = middle,
        }
    }
}

fn dynamodb(world: &World) -> Client {
    use aws_sdk_dynamodb::config::{BehaviorVersion, Builder, Credentials, Region};
    let config = Builder::new()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .credentials_provider(Credentials::new("any", "any", None, None, "tests"))
        .endpoint_url(world.stack.aws_url());
    Client::from_conf(config.build())
}
