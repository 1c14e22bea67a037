//! Windows with a batch limit, rescheduling, and bursts.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::{RECEIVER_STAGE, World, report};

/// A configuration with a window. Its deadline is two days, so that only retries fall due.
fn window(batch: u32) -> Value {
    json!({ "confirmation": { "within": "48h" }, "retry": { "schedule": { "kind": "window", "every": "hour", "interval": 1, "lapse": "20m", "batch": batch } } })
}

fn ids(staged: &[tests::StageMessage]) -> Vec<String> {
    let mut ids: Vec<String> = staged.iter().map(|staged| staged.id().to_owned()).collect();
    ids.sort();
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_takes_the_oldest_messages_up_to_its_batch_limit_and_the_rest_wait_for_the_next_runs() {
    let world = World::start().await;
    world.put("/flows/orders", window(2)).await.ok();
    let reports = (0..5).map(|i| {
        report(&format!("i-{i}"), "orders", json!({ "occurredAt": format!("2026-11-20T14:00:0{i}Z") })).to_string()
    });
    world.advance("10s").await;
    world.send(reports).await;
    assert_eq!(world.interchange("i-4").await["nextRetryAt"], "2026-11-20T15:00:00Z");
    for (by, expected) in [("60m", vec!["i-0", "i-1"]), ("60m", vec!["i-2", "i-3"]), ("60m", vec!["i-4"])] {
        world.advance(by).await;
        assert_eq!(ids(&world.drain(RECEIVER_STAGE).await), expected);
    }
    let events = world.interchange("i-4").await["events"].clone();
    let planned: Vec<&Value> = events.as_array().unwrap().iter().filter(|e| e["kind"] == "retry_scheduled").collect();
    let times: Vec<&Value> = planned.iter().map(|event| &event["nextRetryAt"]).collect();
    assert_eq!(times, ["2026-11-20T15:00:00Z", "2026-11-20T17:00:00Z"]);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_policy_applies_only_to_new_failures_unless_a_reschedule_is_requested() {
    let world = World::start().await;
    world.send([report("before", "orders", json!({})).to_string()]).await;
    let ladder = json!({ "retry": { "schedule": { "kind": "ladder", "delays": ["2h"] } } });
    world.put("/flows/orders", ladder.clone()).await.ok();
    world.send([report("after", "orders", json!({})).to_string()]).await;
    assert_eq!(world.interchange("before").await["nextRetryAt"], "2026-11-20T14:05:00Z");
    assert_eq!(world.interchange("after").await["nextRetryAt"], "2026-11-20T16:00:00Z");
    let answer = world.put("/flows/orders?reschedule=true", ladder).await;
    let job = answer.location.clone().expect("the job that reschedules");
    answer.ok();
    world.settle().await;
    let job = world.get(&job).await.ok();
    assert_eq!(
        (&job["status"], &job["action"], &job["counts"]["sent"]),
        (&json!("completed"), &json!("reschedule"), &json!(2))
    );
    assert_eq!(world.interchange("before").await["nextRetryAt"], "2026-11-20T16:00:00Z");
    world.advance("10m").await;
    assert!(world.drain(RECEIVER_STAGE).await.is_empty());
    world.advance("2h").await;
    assert_eq!(ids(&world.drain(RECEIVER_STAGE).await), ["after", "before"]);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_failures_of_one_minute_share_a_schedule_and_the_sweep_sends_each_once_without_it() {
    const FAILURES: usize = 10_000;
    let world = World::start().await;
    // The deadline is far in the future, so that only the retries fall due.
    world.put("/flows/orders", json!({ "confirmation": { "within": "48h" } })).await.ok();
    world.send((0..FAILURES).map(|i| report(&format!("i-{i}"), "orders", json!({})).to_string())).await;
    let schedules = world.scheduler.list_schedules().group_name("reprise").send().await.unwrap();
    let of_slots = schedules
        .schedules()
        .iter()
        .filter(|s| s.name().is_some_and(|name| !name.starts_with("reprise-sweep")))
        .count();
    assert!(of_slots <= 2, "{of_slots} schedules");
    for schedule in
        schedules.schedules().iter().filter_map(|s| s.name()).filter(|name| !name.starts_with("reprise-sweep"))
    {
        let delete = world.scheduler.delete_schedule().group_name("reprise").name(schedule);
        delete.send().await.unwrap();
    }
    world.advance("5m").await;
    assert!(world.drain(RECEIVER_STAGE).await.is_empty(), "the slot was sent without its schedule");
    world.advance("20m").await;
    let sent = world.drain(RECEIVER_STAGE).await;
    assert_eq!(sent.len(), FAILURES);
    assert!(sent.iter().all(|staged| staged.attempt() == 2));
    assert_eq!(ids(&sent).into_iter().collect::<BTreeSet<_>>().len(), FAILURES);
    let flow = world.get("/flows/orders").await.ok();
    assert_eq!(flow["counts"]["waiting_for_retry"], FAILURES);
    assert_eq!(flow["counts"]["failed"], 0);
    world.stop().await;
}
