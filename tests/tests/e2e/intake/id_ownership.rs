//! An interchange id belongs to the flow in which it failed first.

use serde_json::json;
use tests::{FAILURES, World, report};

use super::assert_queues_are_empty;

#[tokio::test(flavor = "multi_thread")]
async fn a_report_with_an_id_of_another_flow_is_stored_as_unassigned_and_changes_neither_flow() {
    let world = World::start().await;
    world.report(report("4711", "orders", json!({}))).await;
    let owned = world.interchange("4711").await;
    let foreign = report("4711", "invoices", json!({ "attempt": 2 })).to_string();
    let id = format!("dlq-{}", world.put_message(FAILURES, &foreign, &[]).await);
    world.settle().await;
    assert_queues_are_empty(&world);
    assert_eq!(world.interchange("4711").await, owned);
    let kept = world.interchange(&id).await;
    assert_eq!((&kept["flow"], &kept["error"]["code"]), (&json!("unassigned"), &json!("refused")));
    assert!(kept["error"]["message"].as_str().unwrap().contains("belongs to flow orders"), "{kept}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_belongs_to_the_flow_in_which_it_failed_first_even_with_other_reports_in_the_batch() {
    let world = World::start().await;
    let outcome =
        |flow: &str| json!({ "type": "interchange.completed", "interchangeId": "4711", "flow": flow, "attempt": 1 });
    world.ingest_batch(&[outcome("orders"), report("4711", "invoices", json!({})), outcome("orders")]).await;
    let shown = world.interchange("4711").await;
    assert_eq!((&shown["flow"], &shown["status"]), (&json!("invoices"), &json!("failed")));
    // The outcome before the failure is an early outcome. The one after it is about an id of another flow, so it is
    // stored as unassigned.
    let kept = world.get("/flows/unassigned/interchanges").await.ok();
    assert_eq!(kept["items"].as_array().unwrap().len(), 1, "{kept}");
    assert!(kept["items"][0]["error"]["message"].as_str().unwrap().contains("belongs to flow invoices"), "{kept}");
    world.stop().await;
}
