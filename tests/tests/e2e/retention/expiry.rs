//! Expiry without crashes and races.

use serde_json::json;
use tests::{RECEIVER_STAGE, World, report};

use super::{Item, act, all_expire, completed, failed, items, large, manual_flow, none_expires};

#[tokio::test(flavor = "multi_thread")]
async fn all_items_of_a_completed_interchange_expire_together_and_none_after_a_later_failure() {
    let world = World::start().await;
    manual_flow(&world).await;
    world.report(large("o-1", 1)).await;
    act(&world, "retry", "o-1").await;
    assert!(none_expires(&world, "o-1"));
    world.report(completed("o-1", 2, "2026-11-20T14:05:00Z")).await;
    let kept = items(&world, "o-1");
    assert!(
        kept.iter().any(Item::holds_a_payload) && kept.iter().any(Item::is_of_the_log),
        "there is a payload and a log to expire"
    );
    let at = kept[0].expires();
    assert!(at.is_some() && kept.iter().all(|item| item.expires() == at), "all items expire at the same time");

    world.report(failed("o-1", 3, "2026-11-20T14:10:00Z")).await;
    assert!(none_expires(&world, "o-1"), "what is unresolved never expires");
    act(&world, "retry", "o-1").await;
    world.report(completed("o-1", 4, "2026-11-20T14:15:00Z")).await;
    assert!(all_expire(&world, "o-1"));
    let kinds = ["failed", "retry_requested", "completed", "failed", "retry_requested", "completed"];
    assert_eq!(world.kinds("o-1").await, kinds);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_report_about_a_resolved_interchange_does_not_change_its_expiry() {
    let world = World::start().await;
    manual_flow(&world).await;
    world.report(large("o-1", 1)).await;
    act(&world, "retry", "o-1").await;
    world.report(completed("o-1", 2, "2026-11-20T14:05:00Z")).await;
    world.advance("1d").await;
    let late = json!({ "type": "interchange.completed", "attempt": 1, "occurredAt": "2026-11-20T14:01:00Z" });
    world.report(report("o-1", "orders", late)).await;
    assert_eq!(world.kinds("o-1").await.last().unwrap(), "late_outcome");
    let kept = items(&world, "o-1");
    assert!(kept.iter().all(|item| item.expires() == kept[0].expires()), "the log expires with the head");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interchange_with_an_assumed_completion_expires_too() {
    let world = World::start().await;
    let silent = json!({ "mode": "silent", "within": "10m" });
    world.put("/flows/orders", json!({ "confirmation": silent, "retry": { "mode": "manual" } })).await.ok();
    let ids = ["o-1", "o-2", "o-3"];
    for id in ids {
        world.report(large(id, 1)).await;
        act(&world, "retry", id).await;
    }
    world.advance("11m").await;
    for id in ids {
        assert_eq!(world.interchange(id).await["status"], "completed");
        assert!(all_expire(&world, id), "{id}");
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_of_many_items_is_in_order_and_expires_completely() {
    let world = World::start().await;
    manual_flow(&world).await;
    world.report(large("o-1", 1)).await;
    for attempt in 2..32 {
        act(&world, "retry", "o-1").await;
        world.report(failed("o-1", attempt, &format!("2026-11-20T15:{attempt:02}:00Z"))).await;
    }
    act(&world, "retry", "o-1").await;
    assert_eq!(world.drain(RECEIVER_STAGE).await.last().unwrap().attempt(), 32);
    world.report(completed("o-1", 32, "2026-11-20T16:00:00Z")).await;

    let log = items(&world, "o-1").into_iter().filter(Item::is_of_the_log).count();
    assert!(
        (11..=40).contains(&log),
        "{log} items for 63 events: an item holds several events, up to its maximum size"
    );
    assert!(all_expire(&world, "o-1"));
    let interchange = world.interchange("o-1").await;
    let sequences = interchange["events"].as_array().unwrap().iter().map(|event| event["sequence"].as_u64().unwrap());
    assert!(sequences.eq(1..=63), "each event is there exactly once");
    world.stop().await;
}
