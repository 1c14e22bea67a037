//! Refusals of restart, retry and delete, for one interchange and for a job.

use serde_json::json;
use tests::{World, report};

use super::{Snapshot, act};

#[tokio::test(flavor = "multi_thread")]
async fn an_action_requires_a_failed_interchange_and_a_payload_to_send() {
    let world = World::start().await;
    let ids = ["completed", "waiting-retry", "waiting-restart", "in-network", "deleted", "bare", "empty-handed"];
    let receiverless = json!({ "payloads": { "sender": { "body": "UNB+1" } } });
    for id in &ids[..5] {
        world.report(report(id, "orders", json!({}))).await;
    }
    world.report(report("bare", "orders", receiverless)).await;
    world.report(report("empty-handed", "orders", json!({ "payloads": null }))).await;
    for (id, action) in [
        ("completed", "retry"),
        ("waiting-retry", "retry"),
        ("waiting-restart", "restart"),
        ("in-network", "restart"),
        ("deleted", "delete"),
    ] {
        act(&world, id, action).await.ok();
    }
    for (id, outcome) in [("completed", "completed"), ("in-network", "in_network")] {
        let kind = format!("interchange.{outcome}");
        world.report(json!({ "type": kind, "interchangeId": id, "flow": "orders", "attempt": 2 })).await;
    }
    let before = Snapshot::of(&world, &ids).await;
    for action in ["retry", "restart", "delete"] {
        for (id, status) in [
            ("completed", "completed"),
            ("waiting-retry", "waiting_for_retry"),
            ("waiting-restart", "waiting_for_restart"),
            ("in-network", "in_network"),
            ("deleted", "deleted"),
        ] {
            let problem = act(&world, id, action).await.is_problem(409, "not-failed");
            assert!(problem["detail"].as_str().unwrap().contains(status), "{problem}");
            assert_eq!(problem["interchangeStatus"], status);
            assert_eq!(problem["interchangeId"], id);
        }
    }
    let problem = act(&world, "bare", "retry").await.is_problem(409, "no-receiver-payload");
    assert!(problem["detail"].as_str().unwrap().contains("restart is possible"), "{problem}");
    let problem = act(&world, "empty-handed", "retry").await.is_problem(409, "no-receiver-payload");
    assert!(!problem["detail"].as_str().unwrap().contains("restart is possible"), "{problem}");
    act(&world, "empty-handed", "restart").await.is_problem(409, "no-sender-payload");
    for action in ["retry", "restart", "delete"] {
        act(&world, "nobody", action).await.is_problem(404, "not-found");
        let problem = act(&world, "a%2Fb", action).await.is_problem(400, "invalid-field");
        assert_eq!(problem["field"], "id");
    }
    before.assert_unchanged(&world, &ids, "a refused action").await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interchange_at_its_last_attempt_can_only_be_deleted() {
    let world = World::start().await;
    world.fail_up_to_the_last_attempt("4711", "orders").await;
    let before = Snapshot::of(&world, &["4711"]).await;
    for action in ["retry", "restart"] {
        let problem = act(&world, "4711", action).await.is_problem(409, "no-attempt-left");
        assert!(problem["detail"].as_str().unwrap().contains("attempt 1000000"), "{problem}");
    }
    before.assert_unchanged(&world, &["4711"], "a refused action").await;
    act(&world, "4711", "delete").await.ok();
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_without_a_valid_reason_is_refused() {
    let world = World::start().await;
    world.report(report("4711", "orders", json!({}))).await;
    let before = Snapshot::of(&world, &["4711"]).await;
    let all = json!({ "all": true });
    for action in ["retry", "restart", "delete"] {
        for (reason, field) in [
            (json!({}), "reason"),
            (json!({ "reason": null }), "reason"),
            (json!({ "reason": "" }), "reason"),
            (json!({ "reason": " \t\n\u{a0}" }), "reason"),
            (json!({ "reason": "x".repeat(501) }), "reason"),
            (json!({ "reason": 17 }), "reason"),
            (json!({ "reason": ["a"] }), "reason"),
            (json!({ "reason": "good", "because": "bad" }), "because"),
            (json!(["reason"]), "body"),
            (json!("reason"), "body"),
            (json!(null), "body"),
        ] {
            let one = world.post(&format!("/interchanges/4711/{action}"), reason.clone()).await;
            assert_eq!(one.is_problem(400, "invalid-field")["field"], field, "{action} {reason}");
            let mut bulk = reason.clone();
            if bulk.is_object() {
                bulk["selection"] = all.clone();
            }
            let many = world.post(&format!("/flows/orders/{action}"), bulk).await;
            assert_eq!(many.is_problem(400, "invalid-field")["field"], field, "{action} {reason}");
        }
    }
    before.assert_unchanged(&world, &["4711"], "a missing reason").await;
    // The maximum length counts characters. The reason is stored unchanged.
    let longest = "ü".repeat(500);
    world.post("/interchanges/4711/delete", json!({ "reason": longest })).await.ok();
    let interchange = world.interchange("4711").await;
    assert_eq!(interchange["events"].as_array().unwrap().last().unwrap()["reason"], longest);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inactive_flow_refuses_all_actions_and_a_flow_without_stages_refuses_to_send() {
    let world = World::start().await;
    world.report(report("4711", "orders", json!({}))).await;
    world.report(report("4712", "stageless", json!({}))).await;
    world.send(["no report".to_owned()]).await;
    let page = world.get("/flows/unassigned/interchanges").await.ok();
    let letter = page["items"][0]["interchangeId"].as_str().unwrap().to_owned();
    world.put("/flows/orders", json!({ "active": false })).await.ok();
    world.put("/flows/stageless", json!({ "stages": {} })).await.ok();
    let ids = ["4711", "4712", letter.as_str()];
    let before = Snapshot::of(&world, &ids).await;
    for action in ["retry", "restart", "delete"] {
        act(&world, "4711", action).await.is_problem(409, "flow-inactive");
        let job = json!({ "reason": "all of them", "selection": { "all": true } });
        world.post(&format!("/flows/orders/{action}"), job).await.is_problem(409, "flow-inactive");
    }
    for (flow, id, action, side) in [
        ("stageless", "4712", "retry", "receiver"),
        ("stageless", "4712", "restart", "sender"),
        ("unassigned", letter.as_str(), "restart", "sender"),
    ] {
        let job = json!({ "reason": "all of them", "selection": { "all": true } });
        for answer in [act(&world, id, action).await, world.post(&format!("/flows/{flow}/{action}"), job).await] {
            let problem = answer.is_problem(409, "stage-not-configured");
            assert_eq!(problem["field"], format!("stages.{side}.queueUrl"));
        }
    }
    before.assert_unchanged(&world, &ids, "a refused re-entry").await;
    // A delete needs no stage.
    act(&world, &letter, "delete").await.ok();
    act(&world, "4712", "delete").await.ok();
    world.stop().await;
}
