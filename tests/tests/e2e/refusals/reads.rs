//! Refused reads: invalid parameters, resources and routes that do not exist.

use serde_json::json;
use tests::{World, report};

use super::{Snapshot, because};

#[tokio::test(flavor = "multi_thread")]
async fn a_list_with_an_invalid_parameter_is_refused_with_its_name() {
    let world = World::start().await;
    for id in ["a", "b", "c"] {
        world.report(report(id, "orders", json!({}))).await;
    }
    world.report(report("d", "invoices", json!({}))).await;
    let before = Snapshot::of(&world, &["a", "d"]).await;
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=-1", "limit"),
        ("limit=many", "limit"),
        ("order=random", "order"),
        ("status=broken", "status"),
        ("status=failed,broken", "status"),
        ("status=", "status"),
        ("phase=mapping", "phase"),
        ("category=SYSTEM", "category"),
        ("from=yesterday", "from"),
        ("to=2026-13-01T00:00:00Z", "to"),
        ("group=xyz", "group"),
        ("message=", "message"),
        ("sender=", "sender"),
        ("colour=red", "colour"),
        ("status=failed&status=deleted", "status"),
        ("cursor=AAAA", "cursor"),
        ("cursor=", "cursor"),
        ("cursor=%00%ff", "cursor"),
    ] {
        let answer = world.get(&format!("/flows/orders/interchanges?{query}")).await;
        assert_eq!(answer.is_problem(400, "invalid-field")["field"], field, "{query}");
    }
    let page = world.get("/flows/orders/interchanges?limit=1").await.ok();
    let cursor = page["cursor"].as_str().unwrap();
    let altered: String = cursor.chars().rev().collect();
    let longer = format!("{cursor}A");
    for (path, cursor) in [
        ("/flows/orders/interchanges?limit=1", altered.as_str()),
        ("/flows/orders/interchanges?limit=1", longer.as_str()),
        ("/flows/orders/interchanges?limit=1&order=oldest", cursor),
        ("/flows/orders/interchanges?limit=1&status=deleted", cursor),
        ("/flows/orders/interchanges?limit=1&message=timeout", cursor),
        ("/flows/invoices/interchanges?limit=1", cursor),
    ] {
        let answer = world.get(&format!("{path}&cursor={cursor}")).await;
        assert_eq!(answer.is_problem(400, "invalid-field")["field"], "cursor", "{path}");
    }
    // The page size may change between two pages.
    let rest = world.get(&format!("/flows/orders/interchanges?limit=200&cursor={cursor}")).await.ok();
    assert_eq!(rest["items"].as_array().unwrap().len(), 2);
    assert!(rest.get("cursor").is_none());
    before.assert_unchanged(&world, &["a", "d"], "a wrong list").await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_of_resources_and_routes_that_do_not_exist_are_not_found() {
    let world = World::start().await;
    world.report(report("4711", "orders", json!({}))).await;
    for path in [
        "/flows/nobody",
        "/flows/nobody/groups",
        "/interchanges/nobody",
        "/interchanges/nobody/payloads/sender",
        "/jobs/nobody",
    ] {
        world.get(path).await.is_problem(404, "not-found");
    }
    world.post("/jobs/nobody/cancel", json!({})).await.is_problem(404, "not-found");
    let job = json!({ "reason": "all of them", "selection": { "all": true } });
    world.post("/flows/nobody/retry", job).await.is_problem(404, "not-found");
    let side = world.get("/interchanges/4711/payloads/middle").await.is_problem(400, "invalid-field");
    assert_eq!(side["field"], "side");
    for path in ["/flows/a%20b", "/flows/a%20b/groups", "/flows/a%20b/interchanges", "/flows/a%20b/jobs"] {
        assert_eq!(world.get(path).await.is_problem(400, "invalid-field")["field"], "flow", "{path}");
    }
    // The gateway itself refuses routes that do not exist.
    for path in ["/", "/flow", "/flows/orders/restart/now", "/interchanges", "/interchanges/4711/forget", "/jobs"] {
        assert_eq!(world.get(path).await.status, 404, "{path}");
        assert_eq!(world.post(path, because()).await.status, 404, "{path}");
    }
    assert_eq!(world.interchange("4711").await["status"], "failed");
    world.stop().await;
}
