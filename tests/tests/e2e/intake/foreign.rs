//! Whose an id is.

use serde_json::json;
use tests::{FAILURES, World, report};

use super::is_drained;

#[tokio::test(flavor = "multi_thread")]
async fn a_report_on_an_id_of_another_flow_is_kept_and_touches_neither() {
    let world = World::start().await;
    world.report(report("4711", "orders", json!({}))).await;
    let owned = world.interchange("4711").await;
    let foreign = report("4711", "invoices", json!({ "attempt": 2 })).to_string();
    let id = format!("dlq-{}", world.put_message(FAILURES, &foreign, &[]).await);
    world.settle().await;
    is_drained(&world);
    assert_eq!(world.interchange("4711").await, owned);
    let kept = world.interchange(&id).await;
    assert_eq!((&kept["flow"], &kept["error"]["code"]), (&json!("unassigned"), &json!("refused")));
    assert!(kept["error"]["message"].as_str().unwrap().contains("belongs to flow orders"), "{kept}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_belongs_to_the_flow_in_which_it_failed_first_whatever_else_is_in_the_batch() {
    let world = World::start().await;
    let outcome =
        |flow: &str| json!({ "type": "interchange.completed", "interchangeId": "4711", "flow": flow, "attempt": 1 });
    world.take_in(&[outcome("orders"), report("4711", "invoices", json!({})), outcome("orders")]).await;
    let shown = world.interchange("4711").await;
    assert_eq!((&shown["flow"], &shown["status"]), (&json!("invoices"), &json!("failed")));
    // What came before the failure was of nothing that failed; what came after it speaks of another's message.
    let kept = world.get("/flows/unassigned/interchanges").await.ok();
    assert_eq!(kept["items"].as_array().unwrap().len(), 1, "{kept}");
    assert!(kept["items"][0]["error"]["message"].as_str().unwrap().contains("belongs to flow invoices"), "{kept}");
    world.stop().await;
}
