//! Repeated outcomes, outcomes in the wrong order, late outcomes and outcomes of later attempts.

use serde_json::json;
use tests::{FAILURES, RECEIVER_STAGE, START, World, report};

use super::{outcome, report_outcome, retried, retry, status, world_with_manual_retries};

#[tokio::test(flavor = "multi_thread")]
async fn the_same_report_five_times_is_one_failure_and_one_event() {
    let world = World::start().await;
    let same = report("4711", "orders", json!({})).to_string();
    // Three in one batch, and two more one after the other.
    world.send([same.clone(), same.clone(), same.clone()]).await;
    let once = world.interchange("4711").await;
    world.send([same.clone()]).await;
    world.advance("30s").await;
    world.send([same]).await;
    assert_eq!(world.interchange("4711").await, once);
    assert_eq!(world.kinds("4711").await, ["failed", "retry_scheduled"]);
    let counts = &world.get("/flows/orders").await.ok()["counts"];
    assert_eq!(counts["failed"], 1);
    assert_eq!(world.get("/flows/orders/groups").await.ok()["items"][0]["count"], 1);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_outcomes_of_one_attempt_have_the_same_result_in_either_order_of_arrival() {
    let world = world_with_manual_retries().await;
    // Each case: two outcomes with their times by the pipeline's clock, and the resulting status.
    let cases = [
        (("in_network", "01:00"), ("completed", "02:00"), "completed"),
        (("failed", "01:00"), ("completed", "02:00"), "completed"),
        (("completed", "01:00"), ("failed", "02:00"), "failed"),
        (("in_network", "01:00"), ("failed", "02:00"), "failed"),
    ];
    for (case, (first, second, expected)) in cases.into_iter().enumerate() {
        for (order, [one, other]) in [[first, second], [second, first]].into_iter().enumerate() {
            let id = format!("case-{case}-{order}");
            retried(&world, &id).await;
            for _ in 0..2 {
                report_outcome(&world, one.0, &id, 2, one.1).await;
                report_outcome(&world, other.0, &id, 2, other.1).await;
            }
            assert_eq!(status(&world, &id).await, expected, "{one:?} then {other:?}");
            let kinds = world.kinds(&id).await;
            assert_eq!(kinds.len(), 4, "each outcome is one event: {kinds:?}");
        }
    }
    world.drain(RECEIVER_STAGE).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn outcomes_in_one_batch_have_the_same_result_as_separate_ones() {
    let world = world_with_manual_retries().await;
    for id in ["rising", "falling"] {
        retried(&world, id).await;
    }
    let at = |id, kind, time| outcome(kind, id, json!({ "attempt": 2, "occurredAt": time })).to_string();
    world
        .send([
            at("rising", "in_network", "2026-11-20T14:01:00Z"),
            at("falling", "completed", "2026-11-20T14:02:00Z"),
            at("rising", "completed", "2026-11-20T14:02:00Z"),
            at("falling", "in_network", "2026-11-20T14:01:00Z"),
        ])
        .await;
    assert_eq!(world.kinds("rising").await, ["failed", "retry_requested", "in_network", "completed"]);
    assert_eq!(world.kinds("falling").await, ["failed", "retry_requested", "completed", "late_outcome"]);
    assert_eq!(status(&world, "falling").await, "completed");
    assert_eq!(world.get("/flows/orders").await.ok()["counts"]["completed"], 2);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_of_an_older_attempt_is_logged_once_as_late_and_changes_no_status() {
    let world = world_with_manual_retries().await;
    retried(&world, "4711").await;
    for _ in 0..2 {
        // The first report is a known one and is not logged. The second is new and is logged as late.
        report_outcome(&world, "failed", "4711", 1, "00:00").await;
        report_outcome(&world, "completed", "4711", 1, "03:00").await;
    }
    assert_eq!(status(&world, "4711").await, "waiting_for_retry");
    assert_eq!(world.kinds("4711").await, ["failed", "retry_requested", "late_outcome"]);
    let event = world.interchange("4711").await["events"][2].clone();
    assert_eq!((&event["attempt"], &event["outcome"]), (&json!(1), &json!("completed")));
    assert_eq!(event["occurredAt"], "2026-11-20T14:03:00Z");
    report_outcome(&world, "completed", "4711", 2, "04:00").await;
    assert_eq!(status(&world, "4711").await, "completed");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_of_a_later_attempt_than_the_known_one_is_accepted() {
    let world = world_with_manual_retries().await;
    retried(&world, "4711").await;
    report_outcome(&world, "failed", "4711", 5, "05:00").await;
    let interchange = world.interchange("4711").await;
    assert_eq!((&interchange["status"], &interchange["attempt"]), (&json!("failed"), &json!(5)));
    assert_eq!(interchange["tries"], 1, "Reprise sent it once: {interchange}");
    retry(&world, "4711").await;
    assert_eq!(world.drain(RECEIVER_STAGE).await.last().unwrap().attempt(), 6);
    // The pipeline may make further attempts itself, even after a delete.
    report_outcome(&world, "failed", "4711", 6, "06:00").await;
    world.post("/interchanges/4711/delete", json!({ "reason": "sent twice" })).await.ok();
    report_outcome(&world, "completed", "4711", 6, "07:00").await;
    assert_eq!(status(&world, "4711").await, "deleted");
    report_outcome(&world, "completed", "4711", 7, "08:00").await;
    assert_eq!(status(&world, "4711").await, "completed");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_without_attempt_is_about_the_attempt_in_flight_unless_it_was_queued_before_the_send() {
    let world = world_with_manual_retries().await;
    world.report(report("4711", "orders", json!({}))).await;
    // It is queued now and delivered when the next attempt is in flight.
    let early = outcome("failed", "4711", json!({})).to_string();
    let call = world.sqs.send_message().queue_url(world.queue_url(FAILURES)).message_body(&early);
    call.delay_seconds(60).send().await.unwrap();
    world.advance("10s").await;
    retry(&world, "4711").await;
    world.advance("60s").await;
    assert_eq!(world.held(FAILURES), 0);
    assert_eq!(status(&world, "4711").await, "waiting_for_retry");
    assert_eq!(world.kinds("4711").await, ["failed", "retry_requested"]);
    // The same report, queued after the attempt was sent, is its outcome.
    world.send([early]).await;
    let interchange = world.interchange("4711").await;
    assert_eq!((&interchange["status"], &interchange["attempt"]), (&json!("failed"), &json!(2)));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_without_attempt_and_with_nothing_in_flight_is_a_repeat_unless_it_happened_later() {
    let world = world_with_manual_retries().await;
    world.report(report("4711", "orders", json!({ "attempt": null }))).await;
    let once = world.interchange("4711").await;
    assert_eq!(once["attempt"], 1);
    world.report(outcome("failed", "4711", json!({}))).await;
    world.report(outcome("failed", "4711", json!({ "occurredAt": START }))).await;
    world.report(outcome("completed", "4711", json!({}))).await;
    assert_eq!(world.interchange("4711").await, once);
    world.report(outcome("failed", "4711", json!({ "occurredAt": "2026-11-20T14:01:00Z" }))).await;
    let later = world.interchange("4711").await;
    assert_eq!((&later["attempt"], &later["failedAt"]), (&json!(1), &json!("2026-11-20T14:01:00Z")));
    assert_eq!(world.kinds("4711").await, ["failed", "failed"]);
    world.report(outcome("completed", "4711", json!({ "occurredAt": "2026-11-20T14:02:00Z" }))).await;
    assert_eq!(status(&world, "4711").await, "completed");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_after_a_reported_completion_counts_even_if_the_attempt_failed_before() {
    let world = world_with_manual_retries().await;
    for (kind, time) in [("failed", "00:00"), ("completed", "05:00"), ("failed", "00:00"), ("failed", "10:00")] {
        report_outcome(&world, kind, "4711", 1, time).await;
    }
    assert_eq!(world.kinds("4711").await, ["failed", "completed", "failed"]);
    let shown = world.interchange("4711").await;
    assert_eq!((&shown["status"], &shown["failedAt"]), (&json!("failed"), &json!("2026-11-20T14:10:00Z")));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_that_fails_without_a_phase_failed_in_delivery() {
    let world = world_with_manual_retries().await;
    retried(&world, "4711").await;
    world.report(outcome("failed", "4711", json!({ "attempt": 2 }))).await;
    assert_eq!(world.interchange("4711").await["phase"], "delivery");
    world.stop().await;
}
