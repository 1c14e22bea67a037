//! The trace context of a report is passed on with every message that is sent.

use serde_json::{Value, json};
use tests::{RECEIVER_STAGE, SENDER_STAGE, World, report};

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const LATER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-b7ad6b7169203331-01";

#[tokio::test(flavor = "multi_thread")]
async fn restarts_and_scheduled_retries_and_their_log_lines_carry_the_trace_of_the_report() {
    let world = World::start().await;
    world.report(report("4711", "orders", json!({ "traceparent": TRACE }))).await;
    world.post("/interchanges/4711/restart", json!({ "reason": "mapping is fixed" })).await.ok();
    assert_eq!(world.drain(SENDER_STAGE).await[0].reprise["traceparent"], TRACE);
    // The next attempt fails in another span. From now on that span is passed on.
    let again = json!({ "attempt": 2, "occurredAt": "2026-11-20T14:00:01Z", "traceparent": LATER });
    world.report(report("4711", "orders", again)).await;
    world.advance("6m").await;
    let sent = world.drain(RECEIVER_STAGE).await;
    assert_eq!((&sent[0].reprise["trigger"], &sent[0].reprise["traceparent"]), (&json!("scheduled"), &json!(LATER)));
    // A completion has no trace of its own, but its log line has one.
    world
        .report(json!({ "type": "interchange.completed", "interchangeId": "4711", "flow": "orders", "attempt": 3 }))
        .await;
    let about = |line: &&Value| line["interchangeId"] == "4711";
    let lines = world.log().lines_until(|lines| lines.iter().filter(about).count() == 5).await;
    let traces: Vec<(&str, &str)> = lines
        .iter()
        .filter(about)
        .map(|line| (line["outcome"].as_str().unwrap(), line["traceparent"].as_str().unwrap()))
        .collect();
    assert_eq!(traces, [("failed", TRACE), ("sent", TRACE), ("failed", LATER), ("sent", LATER), ("completed", LATER)]);
    world.stop().await;
}
