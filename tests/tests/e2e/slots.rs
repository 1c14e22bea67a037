//! Slots: all retries of one minute are sent once, by one schedule, whatever happens to the schedule.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::{RECEIVER_STAGE, SENDER_STAGE, START, StageMessage, World, report};

const SCHEDULED_RETRY: &str = "reprise-scheduled-retry";

fn failures(flow: &str, count: usize) -> Vec<String> {
    (0..count).map(|n| report(&format!("{flow}-{n}"), flow, json!({})).to_string()).collect()
}

/// The one-time schedules of the stack, without the recurring ones of the sweeps.
async fn schedules(world: &World) -> Vec<String> {
    let mut pages = world.scheduler.list_schedules().group_name("reprise").into_paginator().items().send();
    let mut names = Vec::new();
    while let Some(schedule) = pages.next().await {
        names.push(schedule.unwrap().name().unwrap().to_owned());
    }
    names.retain(|name| !name.starts_with("reprise-sweep"));
    names.sort();
    names
}

/// Invokes scheduled-retry with the event of a slot's schedule.
async fn fire(world: &World, flow: &str, minute: &str) {
    let event = json!({ "slot": { "flow": flow, "minute": minute } });
    world.stack.invoke(SCHEDULED_RETRY, event.to_string()).await.expect("scheduled-retry succeeds");
}

fn ids(staged: &[StageMessage]) -> BTreeSet<&str> {
    staged.iter().map(StageMessage::id).collect()
}

