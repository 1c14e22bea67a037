//! The event log over several attempts, partial failures and deletes.

use serde_json::{Value, json};
use tests::{RECEIVER_STAGE, SENDER_STAGE, START, World, report};

use super::{outcome, report_outcome, status, world_with_manual_retries};

#[tokio::test(flavor = "multi_thread")]
async fn an_interchange_keeps_its_id_over_three_attempts_and_its_log_lists_all_events_in_order() {
    let world = World::start().await;
    world.report(report("4711", "orders", json!({ "origin": "Step 3" }))).await;
    world.advance("1m").await;
    let reason = json!({ "reason": "the partner is back" });
    let answered = world.post("/interchanges/4711/retry", reason).await.ok();
    assert_eq!((&answered["status"], &answered["attempt"]), (&json!("waiting_for_retry"), &json!(2)));
    world.advance("1m").await;
    let mapping = json!({ "category": "mapping", "code": "M-17", "message": "no rule for segment FTX" });
    let more = json!({ "attempt": 2, "occurredAt": "2026-11-20T14:02:00Z", "error": mapping, "phase": "processing" });
    world.report(outcome("failed", "4711", more)).await;
    world.advance("1m").await;
    let reason = json!({ "reason": "the mapping has a rule now" });
    world.post("/interchanges/4711/restart", reason).await.ok();
    world.advance("1m").await;
    report_outcome(&world, "in_network", "4711", 3, "03:30").await;
    report_outcome(&world, "completed", "4711", 3, "04:00").await;

    for (queue, attempt) in [(RECEIVER_STAGE, 2), (SENDER_STAGE, 3)] {
        let staged = world.drain(queue).await;
        assert_eq!(
            staged.iter().map(|staged| (staged.id(), staged.attempt())).collect::<Vec<_>>(),
            [("4711", attempt)]
        );
    }
    let interchange = world.interchange("4711").await;
    assert_eq!((&interchange["interchangeId"], &interchange["status"]), (&json!("4711"), &json!("completed")));
    assert_eq!((&interchange["attempt"], &interchange["tries"]), (&json!(3), &json!(2)));
    assert!(interchange.get("nextRetryAt").is_none(), "{interchange}");
    let log: Vec<_> = interchange["events"].as_array().unwrap().iter().map(line).collect();
    assert_eq!(
        log,
        [
            "1 14:00 failed 1 pipeline",
            "2 14:00 retry_scheduled 1 scheduler",
            "3 14:01 retry_requested 2 arn:aws:iam::000000000000:user/local: the partner is back",
            "4 14:02 failed 2 pipeline",
            "5 14:03 restart_requested 3 arn:aws:iam::000000000000:user/local: the mapping has a rule now",
            "6 14:04 in_network 3 pipeline",
            "7 14:04 completed 3 pipeline",
        ]
    );
    let events = &interchange["events"];
    assert_eq!((&events[0]["origin"], &events[0]["phase"]), (&json!("Step 3"), &json!("delivery")));
    assert_eq!(events[1]["nextRetryAt"], "2026-11-20T14:05:00Z");
    assert_eq!(events[3]["error"]["message"], "no rule for segment FTX");
    assert_eq!((&events[4]["trigger"], &events[4]["payload"]["side"]), (&json!("manual"), &json!("sender")));
    assert_eq!(events[6]["occurredAt"], "2026-11-20T14:04:00Z");
    // The retry that was planned for 14:05 is not sent.
    world.advance("2h").await;
    assert_eq!(world.interchange("4711").await, interchange);
    assert_eq!(world.held(RECEIVER_STAGE) + world.held(SENDER_STAGE), 0);
    world.stop().await;
}

/// An event as one line: number, minute, kind, attempt, actor, and the reason if there is one.
fn line(event: &Value) -> String {
    let word = |name: &str| event[name].as_str().unwrap().to_owned();
    let reason = event["reason"].as_str().map(|reason| format!(": {reason}")).unwrap_or_default();
    let minute = word("at")[11..16].to_owned();
    format!("{} {minute} {} {} {}{reason}", event["sequence"], word("kind"), event["attempt"], word("actor"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_after_a_partial_failure_names_the_failed_parts() {
    let world = world_with_manual_retries().await;
    let parts = json!([{ "id": "line-1", "status": "completed" },
                       { "id": "line-3", "status": "failed", "message": "unknown article" },
                       { "id": "Zeile 4 – ü", "status": "failed" }]);
    world.report(report("4711", "orders", json!({ "status": "partially_failed", "parts": parts }))).await;
    let interchange = world.interchange("4711").await;
    assert_eq!((&interchange["status"], &interchange["parts"]), (&json!("partially_failed"), &parts));
    assert_eq!(world.kinds("4711").await, ["partially_failed"]);
    let page = world.get("/flows/orders/interchanges?status=partially_failed").await.ok();
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
    super::retry(&world, "4711").await;
    let staged = world.drain(RECEIVER_STAGE).await;
    assert_eq!(staged[0].reprise["parts"], json!(["line-3", "Zeile 4 – ü"]));
    report_outcome(&world, "completed", "4711", 2, "01:00").await;
    assert_eq!(status(&world, "4711").await, "completed");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_interchange_loses_its_payloads_and_keeps_its_log() {
    let world = world_with_manual_retries().await;
    world.report(report("4711", "orders", json!({}))).await;
    world.post("/interchanges/4711/delete", json!({ "reason": "sent twice" })).await.ok();
    for side in ["sender", "receiver"] {
        let path = format!("/interchanges/4711/payloads/{side}");
        world.get(&path).await.is_problem(404, "not-found");
        world.get(&format!("{path}?revision=1")).await.is_problem(404, "not-found");
    }
    assert_eq!(world.kinds("4711").await, ["failed", "deleted"]);
    let counts = &world.get("/flows/orders").await.ok()["counts"];
    assert_eq!((&counts["failed"], &counts["deleted"]), (&json!(0), &json!(1)));
    // A repeat of the failure does not change the status. A further attempt of the pipeline does, and its payloads are stored.
    world.report(report("4711", "orders", json!({}))).await;
    assert_eq!(status(&world, "4711").await, "deleted");
    let payloads = json!({ "sender": { "body": "sender of 4711" } });
    world.report(report("4711", "orders", json!({ "attempt": 2, "payloads": payloads, "occurredAt": START }))).await;
    assert_eq!(world.kinds("4711").await, ["failed", "deleted", "failed"]);
    assert_eq!(world.get("/interchanges/4711/payloads/sender").await.bytes, b"sender of 4711");
    world.get("/interchanges/4711/payloads/receiver").await.is_problem(404, "not-found");
    world.stop().await;
}
