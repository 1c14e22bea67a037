//! Plans of configurations: nothing is stored, and the shown retries are those that run later.

use serde_json::{Value, json};
use tests::{RECEIVER_STAGE, World, report};

/// The times at which the scheduler sent it.
async fn sent_at(world: &World, id: &str) -> Vec<Value> {
    let events = world.interchange(id).await["events"].clone();
    let events = events.as_array().cloned().unwrap_or_default();
    let scheduled = events.into_iter().filter(|event| event["trigger"] == "scheduled");
    scheduled.map(|event| event["at"].clone()).collect()
}

/// Reports a failure now and after each retry, until the interchange is exhausted.
async fn fail_to_the_end(world: &World, id: &str, more: Value) {
    let mut attempt = 1;
    loop {
        let mut failure = report(id, "orders", more.clone());
        failure["attempt"] = json!(attempt);
        failure["occurredAt"] = json!(world.stack.aws().clock().now().to_string());
        world.report(failure).await;
        let interchange = world.interchange(id).await;
        let Some(next) = interchange["nextRetryAt"].as_str() else {
            assert_eq!(interchange["exhausted"], true, "{interchange}");
            return;
        };
        let next: jiff::Timestamp = next.parse().expect("a time");
        let seconds = next.duration_since(world.stack.aws().clock().now()).as_millis() as u64 / 1000;
        world.advance(&format!("{seconds}s")).await;
        world.drain(RECEIVER_STAGE).await;
        attempt += 1;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_shows_the_retries_that_run_later_for_every_kind_of_schedule() {
    let schedules = [
        json!({ "kind": "ladder", "delays": ["3m", "90s", "26h"] }),
        json!({ "kind": "exponential", "first": "7m", "factor": 2.5, "cap": "3h", "limit": 5 }),
        json!({ "kind": "window", "every": "hour", "interval": 5, "lapse": "20m", "limit": 3 }),
        json!({ "kind": "window", "every": "day", "at": "06:30", "timezone": "Europe/Oslo", "limit": 3 }),
    ];
    let world = World::start().await;
    for (i, schedule) in schedules.into_iter().enumerate() {
        world.advance("17m").await;
        let policy = json!({ "retry": { "schedule": schedule } });
        let flow = json!({ "confirmation": { "within": "48h" }, "retry": { "mode": "manual" },
            "partners": { "GLOBEX": policy } });
        let plan = world.put("/flows/orders?plan=true", flow.clone()).await.ok();
        world.put("/flows/orders", flow).await.ok();
        let id = format!("i-{i}");
        fail_to_the_end(&world, &id, json!({ "partner": "GLOBEX" })).await;
        let shown = &plan["retries"]["partners"]["GLOBEX"];
        assert_eq!(json!(sent_at(&world, &id).await), shown["times"], "{plan}");
        assert_eq!(shown["exhausted"], true);
        assert_eq!(plan["retries"]["default"]["times"], json!([]));
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_stores_nothing_and_can_be_applied_with_its_version() {
    let world = World::start().await;
    let by_hand = json!({ "retry": { "mode": "manual" } });
    world.put("/flows/orders?plan=true", by_hand.clone()).await.ok();
    world.get("/flows/orders").await.is_problem(404, "not-found");
    let stored = world.put("/flows/orders", json!({ "displayName": "Orders" })).await.ok();
    let before = world.get("/flows/orders").await.ok();

    let answer = world.put("/flows/orders?plan=true&reschedule=true", by_hand.clone()).await;
    let etag = answer.etag.clone().expect("the current version");
    let plan = answer.ok();
    assert_eq!((&plan["retry"]["mode"], &plan["version"]), (&json!("manual"), &stored["version"]));
    assert_eq!(plan.get("job"), None);
    assert_eq!(world.get("/flows/orders").await.ok(), before);
    assert_eq!(world.get("/flows/orders/jobs").await.ok()["items"], json!([]));

    world.put_if_match("/flows/orders", &etag, plan).await.ok();
    world.put_if_match("/flows/orders?plan=true", &etag, by_hand).await.is_problem(412, "version-mismatch");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_refused_for_the_same_reasons_as_the_put() {
    let world = World::start().await;
    let arn = "arn:aws:sqs:eu-west-1:000000000000:orders-dlq";
    let claims = json!({ "deadLetterQueues": [{ "arn": arn }] });
    world.put("/flows/orders", claims.clone()).await.ok();
    let bad = [
        (json!({ "retry": { "schedule": { "kind": "ladder", "delays": [] } } }), "retry.schedule.delays"),
        (
            json!({ "retry": { "schedule": { "kind": "window", "every": "hour", "interval": 24 } } }),
            "retry.schedule.interval",
        ),
        (json!({ "retries": {}, "nonsense": 1 }), "nonsense"),
        (claims, "deadLetterQueues[0].arn"),
    ];
    for (body, field) in bad {
        let put = world.put("/flows/invoices", body.clone()).await.is_problem(400, "invalid-field");
        let plan = world.put("/flows/invoices?plan=true", body).await.is_problem(400, "invalid-field");
        assert_eq!(plan["field"], field);
        assert_eq!(plan, put);
    }
    for (query, field) in
        [("plan=yes", "plan"), ("plan=true&category=sytem", "category"), ("plan=true&phase=x", "phase")]
    {
        let problem = world.put(&format!("/flows/invoices?{query}"), json!({})).await.is_problem(400, "invalid-field");
        assert_eq!(problem["field"], field);
    }
    let mapping = world.put("/flows/invoices?plan=true&category=mapping&phase=processing", json!({})).await.ok();
    assert_eq!(
        (&mapping["retries"]["category"], &mapping["retries"]["phase"]),
        (&json!("mapping"), &json!("processing"))
    );
    assert_eq!(mapping["retries"]["default"]["times"], json!([]));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interchange_shows_the_number_of_its_next_retry_the_limit_and_the_policy() {
    let world = World::start().await;
    let ladder = json!({ "retry": { "schedule": { "delays": ["5m", "10m", "1h"] } } });
    world.put("/flows/orders", json!({ "partners": { "GLOBEX": ladder } })).await.ok();
    world.report(report("4711", "orders", json!({ "partner": "GLOBEX" }))).await;
    world.advance("5m").await;
    let again = json!({ "attempt": 2, "occurredAt": "2026-11-20T14:05:00Z", "partner": "GLOBEX" });
    world.report(report("4711", "orders", again)).await;
    let next = json!({ "at": "2026-11-20T14:15:00Z", "number": 2, "of": 3, "kind": "ladder", "partner": "GLOBEX",
        "action": "retry" });
    assert_eq!(world.interchange("4711").await["nextRetry"], next);
    world.stop().await;
}
