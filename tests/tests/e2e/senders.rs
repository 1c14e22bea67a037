//! The allowed senders of a flow: reports of other senders are stored as unassigned and do not change the flow.

use serde_json::{Value, json};
use tests::{FAILURES, RECEIVER_STAGE, World, report};

const ROLE: &str = "AROAEXAMPLEORDERS000";

/// The ids and error messages of the failures in the flow `unassigned`.
async fn unassigned(world: &World) -> Vec<(String, String)> {
    let page = world.get("/flows/unassigned/interchanges").await.ok();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| (text(&i["interchangeId"]), text(&i["error"]["message"])))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_of_another_sender_is_stored_as_unassigned_with_the_reason_and_can_be_deleted() {
    let world = World::start().await;
    world.put("/flows/orders", json!({ "senders": [ROLE], "retry": { "mode": "manual" } })).await.ok();
    world.report_as(&format!("{ROLE}:i-0123"), &report("4711", "orders", json!({}))).await;
    assert_eq!(world.interchange("4711").await["flow"], "orders");

    world.report_as("AROAEXAMPLEINVOICE00:mapper", &report("4712", "orders", json!({}))).await;
    world.get("/interchanges/4712").await.is_problem(404, "not-found");
    let [(id, message)] = &unassigned(&world).await[..] else { panic!("exactly one failure is unassigned") };
    for part in ["4712", "flow orders", "AROAEXAMPLEINVOICE00:mapper", "senders"] {
        assert!(message.contains(part), "{message}");
    }
    let payload = world.get(&format!("/interchanges/{id}/payloads/sender")).await;
    assert_eq!(payload.json(), report("4712", "orders", json!({})));
    world.post(&format!("/interchanges/{id}/delete"), json!({ "reason": "not theirs" })).await.ok();
    assert_eq!(world.get("/flows/orders").await.ok()["counts"]["failed"], 1);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_of_another_sender_changes_nothing_and_registers_no_flow() {
    let world = World::start().await;
    world
        .put("/flows/orders", json!({ "senders": [format!("{ROLE}:mapper")], "retry": { "mode": "manual" } }))
        .await
        .ok();
    world.report_as(&format!("{ROLE}:mapper"), &report("4711", "orders", json!({}))).await;
    world.post("/interchanges/4711/retry", json!({ "reason": "again" })).await.ok();
    assert_eq!(world.drain(RECEIVER_STAGE).await.len(), 1);
    let completed = json!({ "type": "interchange.completed", "interchangeId": "4711", "flow": "orders", "attempt": 2 });
    // Another session of the same role, and a sender without a known identity.
    world.report_as(&format!("{ROLE}:reader"), &completed).await;
    world.report(completed.clone()).await;
    assert_eq!(world.interchange("4711").await["status"], "waiting_for_retry");
    assert_eq!(unassigned(&world).await.len(), 2);

    world.report_as(&format!("{ROLE}:mapper"), &completed).await;
    assert_eq!(world.interchange("4711").await["status"], "completed");
    let flows = world.get("/flows").await.ok();
    assert_eq!(flows["items"].as_array().unwrap().len(), 2, "{flows}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_accepts_dead_letters_only_from_the_queues_that_it_lists() {
    let world = World::start().await;
    let arn = |name: &str| world.queue_arn(name);
    for name in ["orders-stage", "orders-in", "elsewhere"] {
        world.stage_with_dead_letters(name, FAILURES).await;
    }
    let queues = json!([{ "arn": arn("orders-in"), "phase": "processing" }]);
    let config =
        json!({ "senders": [ROLE, arn("orders-stage")], "deadLetterQueues": queues, "retry": { "mode": "manual" } });
    world.put("/flows/orders", config).await.ok();
    // Reports that arrive as dead letters of another queue: that queue counts as their sender.
    for (queue, id) in [("orders-stage", "through-stage"), ("elsewhere", "through-elsewhere")] {
        world.put_message(queue, &report(id, "orders", json!({})).to_string(), &[]).await;
        world.receive_without_deleting(queue).await;
    }
    world.put_message("orders-in", "UNB+plain", &[]).await;
    world.receive_without_deleting("orders-in").await;
    world.settle().await;
    assert_eq!(world.interchange("through-stage").await["flow"], "orders");
    world.get("/interchanges/through-elsewhere").await.is_problem(404, "not-found");
    assert_eq!(world.get("/flows/orders").await.ok()["counts"]["failed"], 2);
    let [(_, message)] = &unassigned(&world).await[..] else { panic!("exactly one failure is unassigned") };
    assert!(message.contains("through-elsewhere") && message.contains(&arn("elsewhere")), "{message}");
    world.stop().await;
}

/// What is stored as the configuration of `orders` is not what this release can read.
async fn nothing_is_taken_for(config: &str) {
    let world = World::start().await;
    let listed = json!({ "senders": [ROLE], "retry": { "mode": "manual" } });
    world.put("/flows/orders", listed.clone()).await.ok();
    let sender = format!("{ROLE}:mapper");
    world.report_as(&sender, &report("4711", "orders", json!({}))).await;
    world.post("/interchanges/4711/retry", json!({ "reason": "again" })).await.ok();
    world.alter("FLOW#orders", "CONFIG", |item| item["d"] = json!({ "S": config }));

    let completed = json!({ "type": "interchange.completed", "interchangeId": "4711", "flow": "orders", "attempt": 2 });
    world.report_as("AROAEXAMPLEINVOICE00:mapper", &completed).await;
    world.report_as(&sender, &report("4712", "orders", json!({}))).await;
    assert_eq!(world.interchange("4711").await["status"], "waiting_for_retry", "{config}");
    world.get("/interchanges/4712").await.is_problem(404, "not-found");
    let messages = unassigned(&world).await.into_iter().map(|(_, message)| message).collect::<Vec<_>>();
    assert_eq!(messages.len(), 2, "{config}: {messages:?}");
    assert!(messages.iter().any(|message| message.contains("4712") && message.contains(&sender)), "{messages:?}");

    // Once it can be read again, its sender may report as before.
    world.put_if_match("/flows/orders", "\"1\"", listed).await.ok();
    world.report_as(&sender, &completed).await;
    assert_eq!(world.interchange("4711").await["status"], "completed");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_whose_configuration_is_not_json_takes_no_report() {
    nothing_is_taken_for("{").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_whose_senders_cannot_be_read_takes_no_report() {
    nothing_is_taken_for(r#"{ "senders": { "roles": "any" } }"#).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_is_listed_by_its_role_id_and_not_by_its_arn() {
    let world = World::start().await;
    let arn = json!({ "senders": ["arn:aws:iam::000000000000:role/orders"] });
    let problem = world.put("/flows/orders", arn).await.is_problem(400, "invalid-field");
    assert_eq!(problem["field"], "senders[0]");
    assert!(problem["detail"].as_str().unwrap().contains("RoleId"), "{problem}");
    let listed = json!({ "senders": [ROLE] });
    assert_eq!(world.put("/flows/orders", listed.clone()).await.ok()["senders"], listed["senders"]);
    assert_eq!(world.get("/flows/orders").await.ok()["senders"], listed["senders"]);
    world.stop().await;
}
