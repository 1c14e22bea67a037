//! Refused configurations: unknown fields, invalid values and outdated versions.

use serde_json::{Value, json};
use tests::World;

use super::Snapshot;

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_configuration_is_refused_with_the_name_of_the_field() {
    let world = World::start().await;
    let queue = world.queue_arn("orders-dlq");
    let function = "arn:aws:lambda:eu-west-1:000000000000:function:orders";
    let listed = json!({ "deadLetterQueues": [{ "arn": queue }], "functions": [function] });
    world.put("/flows/owner", listed).await.ok();
    world.put("/flows/orders", json!({ "displayName": "Orders" })).await.ok();
    let before = Snapshot::of(&world, &[]).await;
    let schedule = |schedule: Value| json!({ "retry": { "schedule": schedule } });
    for (config, field) in [
        (json!([]), "body"),
        (json!({ "colour": "red" }), "colour"),
        (json!({ "active": "yes" }), "active"),
        (json!({ "displayName": "x".repeat(257) }), "displayName"),
        (json!({ "flow": "invoices" }), "flow"),
        (json!({ "stages": [] }), "stages"),
        (json!({ "stages": { "middle": {} } }), "stages.middle"),
        (json!({ "stages": { "sender": { "queueUrl": "orders" } } }), "stages.sender.queueUrl"),
        (json!({ "stages": { "receiver": {} } }), "stages.receiver.queueUrl"),
        (json!({ "deadLetterQueues": [{ "arn": "orders-dlq" }] }), "deadLetterQueues[0].arn"),
        (json!({ "deadLetterQueues": [{ "arn": queue, "phase": "mapping" }] }), "deadLetterQueues[0].phase"),
        (json!({ "deadLetterQueues": [{ "arn": queue }] }), "deadLetterQueues[0].arn"),
        (json!({ "functions": ["orders"] }), "functions[0]"),
        (json!({ "functions": [format!("{function}-2"), function] }), "functions[1]"),
        (json!({ "confirmation": { "mode": "loud" } }), "confirmation.mode"),
        (json!({ "confirmation": { "within": "0s" } }), "confirmation.within"),
        (json!({ "confirmation": { "within": "soon" } }), "confirmation.within"),
        (json!({ "retry": { "mode": "sometimes" } }), "retry.mode"),
        (json!({ "retry": { "jitter": 1.5 } }), "retry.jitter"),
        (json!({ "retry": { "categories": ["weather"] } }), "retry.categories[0]"),
        (json!({ "retry": { "categories": ["system", "system"] } }), "retry.categories[1]"),
        (json!({ "retry": { "action": "delete" } }), "retry.action"),
        (json!({ "retry": { "tries": 3 } }), "retry.tries"),
        (schedule(json!({ "kind": "cron" })), "retry.schedule.kind"),
        (schedule(json!({ "kind": "ladder", "delays": [] })), "retry.schedule.delays"),
        (schedule(json!({ "kind": "ladder", "delays": ["5m", "59s"] })), "retry.schedule.delays[1]"),
        (schedule(json!({ "kind": "ladder", "delays": ["366d"] })), "retry.schedule.delays[0]"),
        (schedule(json!({ "kind": "ladder", "delays": [5] })), "retry.schedule.delays[0]"),
        (schedule(json!({ "kind": "ladder", "interval": 2 })), "retry.schedule.interval"),
        (schedule(json!({ "kind": "exponential", "factor": 2, "cap": "60m" })), "retry.schedule.first"),
        (
            schedule(json!({ "kind": "exponential", "first": "5m", "factor": 0.5, "cap": "60m" })),
            "retry.schedule.factor",
        ),
        (schedule(json!({ "kind": "exponential", "first": "5m", "factor": 2, "cap": "1m" })), "retry.schedule.cap"),
        (schedule(json!({ "kind": "window", "every": "week" })), "retry.schedule.every"),
        (schedule(json!({ "kind": "window", "every": "hour", "interval": 24 })), "retry.schedule.interval"),
        (schedule(json!({ "kind": "window", "every": "hour", "interval": 0 })), "retry.schedule.interval"),
        (schedule(json!({ "kind": "window", "every": "day", "at": "6:30" })), "retry.schedule.at"),
        (
            schedule(json!({ "kind": "window", "every": "day", "at": "06:30", "timezone": "Mars/Olympus" })),
            "retry.schedule.timezone",
        ),
        (schedule(json!({ "kind": "window", "every": "hour", "batch": 0 })), "retry.schedule.batch"),
        (json!({ "partners": { "GLOBEX": {} } }), "partners.GLOBEX.retry"),
        (json!({ "partners": { "GLOBEX": { "stages": {} } } }), "partners.GLOBEX.stages"),
        (json!({ "partners": { "GLOBEX": { "retry": { "mode": "never" } } } }), "partners.GLOBEX.retry.mode"),
    ] {
        for flow in ["orders", "new"] {
            // `flow` may only repeat the path.
            let answer = world.put(&format!("/flows/{flow}"), config.clone()).await;
            assert_eq!(answer.is_problem(400, "invalid-field")["field"], field, "{config}");
        }
    }
    for name in ["a%20b", "a%2Fb", &"x".repeat(65)] {
        let problem = world.put(&format!("/flows/{name}"), json!({})).await.is_problem(400, "invalid-field");
        assert_eq!(problem["field"], "flow");
    }
    world.get("/flows/new").await.is_problem(404, "not-found");
    before.assert_unchanged(&world, &[], "a wrong configuration").await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_replaces_only_the_version_in_if_match() {
    let world = World::start().await;
    let problem = world.put_if_match("/flows/orders", "\"3\"", json!({})).await.is_problem(412, "version-mismatch");
    assert_eq!(problem["version"], 0);
    world.get("/flows/orders").await.is_problem(404, "not-found");
    let created = world.put("/flows/orders", json!({ "displayName": "Orders" })).await;
    let first = created.etag.clone().expect("a version");
    assert_eq!(first, format!("\"{}\"", created.ok()["version"]));
    let second = world.put_if_match("/flows/orders", &first, json!({ "displayName": "Orders in" })).await;
    assert_ne!(second.etag.as_ref(), Some(&first));
    let before = Snapshot::of(&world, &[]).await;
    let stale = world.put_if_match("/flows/orders", &first, json!({ "displayName": "Late" })).await;
    let problem = stale.is_problem(412, "version-mismatch");
    assert_eq!(problem["version"], second.ok()["version"]);
    for wrong in
        ["latest", "+1", "\"1", "1\"", "\"\"1\"\"", "\"", "\"\"", "-0", "W/\"1\"", "1.0", "99999999999999999999"]
    {
        let answer = world.put_if_match("/flows/orders", wrong, json!({ "displayName": "Late" })).await;
        assert_eq!(answer.is_problem(400, "invalid-field")["field"], "If-Match", "{wrong}");
    }
    before.assert_unchanged(&world, &[], "a stale configuration").await;
    // A configuration that was read can be changed and stored again.
    let shown = world.get("/flows/orders").await;
    let version = shown.etag.clone().expect("a version");
    let mut config = shown.ok();
    config["active"] = false.into();
    let stored = world.put_if_match("/flows/orders", &version, config).await.ok();
    assert_eq!((&stored["displayName"], &stored["active"]), (&json!("Orders in"), &json!(false)));
    world.stop().await;
}
