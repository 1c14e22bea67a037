//! Tokens that are limited to some flows: lists, cursors, selections and Idempotency-Keys, with every form of the claim.

use serde_json::{Value, json};
use tests::{RECEIVER_STAGE, World, report};

use super::because;

fn all() -> Value {
    json!({ "reason": "the partner is back", "selection": { "all": true } })
}

/// A world with failures in three flows, a token for all flows and a token for `orders-*`.
async fn world() -> (World, String, String) {
    let world = World::start_limited().await;
    for (flow, id) in [("invoices", "i-1"), ("orders-in", "o-1"), ("orders-out", "o-2")] {
        world.report(report(id, flow, json!({}))).await;
    }
    let (every, limited) =
        (world.token_for("admin", json!(["admins", "*"])), world.token_for("clerk", json!(["orders-*"])));
    (world, every, limited)
}

/// The flows that are listed for a token.
async fn flows(world: &World, token: &str) -> Vec<String> {
    let page = world.request("GET", "/flows", Some(token), None).await.ok();
    assert!(page["cursor"].is_null(), "{page}");
    let mut names: Vec<String> =
        page["items"].as_array().unwrap().iter().map(|flow| flow["flow"].as_str().unwrap().to_owned()).collect();
    names.sort_unstable();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_lists_exactly_the_flows_of_its_claim_and_none_without_a_claim() {
    let (world, _, _) = world().await;
    for (claim, shown) in [
        (json!(["orders-*"]), &["orders-in", "orders-out"][..]),
        (json!("orders-in,invoices"), &["invoices", "orders-in"]),
        (json!("orders-out orders-in"), &["orders-in", "orders-out"]),
        (json!(["*"]), &["invoices", "orders-in", "orders-out"]),
        (json!(["orders", "ORDERS-*", "unassigned"]), &[]),
        (json!([]), &[]),
        (json!(""), &[]),
        (Value::Null, &[]),
    ] {
        assert_eq!(flows(&world, &world.token_for("somebody", claim.clone())).await, shown, "{claim}");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limited_token_has_full_access_to_its_own_flows() {
    let (world, every, limited) = world().await;
    let token = Some(limited.as_str());
    for path in ["/flows/orders-in", "/flows/orders-in/groups", "/flows/orders-in/interchanges", "/interchanges/o-1"] {
        let whole = world.request("GET", path, Some(&every), None).await.ok();
        assert_eq!(world.request("GET", path, token, None).await.ok(), whole, "{path}");
    }
    let payload = world.request("GET", "/interchanges/o-1/payloads/sender", token, None).await;
    assert_eq!((payload.status, payload.bytes.as_slice()), (200, &b"sender of o-1"[..]));
    world.request("POST", "/interchanges/o-1/retry", token, Some(because())).await.ok();
    let job = world.request("POST", "/flows/orders-out/retry", token, Some(all())).await;
    world.settle().await;
    let job = world.request("GET", &job.location.unwrap(), token, None).await.ok();
    assert_eq!((&job["status"], &job["counts"]["sent"]), (&json!("completed"), &json!(1)));
    assert_eq!(world.drain(RECEIVER_STAGE).await.len(), 2);

    // A new flow can be created only with a name that the claim allows.
    world.request("PUT", "/flows/orders-new", token, Some(json!({}))).await.ok();
    world.request("PUT", "/flows/returns", token, Some(json!({}))).await.is_problem(404, "not-found");
    assert_eq!(flows(&world, &every).await, ["invoices", "orders-in", "orders-new", "orders-out"]);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn for_a_limited_token_an_id_of_another_flow_in_a_selection_counts_as_not_found() {
    let (world, every, limited) = world().await;
    let ids = |ids: &[&str]| json!({ "reason": "again", "selection": { "ids": ids } });
    let retry = async |path: &str, token: &str, body| world.request("POST", path, Some(token), Some(body)).await;
    let plan =
        async |foreign: &str| retry("/flows/orders-in/retry?plan=true", &limited, ids(&["o-1", foreign])).await.ok();
    assert_eq!(plan("i-1").await, plan("nobody").await);
    assert_eq!(plan("i-1").await["sample"].as_array().unwrap().len(), 1);

    let made = retry("/flows/orders-in/retry", &limited, ids(&["o-1", "i-1"])).await;
    world.settle().await;
    let job = world.request("GET", &made.location.unwrap(), Some(&limited), None).await.ok();
    assert_eq!((&job["counts"]["sent"], &job["skips"]), (&json!(1), &json!({ "not-found": 1 })));
    let invoice = world.request("GET", "/interchanges/i-1", Some(&every), None).await.ok();
    assert_eq!((&invoice["status"], &invoice["attempt"]), (&json!("failed"), &json!(1)));

    // A caller that may see both flows gets an error that names the id.
    for (token, other) in [(&every, "i-1"), (&limited, "o-2")] {
        let problem = retry("/flows/orders-in/delete", token, ids(&[other])).await.is_problem(400, "invalid-field");
        assert_eq!(problem["field"], "selection.ids[0]");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn for_a_limited_token_an_unreadable_interchange_of_another_flow_counts_as_not_found() {
    let (world, every, limited) = world().await;
    for id in ["i-1", "o-1"] {
        world.alter(&format!("INTERCHANGE#{id}"), "HEAD", |head| head["row"] = json!({ "S": "{" }));
    }
    let get = async |path: &str, token: &str| world.request("GET", path, Some(token), None).await;
    for path in ["/interchanges/i-1", "/interchanges/i-1/payloads/sender"] {
        get(path, &every).await.is_problem(409, "unreadable");
        get(path, &limited).await.is_problem(404, "not-found");
    }
    get("/interchanges/o-1", &limited).await.is_problem(409, "unreadable");
    let delete = world.request("POST", "/interchanges/i-1/delete", Some(&limited), Some(because())).await;
    delete.is_problem(404, "not-found");

    let ids = json!({ "reason": "again", "selection": { "ids": ["i-1", "o-1", "nobody"] } });
    let skips = json!({ "not-found": 2, "unreadable": 1 });
    let plan = world.request("POST", "/flows/orders-in/retry?plan=true", Some(&limited), Some(ids.clone())).await.ok();
    assert_eq!(plan["skips"], skips);
    let made = world.request("POST", "/flows/orders-in/retry", Some(&limited), Some(ids)).await;
    world.settle().await;
    assert_eq!(get(&made.location.unwrap(), &limited).await.ok()["skips"], skips);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limited_token_cannot_detect_idempotency_keys_of_other_flows() {
    let (world, every, limited) = world().await;
    world.request_once("/flows/invoices/retry", "key", &every, all()).await.ok();
    world.request_once("/interchanges/o-2/retry", "key-2", &every, because()).await.ok();
    world.request_once("/interchanges/i-1/delete", "key", &limited, because()).await.is_problem(404, "not-found");
    world.request_once("/flows/invoices/retry", "key", &limited, all()).await.is_problem(404, "not-found");

    // In its own flows its keys make requests safe to repeat.
    let first = world.request_once("/flows/orders-in/retry", "key", &limited, all()).await;
    world.settle().await;
    let again = world.request_once("/flows/orders-in/retry", "key", &limited, all()).await;
    assert_eq!((first.status, &first.location), (202, &again.location));
    world
        .request_once("/flows/orders-in/delete", "key", &limited, all())
        .await
        .is_problem(422, "idempotency-key-reused");
    assert_eq!(world.drain(RECEIVER_STAGE).await.len(), 3);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limited_token_cannot_use_a_cursor_of_a_token_that_sees_more() {
    let world = World::start_limited().await;
    let every = world.token_for("admin", json!(["*"]));
    // All configurations together do not fit into one response, but those of `orders-*` do.
    let delays: Vec<String> = (1..=40).map(|minutes| format!("{minutes}m")).collect();
    let policy = json!({ "retry": { "schedule": { "kind": "ladder", "delays": delays } } });
    let partner = |n: usize| (format!("{n}-{}", "z".repeat(200)), policy.clone());
    let large = json!({ "partners": (0..400).map(partner).collect::<Value>() });
    for name in (0..10).flat_map(|n| [format!("invoices-{n}"), format!("orders-{n}")]) {
        world.request("PUT", &format!("/flows/{name}"), Some(&every), Some(large.clone())).await.ok();
    }
    let first = world.request("GET", "/flows", Some(&every), None).await.ok();
    let path = format!("/flows?cursor={}", first["cursor"].as_str().expect("there is a second page"));
    let limited = world.token_for("clerk", json!(["orders-*"]));
    let problem = world.request("GET", &path, Some(&limited), None).await.is_problem(400, "invalid-field");
    assert_eq!(problem["field"], "cursor");
    world.request("GET", &path, Some(&every), None).await.ok();

    // Hidden flows do not make its pages shorter.
    let own: Vec<String> = (0..10).map(|n| format!("orders-{n}")).collect();
    assert_eq!(flows(&world, &limited).await, own);
    world.stop().await;
}
