//! Deadlines without an outcome, and outcomes that arrive after them.

use serde_json::json;
use tests::{RECEIVER_STAGE, World};

use super::{outcome, report_outcome, retried, retry, status, world_with_manual_retries};

async fn silent() -> World {
    let world = World::start().await;
    let confirmation = json!({ "mode": "silent", "within": "10m" });
    world.put("/flows/orders", json!({ "confirmation": confirmation, "retry": { "mode": "manual" } })).await.ok();
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_confirming_flow_an_attempt_without_an_outcome_fails_at_the_deadline() {
    let world = world_with_manual_retries().await;
    for id in ["quiet", "late-success", "late-failure"] {
        retried(&world, id).await;
    }
    world.advance("14m").await;
    assert_eq!(status(&world, "quiet").await, "waiting_for_retry");
    world.advance("2m").await;
    for id in ["quiet", "late-success", "late-failure"] {
        let interchange = world.interchange(id).await;
        assert_eq!((&interchange["status"], &interchange["attempt"]), (&json!("failed"), &json!(2)), "{id}");
        assert_eq!(interchange["error"]["category"], "no_outcome");
        assert_eq!(world.kinds(id).await, ["failed", "retry_requested", "outcome_overdue"]);
    }
    // A later report of the attempt's real outcome counts, at any time.
    report_outcome(&world, "completed", "late-success", 2, "02:00").await;
    assert_eq!(status(&world, "late-success").await, "completed");
    report_outcome(&world, "failed", "late-failure", 2, "02:00").await;
    let interchange = world.interchange("late-failure").await;
    assert_eq!((&interchange["status"], &interchange["error"]["category"]), (&json!("failed"), &json!("system")));
    // The next attempt is the third.
    retry(&world, "quiet").await;
    assert_eq!(world.drain(RECEIVER_STAGE).await.last().unwrap().attempt(), 3);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_outcome_in_time_the_deadline_has_no_effect() {
    let world = world_with_manual_retries().await;
    for (id, kind) in [("done", "completed"), ("on-its-way", "in_network"), ("again", "failed")] {
        retried(&world, id).await;
        report_outcome(&world, kind, id, 2, "01:00").await;
    }
    let before = [world.interchange("done").await, world.interchange("again").await];
    world.advance("2h").await;
    assert_eq!([world.interchange("done").await, world.interchange("again").await], before);
    assert_eq!(status(&world, "on-its-way").await, "in_network");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_silent_flow_an_attempt_without_an_outcome_completes_and_a_later_failure_overrides_that() {
    let world = silent().await;
    for id in ["quiet", "failed-after-all", "confirmed"] {
        retried(&world, id).await;
    }
    world.advance("11m").await;
    for id in ["quiet", "failed-after-all", "confirmed"] {
        assert_eq!(status(&world, id).await, "completed");
        assert_eq!(world.kinds(id).await, ["failed", "retry_requested", "assumed_completed"]);
    }
    report_outcome(&world, "failed", "failed-after-all", 2, "01:00").await;
    assert_eq!(status(&world, "failed-after-all").await, "failed");
    // A reported completion confirms the assumed one. A failure that happened before it has no effect any more.
    report_outcome(&world, "completed", "confirmed", 2, "03:00").await;
    report_outcome(&world, "failed", "confirmed", 2, "02:00").await;
    assert_eq!(status(&world, "confirmed").await, "completed");
    let kinds = world.kinds("confirmed").await;
    assert_eq!(kinds[3..], ["completed", "late_outcome"]);
    let counts = &world.get("/flows/orders").await.ok()["counts"];
    assert_eq!((&counts["failed"], &counts["completed"]), (&json!(1), &json!(2)));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reported_completion_is_overridden_only_by_a_failure_that_happened_later() {
    let world = world_with_manual_retries().await;
    for (id, at, expected) in
        [("before", "01:00", "completed"), ("same", "02:00", "completed"), ("after", "03:00", "failed")]
    {
        retried(&world, id).await;
        report_outcome(&world, "completed", id, 2, "02:00").await;
        report_outcome(&world, "failed", id, 2, at).await;
        assert_eq!(status(&world, id).await, expected, "{id}");
    }
    // Without an attempt in flight, a failure without attempt and time counts as a repeat.
    world.report(outcome("failed", "before", json!({}))).await;
    assert_eq!(status(&world, "before").await, "completed");
    world.stop().await;
}
