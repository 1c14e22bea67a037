//! Log lines: one for each event, with its ids as fields.

use serde_json::{Value, json};
use tests::{World, report};

/// The caller in a stack without an issuer.
const CALLER: &str = "arn:aws:iam::000000000000:user/local";

/// Waits for a line about `id` with the outcome `last`, and returns all lines about `id` in order.
async fn lines_about(world: &World, id: &str, last: &str) -> Vec<Value> {
    let about = |line: &Value| line["interchangeId"] == id;
    let lines = world.log().lines_until(|lines| lines.iter().any(|line| about(line) && line["outcome"] == last)).await;
    lines.into_iter().filter(about).collect()
}

fn outcomes(lines: &[Value]) -> Vec<&str> {
    lines.iter().filter_map(|line| line["outcome"].as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_of_an_interchange_is_logged_with_its_id_flow_and_attempt() {
    let world = World::start().await;
    let ladder = json!({ "retry": { "schedule": { "delays": ["5m"] } } });
    world.put("/flows/orders", ladder).await.ok();
    let failure = report("4711", "orders", json!({}));
    world.report(failure.clone()).await;
    world.report(failure).await;
    world.advance("5m").await;
    world.report(report("4711", "orders", json!({ "attempt": 2, "occurredAt": "2026-11-20T14:05:01Z" }))).await;
    world.post("/interchanges/4711/restart", json!({ "reason": "mapping is fixed" })).await.ok();
    world.post("/interchanges/4711/restart", json!({ "reason": "again" })).await.is_problem(409, "not-failed");
    world
        .report(json!({ "type": "interchange.completed", "interchangeId": "4711", "flow": "orders", "attempt": 3,
            "occurredAt": "2026-11-20T14:06:00Z" }))
        .await;
    let lines = lines_about(&world, "4711", "completed").await;
    let expected = ["failed", "duplicate", "sent", "failed", "sent", "refused", "completed"];
    assert_eq!(outcomes(&lines), expected);
    assert!(lines.iter().all(|line| line["level"] == "INFO" && line["span"]["requestId"].is_string()), "{lines:#?}");

    let expect = |line: &Value, expected: Value| {
        for (name, value) in expected.as_object().unwrap() {
            assert_eq!(&line[name], value, "{name} of {line}");
        }
    };
    expect(
        &lines[0],
        json!({ "flow": "orders", "attempt": 1, "category": "system", "code": "ETIMEDOUT",
        "nextRetryAt": "2026-11-20T14:05:00Z", "exhausted": null }),
    );
    expect(
        &lines[2],
        json!({ "flow": "orders", "attempt": 2, "action": "retry", "trigger": "scheduled",
        "actor": "scheduler" }),
    );
    expect(&lines[3], json!({ "attempt": 2, "exhausted": true, "nextRetryAt": null }));
    expect(&lines[4], json!({ "attempt": 3, "action": "restart", "trigger": "manual", "actor": CALLER }));
    expect(&lines[5], json!({ "why": "not-failed", "action": "restart", "actor": CALLER }));
    let all = lines.iter().map(Value::to_string).collect::<String>();
    assert!(!all.contains("connect timeout") && !all.contains("mapping is fixed"), "{all}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_step_of_a_job_and_every_message_that_it_sends_or_skips_is_logged() {
    let world = World::start().await;
    world.put("/flows/orders", json!({ "retry": { "mode": "manual" } })).await.ok();
    let bare = json!({ "payloads": { "sender": { "body": "UNB+UNOC:3+ACME" } } });
    world.send([report("i-1", "orders", json!({})).to_string(), report("i-2", "orders", bare).to_string()]).await;
    let all = json!({ "reason": "partner is back", "selection": { "all": true } });
    let job = world.post("/flows/orders/retry", all).await.ok()["id"].clone();
    world.settle().await;
    let of_job = |line: &Value| line["job"] == job;
    let lines = world.log().lines_until(|l| l.iter().any(|line| of_job(line) && line["outcome"] == "completed")).await;
    let lines: Vec<Value> = lines.into_iter().filter(of_job).collect();
    // The function that creates the job and the one that runs it log at the same time, so the order varies.
    let mut logged = outcomes(&lines);
    logged.sort_unstable();
    assert_eq!(logged, ["completed", "queued", "running", "sent", "skipped"]);
    let skipped = lines.iter().find(|line| line["outcome"] == "skipped").unwrap();
    assert_eq!((&skipped["interchangeId"], &skipped["why"]), (&json!("i-2"), &json!("no-receiver-payload")));
    let queued = lines.iter().find(|line| line["outcome"] == "queued").unwrap();
    assert_eq!(
        (&queued["action"], &queued["actor"], &queued["flow"]),
        (&json!("retry"), &json!(CALLER), &json!("orders"))
    );
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn configuration_changes_and_payload_reads_are_logged_with_their_caller() {
    let world = World::start().await;
    world.put("/flows/orders", json!({})).await.ok();
    world.report(report("4711", "orders", json!({}))).await;
    assert_eq!(world.get("/interchanges/4711/payloads/sender").await.status, 200);
    let configured = world.log().line(|line| line["outcome"] == "configured").await;
    assert_eq!((&configured["flow"], &configured["actor"]), (&json!("orders"), &json!(CALLER)));
    let read = world.log().line(|line| line["outcome"] == "payload_read").await;
    assert_eq!(
        (&read["interchangeId"], &read["side"], &read["revision"]),
        (&json!("4711"), &json!("sender"), &json!(1))
    );
    world.stop().await;
}
