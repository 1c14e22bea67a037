//! What each scope allows.

use serde_json::json;
use tests::{RECEIVER_STAGE, World, report};

use super::{because, refused, retry};

#[tokio::test(flavor = "multi_thread")]
async fn the_scope_read_allows_lists_and_details_but_no_actions_payloads_or_configuration() {
    let world = World::start_guarded().await;
    world.report(report("4711", "orders", json!({}))).await;
    let token = world.token("reader", &["read"]);
    let token = Some(token.as_str());
    for path in ["/flows", "/flows/orders", "/flows/orders/interchanges", "/flows/orders/groups", "/flows/orders/jobs"]
    {
        world.request("GET", path, token, None).await.ok();
    }
    let before = world.request("GET", "/interchanges/4711", token, None).await.ok();
    assert_eq!(before["status"], "failed");
    let operate = ["retry", "restart", "delete"].map(|action| (action, "reprise/operate"));
    for (action, scope) in operate.into_iter().chain([("erase", "reprise/erase")]) {
        let one = world.request("POST", &format!("/interchanges/4711/{action}"), token, Some(because())).await;
        let all = json!({ "reason": "all of them", "selection": { "all": true } });
        let many = world.request("POST", &format!("/flows/orders/{action}"), token, Some(all)).await;
        for answer in [one, many] {
            assert!(refused(&answer, 403, "Forbidden").contains(scope), "{action}");
        }
    }
    let payload = world.request("GET", "/interchanges/4711/payloads/sender", token, None).await;
    assert!(refused(&payload, 403, "Forbidden").contains("reprise/payload"));
    for path in ["/flows/orders", "/flows/orders?plan=true"] {
        let put = world.request("PUT", path, token, Some(json!({ "active": false }))).await;
        assert!(refused(&put, 403, "Forbidden").contains("reprise/configure"));
    }
    world.settle().await;
    assert_eq!(world.request("GET", "/interchanges/4711", token, None).await.ok(), before);
    assert!(world.drain(RECEIVER_STAGE).await.is_empty());
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_scope_operate_allows_actions_but_no_erasure_lists_payloads_or_configuration() {
    let world = World::start_guarded().await;
    world.report(report("4711", "orders", json!({}))).await;
    let token = world.token("operator", &["operate"]);
    let token = Some(token.as_str());
    for side in ["sender", "receiver"] {
        let payload = world.request("GET", &format!("/interchanges/4711/payloads/{side}"), token, None).await;
        assert!(refused(&payload, 403, "Forbidden").contains("reprise/payload"));
    }
    let put = world.request("PUT", "/flows/orders", token, Some(json!({ "active": false }))).await;
    assert!(refused(&put, 403, "Forbidden").contains("reprise/configure"));
    let erase = world.request("POST", "/interchanges/4711/erase", token, Some(because())).await;
    assert!(refused(&erase, 403, "Forbidden").contains("reprise/erase"));
    refused(&world.request("GET", "/flows", token, None).await, 403, "Forbidden");
    assert_eq!(retry(&world, "4711", token).await.ok()["status"], "waiting_for_retry");
    assert_eq!(world.drain(RECEIVER_STAGE).await.len(), 1);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn payloads_and_configuration_have_their_own_scopes() {
    let world = World::start_guarded().await;
    world.report(report("4711", "orders", json!({}))).await;
    let payload = world.token("auditor", &["payload"]);
    let shown = world.request("GET", "/interchanges/4711/payloads/sender", Some(&payload), None).await;
    assert_eq!((shown.status, shown.bytes.as_slice()), (200, b"sender of 4711".as_slice()));
    refused(&world.request("GET", "/interchanges/4711", Some(&payload), None).await, 403, "Forbidden");
    let configure = world.token("owner", &["configure"]);
    let flow = json!({ "displayName": "Orders inbound" });
    let put = world.request("PUT", "/flows/orders", Some(&configure), Some(flow)).await.ok();
    assert_eq!(put["displayName"], "Orders inbound");
    refused(&retry(&world, "4711", Some(&configure)).await, 403, "Forbidden");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_event_log_names_the_subject_of_the_token_as_actor() {
    let world = World::start_guarded().await;
    world.report(report("4711", "orders", json!({}))).await;
    world.report(report("4712", "orders", json!({}))).await;
    let token = world.token("operator-17", &["read", "operate"]);
    retry(&world, "4711", Some(&token)).await.ok();
    let order = json!({ "reason": "all of them", "selection": { "all": true } });
    let job = world.request("POST", "/flows/orders/retry", Some(&token), Some(order)).await.ok();
    world.settle().await;
    let get = async |path: &str| world.request("GET", path, Some(&token), None).await.ok();
    for id in ["4711", "4712"] {
        let interchange = get(&format!("/interchanges/{id}")).await;
        let events = interchange["events"].as_array().unwrap();
        let request = events.iter().find(|event| event["kind"] == "retry_requested").unwrap();
        assert_eq!(request["actor"], "operator-17", "{request}");
    }
    assert_eq!(get(&format!("/jobs/{}", job["id"].as_str().unwrap())).await["actor"], "operator-17");
    world.stop().await;
}