fn last_kind(kinds: &[String]) -> &str {
    kinds.last().map_or("", String::as_str)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_creates_one_schedule_for_each_flow_and_minute() {
    let world = World::start().await;
    world.send(failures("orders", 250).into_iter().chain(failures("invoices", 120))).await;
    let later = json!({ "retryAfter": "6m" });
    world.report(report("late", "orders", later)).await;
    assert_eq!(
        schedules(&world).await,
        ["20261120T1405-invoices", "20261120T1405-orders", "20261120T1406-orders"],
        "370 failures in one minute, and one with a later `retryAfter`"
    );
    world.advance("5m").await;
    let sent = world.drain(RECEIVER_STAGE).await;
    assert_eq!((sent.len(), ids(&sent).len()), (370, 370));
    assert!(sent.iter().all(|staged| staged.attempt() == 2 && staged.reprise["trigger"] == "scheduled"));
    assert!(
        !schedules(&world).await.iter().any(|name| name.contains("T1405")),
        "the schedule was not deleted after it fired"
    );
    world.advance("1m").await;
    assert_eq!(ids(&world.drain(RECEIVER_STAGE).await), BTreeSet::from(["late"]));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sweep_sends_the_messages_of_a_lost_schedule() {
    let world = World::start().await;
    world.send(failures("orders", 150)).await;
    let [name] = &schedules(&world).await[..] else { panic!("one schedule was expected") };
    world.scheduler.delete_schedule().group_name("reprise").name(name).send().await.unwrap();
    world.advance("5m").await;
    assert!(world.drain(RECEIVER_STAGE).await.is_empty(), "the slot was sent without its schedule");
    world.advance("15m").await;
    let sent = world.drain(RECEIVER_STAGE).await;
    assert_eq!((sent.len(), ids(&sent).len()), (150, 150));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_that_fires_again_sends_nothing_twice() {
    let world = World::start().await;
    world.send(failures("orders", 120)).await;
    world.advance("5m").await;
    assert_eq!(world.drain(RECEIVER_STAGE).await.len(), 120);
    for _ in 0..2 {
        fire(&world, "orders", "2026-11-20T14:05:00Z").await;
    }
    world.settle().await;
    assert!(world.drain(RECEIVER_STAGE).await.is_empty());
    assert_eq!(world.interchange("orders-7").await["tries"], 1);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_for_a_later_slot_and_for_a_slot_that_does_not_exist_have_no_effect() {
    let world = World::start().await;
    world.send(failures("orders", 3)).await;
    fire(&world, "orders", "2026-11-20T15:05:00Z").await;
    fire(&world, "nobody", "2026-11-20T14:05:00Z").await;
    world.settle().await;
    assert!(world.drain(RECEIVER_STAGE).await.is_empty());
    world.advance("5m").await;
    assert_eq!(world.drain(RECEIVER_STAGE).await.len(), 3);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_skips_messages_that_were_handled_manually_before() {
    let world = World::start().await;
    world.send(failures("orders", 4)).await;
    let by_hand = json!({ "reason": "the partner is up again" });
    world.post("/interchanges/orders-0/retry", by_hand.clone()).await.ok();
    world.post("/interchanges/orders-1/restart", by_hand.clone()).await.ok();
    world.post("/interchanges/orders-2/delete", by_hand).await.ok();
    assert_eq!(world.drain(RECEIVER_STAGE).await.len(), 1);
    assert_eq!(world.drain(SENDER_STAGE).await.len(), 1);
    world.advance("5m").await;
    let sent = world.drain(RECEIVER_STAGE).await;
    assert_eq!(ids(&sent), BTreeSet::from(["orders-3"]), "only the message that was not handled manually");
    assert!(world.drain(SENDER_STAGE).await.is_empty());
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_that_left_its_slot_and_returned_to_it_is_sent_once() {
    let world = World::start().await;
    world.send(failures("orders", 1)).await;
    world.post("/interchanges/orders-0/retry", json!({ "reason": "once more" })).await.ok();
    assert_eq!(world.drain(RECEIVER_STAGE).await.len(), 1);
    world.report(report("orders-0", "orders", json!({ "attempt": 2 }))).await;
    assert_eq!(
        world.interchange("orders-0").await["nextRetryAt"],
        "2026-11-20T14:05:00Z",
        "the first delay of the ladder, counted from the failure"
    );
    world.advance("5m").await;
    let sent = world.drain(RECEIVER_STAGE).await;
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert_eq!(sent[0].attempt(), 3);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inactive_flow_holds_what_is_due_and_activation_releases_it() {
    let world = World::start().await;
    world.send(failures("orders", 130)).await;
    world.put("/flows/orders", json!({ "active": false })).await.ok();
    world.advance("2h").await;
    assert!(world.drain(RECEIVER_STAGE).await.is_empty());
    let held = world.interchange("orders-0").await;
    assert_eq!((&held["status"], &held["tries"]), (&json!("failed"), &json!(0)));
    world.put("/flows/orders", json!({ "active": true })).await.ok();
    world.settle().await;
    let sent = world.drain(RECEIVER_STAGE).await;
    assert_eq!((sent.len(), ids(&sent).len()), (130, 130));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_a_confirming_flow_fails_again_without_an_outcome_at_the_deadline() {
    let world = World::start().await;
    world.send(failures("orders", 2)).await;
    world.advance("5m").await;
    assert_eq!(world.drain(RECEIVER_STAGE).await.len(), 2);
    world.report(json!({ "type": "interchange.completed", "interchangeId": "orders-0", "flow": "orders" })).await;
    world.advance("14m").await;
    assert_eq!(world.interchange("orders-1").await["status"], "waiting_for_retry");
    world.advance("1m").await;
    let silent = world.interchange("orders-1").await;
    assert_eq!(silent["status"], "failed");
    assert_eq!(silent["error"]["category"], "no_outcome");
    assert_eq!(silent["nextRetryAt"], "2026-11-20T14:30:00Z", "ten minutes after it counted as failed");
    let kinds = world.kinds("orders-1").await;
    assert_eq!(kinds, ["failed", "retry_scheduled", "retry_requested", "outcome_overdue", "retry_scheduled"]);
    assert_eq!(world.interchange("orders-0").await["status"], "completed");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_a_silent_flow_completes_without_an_outcome_at_the_deadline() {
    let world = World::start().await;
    let silent = json!({ "active": true, "confirmation": { "mode": "silent", "within": "30m" } });
    world.put("/flows/orders", silent).await.ok();
    world.send(failures("orders", 2)).await;
    world.advance("5m").await;
    assert_eq!(world.drain(RECEIVER_STAGE).await.len(), 2);
    world.report(report("orders-1", "orders", json!({ "attempt": 2, "occurredAt": null }))).await;
    world.advance("30m").await;
    let completed = world.interchange("orders-0").await;
    assert_eq!(completed["status"], "completed");
    assert_eq!(last_kind(&world.kinds("orders-0").await), "assumed_completed");
    let failed = world.interchange("orders-1").await;
    assert_eq!(failed["tries"], 2, "the one that failed was retried: {failed}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mapping_and_validation_errors_are_not_retried_automatically() {
    let world = World::start().await;
    for category in ["mapping", "validation"] {
        let error = json!({ "error": { "category": category, "message": "segment BGM is missing" } });
        world.report(report(category, "orders", error)).await;
    }
    assert!(schedules(&world).await.is_empty());
    world.advance("72h").await;
    for id in ["mapping", "validation"] {
        let waiting = world.interchange(id).await;
        assert_eq!(waiting["status"], "failed");
        assert_eq!(waiting.get("nextRetryAt"), None, "{waiting}");
    }
    assert!(world.drain(RECEIVER_STAGE).await.is_empty());
    let retried = world.post("/interchanges/mapping/retry", json!({ "reason": "the map is corrected" })).await.ok();
    assert_eq!(retried["status"], "waiting_for_retry");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_can_have_its_own_retry_policy() {
    let world = World::start().await;
    let config = json!({ "active": true, "partners": {
        "GLOBEX": { "retry": { "mode": "automatic", "schedule": { "kind": "ladder", "delays": ["2h"] } } },
        "ACME": { "retry": { "mode": "manual" } } } });
    world.put("/flows/orders", config).await.ok();
    for partner in ["GLOBEX", "ACME", "INITECH"] {
        world.report(report(partner, "orders", json!({ "partner": partner }))).await;
    }
    let next = async |id: &str| world.interchange(id).await.get("nextRetryAt").cloned();
    assert_eq!(next("GLOBEX").await, Some(json!("2026-11-20T16:00:00Z")));
    assert_eq!(next("ACME").await, None);
    assert_eq!(next("INITECH").await, Some(json!("2026-11-20T14:05:00Z")));
    world.advance("5m").await;
    assert_eq!(ids(&world.drain(RECEIVER_STAGE).await), BTreeSet::from(["INITECH"]));
    world.report(completed("INITECH")).await;
    world.advance("2h").await;
    assert_eq!(ids(&world.drain(RECEIVER_STAGE).await), BTreeSet::from(["GLOBEX"]));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_that_is_reported_late_is_scheduled_in_the_near_future_and_not_in_the_past() {
    let world = World::start().await;
    world.report(report("old", "orders", json!({ "occurredAt": "2026-11-19T14:00:00Z" }))).await;
    let interchange = world.interchange("old").await;
    assert!(interchange["nextRetryAt"].as_str().is_some_and(|at| at >= START), "{interchange}");
    world.advance("20m").await;
    let sent = world.drain(RECEIVER_STAGE).await;
    assert_eq!(sent.len(), 1);
    world.stop().await;
}

fn completed(id: &str) -> Value {
    json!({ "type": "interchange.completed", "interchangeId": id, "flow": "orders" })
}
