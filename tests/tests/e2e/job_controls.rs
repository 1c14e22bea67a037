//! The controls of jobs: plans, canaries, rates, and a flow that becomes inactive while a job runs.

use serde_json::{Value, json};
use tests::{RECEIVER_STAGE, World, report};

const START_OF_TESTS: &str = tests::START;

/// A flow with `count` failures and without automatic retries.
async fn failed(count: usize) -> World {
    let world = World::start().await;
    world.put("/flows/orders", manual(true)).await.ok();
    world.send((0..count).map(|n| report(&format!("o-{n:03}"), "orders", json!({})).to_string())).await;
    world
}

fn manual(active: bool) -> Value {
    json!({ "active": active, "retry": { "mode": "manual" }, "confirmation": { "within": "48h" } })
}

fn all(more: Value) -> Value {
    let mut body = json!({ "reason": "the partner is up again", "selection": { "all": true } });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

/// Starts a job that retries everything, and returns its path.
async fn retry(world: &World, more: Value) -> String {
    let answer = world.post("/flows/orders/retry", all(more)).await;
    assert_eq!(answer.status, 202, "{}", answer.json());
    world.settle().await;
    answer.location.unwrap()
}

/// Reports this outcome for every message on the receiver stage, and returns their number.
async fn outcomes(world: &World, kind: &str) -> usize {
    let staged = world.drain(RECEIVER_STAGE).await;
    let now = world.stack.aws().clock().now().to_string();
    let reports = staged.iter().map(|staged| {
        report(staged.id(), "orders", json!({ "type": kind, "attempt": staged.attempt(), "occurredAt": now }))
            .to_string()
    });
    world.send(reports).await;
    staged.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_changes_nothing_and_a_job_with_its_as_of_takes_exactly_what_the_plan_showed() {
    let world = failed(12).await;
    let planned = world.post("/flows/orders/retry?plan=true", all(json!({}))).await;
    assert_eq!(planned.status, 200);
    let plan = planned.json();
    assert_eq!(
        (&plan["count"], &plan["countIsExact"], &plan["asOf"]),
        (&json!(12), &json!(true), &json!(START_OF_TESTS))
    );
    assert_eq!(plan["sample"].as_array().unwrap().len(), 10);
    assert!(world.get("/flows/orders/jobs").await.ok()["items"].as_array().unwrap().is_empty());
    world.advance("1s").await;
    world.send([report("later", "orders", json!({ "occurredAt": null })).to_string()]).await;
    let job = world.get(&retry(&world, json!({ "asOf": plan["asOf"] })).await).await.ok();
    assert_eq!((&job["status"], &job["counts"]["sent"]), (&json!("completed"), &json!(12)));
    assert_eq!(world.interchange("later").await["status"], "failed");
    let wrong = world.post(
        "/flows/orders/retry?plan=true",
        json!({ "reason": "x", "selection": { "filter": { "phase": "lunch" } } }),
    );
    assert_eq!(wrong.await.is_problem(400, "invalid-field")["field"], "selection.filter.phase");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_shows_what_the_job_will_skip_and_respects_the_cap() {
    let world = failed(3).await;
    let unmapped = json!({ "payloads": { "sender": { "body": "UNB+" } } });
    world.send((0..2).map(|i| report(&format!("unmapped-{i}"), "orders", unmapped.clone()).to_string())).await;
    world.advance("1s").await;

    let plan = world.post("/flows/orders/retry?plan=true", all(json!({}))).await.ok();
    assert_eq!((&plan["count"], &plan["skips"]), (&json!(5), &json!({ "no-receiver-payload": 2 })));
    let restart = world.post("/flows/orders/restart?plan=true", all(json!({}))).await.ok();
    assert_eq!((&restart["count"], restart.get("skips")), (&json!(5), None));
    let capped = world.post("/flows/orders/retry?plan=true", all(json!({ "cap": 2 }))).await.ok();
    assert_eq!((&capped["count"], &capped["countIsExact"]), (&json!(2), &json!(true)));

    let job = world.get(&retry(&world, json!({})).await).await.ok();
    assert_eq!((&job["skips"], &job["counts"]["sent"]), (&plan["skips"], &json!(3)));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_of_a_list_of_ids_counts_as_its_job_does() {
    let world = failed(3).await;
    world.post("/interchanges/o-001/delete", json!({ "reason": "a double" })).await.ok();
    let named = json!({ "selection": { "ids": ["o-000", "o-001", "nobody", "o-002"] } });
    let plan = world.post("/flows/orders/retry?plan=true", all(named.clone())).await.ok();
    assert_eq!((&plan["count"], &plan["skips"]), (&json!(4), &json!({ "not-failed": 1, "not-found": 1 })));
    assert_eq!(plan["sample"].as_array().unwrap().len(), 3, "those that exist");
    let job = world.get(&retry(&world, named).await).await.ok();
    assert_eq!((&job["counts"]["matched"], &job["skips"]), (&plan["count"], &plan["skips"]));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_as_of_of_a_plan_is_the_time_of_its_newest_failure() {
    let world = failed(3).await;
    world.advance("10m").await;
    let plan = world.post("/flows/orders/retry?plan=true", all(json!({}))).await.ok();
    assert_eq!(plan["asOf"], START_OF_TESTS, "failures that arrive later are not included");
    let asked = json!({ "asOf": "2026-11-20T14:09:00Z" });
    assert_eq!(world.post("/flows/orders/retry?plan=true", all(asked.clone())).await.ok()["asOf"], asked["asOf"]);
    let nobody = json!({ "selection": { "filter": { "sender": "NOBODY" } } });
    let plan = world.post("/flows/orders/retry?plan=true", all(nobody)).await.ok();
    assert_eq!((&plan["count"], &plan["asOf"]), (&json!(0), &json!("2026-11-20T14:10:00Z")));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_order_returns_the_same_job_even_if_its_flow_is_inactive_now() {
    let world = failed(2).await;
    let order = |path: &'static str, body| world.post_once(path, "order-1", body);
    let first = order("/flows/orders/retry", all(json!({}))).await.ok();
    world.settle().await;
    world.put("/flows/orders", manual(false)).await.ok();
    let again = order("/flows/orders/retry", all(json!({}))).await;
    assert_eq!((again.status, &again.json()["id"]), (202, &first["id"]));
    order("/flows/orders/retry", all(json!({ "cap": 1 }))).await.is_problem(422, "idempotency-key-reused");
    world.post("/flows/orders/retry", all(json!({}))).await.is_problem(409, "flow-inactive");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_job_sends_the_rest_after_its_canary_completes() {
    let world = failed(7).await;
    let job = retry(&world, json!({ "canary": 2 })).await;
    assert_eq!(world.get(&job).await.ok()["status"], "canary");
    assert_eq!(outcomes(&world, "interchange.completed").await, 2);
    world.advance("1m").await;
    let shown = world.get(&job).await.ok();
    assert_eq!(
        (&shown["status"], &shown["counts"]["sent"], &shown["counts"]["completed"]),
        (&json!("completed"), &json!(7), &json!(2))
    );
    assert_eq!(world.drain(RECEIVER_STAGE).await.len(), 5);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_that_fails_again_halts_the_job_and_the_flow_accepts_another_job() {
    let world = failed(7).await;
    let job = retry(&world, json!({ "canary": 1 })).await;
    assert_eq!(outcomes(&world, "interchange.failed").await, 1);
    world.advance("1m").await;
    let shown = world.get(&job).await.ok();
    assert_eq!(
        (&shown["status"], &shown["counts"]["sent"], &shown["counts"]["failedAgain"]),
        (&json!("halted"), &json!(1), &json!(1))
    );
    assert!(shown["halt"].is_string() && shown["endedAt"].is_string(), "{shown}");
    assert!(world.drain(RECEIVER_STAGE).await.is_empty());
    let next = world.get(&retry(&world, json!({})).await).await.ok();
    assert_eq!((&next["status"], &next["counts"]["sent"]), (&json!("completed"), &json!(7)));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_canary_covers_everything_ends_after_it() {
    let world = failed(2).await;
    let job = retry(&world, json!({ "canary": 5 })).await;
    assert_eq!(outcomes(&world, "interchange.completed").await, 2);
    world.advance("1m").await;
    assert_eq!(world.get(&job).await.ok()["status"], "completed");
    world.stop().await;
}

/// A flow with ten failures without a receiver payload, and `count` newer ones with one.
async fn unmapped_first(count: usize) -> World {
    let world = failed(count).await;
    let payloads = json!({ "sender": { "body": "UNB+UNOC:3" } });
    let older = |n| json!({ "occurredAt": format!("2026-11-20T13:00:{n:02}Z"), "payloads": payloads });
    world.send((0..10).map(|n| report(&format!("unmapped-{n}"), "orders", older(n)).to_string())).await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_counts_only_what_is_sent_and_not_what_is_skipped() {
    let world = unmapped_first(7).await;
    let job = retry(&world, json!({ "canary": 2 })).await;
    world.advance("2m").await;
    let shown = world.get(&job).await.ok();
    assert_eq!(
        (&shown["status"], &shown["counts"]["sent"], &shown["skips"]),
        (&json!("canary"), &json!(2), &json!({ "no-receiver-payload": 10 })),
        "{shown}"
    );
    assert_eq!(outcomes(&world, "interchange.completed").await, 2);
    world.advance("1m").await;
    let shown = world.get(&job).await.ok();
    assert_eq!((&shown["status"], &shown["counts"]["sent"]), (&json!("completed"), &json!(7)), "{shown}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_of_a_list_of_ids_skips_those_that_do_not_exist() {
    let world = unmapped_first(3).await;
    let ids = ["nobody", "unmapped-1", "o-001", "nobody-either", "o-002", "o-000"];
    let job = retry(&world, json!({ "selection": { "ids": ids }, "canary": 2 })).await;
    let shown = world.get(&job).await.ok();
    assert_eq!(
        (&shown["status"], &shown["counts"]["sent"], &shown["counts"]["matched"]),
        (&json!("canary"), &json!(2), &json!(5)),
        "{shown}"
    );
    assert_eq!(outcomes(&world, "interchange.failed").await, 2);
    world.advance("1m").await;
    assert_eq!(world.get(&job).await.ok()["status"], "halted");
    assert!(world.drain(RECEIVER_STAGE).await.is_empty());
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_takes_further_messages_when_the_first_ones_were_deleted_in_the_meantime() {
    let world = failed(5).await;
    let slow_canary = json!({ "canary": 3, "rate": 1 });
    let job = retry(&world, slow_canary).await;
    assert_eq!(world.get(&job).await.ok()["counts"]["sent"], 1, "one per second");
    world.post("/interchanges/o-001/delete", json!({ "reason": "a double" })).await.ok();
    world.advance("5s").await;
    let shown = world.get(&job).await.ok();
    assert_eq!((&shown["status"], &shown["counts"]["sent"]), (&json!("canary"), &json!(3)), "{shown}");
    assert_eq!(outcomes(&world, "interchange.completed").await, 3);
    world.advance("1m").await;
    let shown = world.get(&job).await.ok();
    assert_eq!((&shown["status"], &shown["counts"]["sent"]), (&json!("completed"), &json!(4)), "{shown}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_ends_when_its_canary_finds_nothing_that_can_be_sent() {
    let world = unmapped_first(0).await;
    let job = retry(&world, json!({ "canary": 1 })).await;
    let shown = world.get(&job).await.ok();
    assert_eq!((&shown["status"], &shown["counts"]["skipped"]), (&json!("completed"), &json!(10)), "{shown}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_of_a_delete_is_refused() {
    let world = failed(2).await;
    for path in ["/flows/orders/delete", "/flows/orders/delete?plan=true"] {
        let refused = world.post(path, all(json!({ "canary": 1 }))).await;
        assert_eq!(refused.is_problem(400, "invalid-field")["field"], "canary");
    }
    assert!(world.get("/flows/orders/jobs").await.ok()["items"].as_array().unwrap().is_empty());
    assert_eq!(world.post("/flows/orders/delete", all(json!({ "rate": 5 }))).await.status, 202);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_limits_the_messages_per_second() {
    let world = failed(120).await;
    let job = retry(&world, json!({ "rate": 10 })).await;
    let mut sent = world.drain(RECEIVER_STAGE).await.len();
    assert_eq!(sent, 10, "the messages of the first second");
    for second in 1..=10 {
        world.advance("1s").await;
        sent += world.drain(RECEIVER_STAGE).await.len();
        assert_eq!(sent, 10 + 10 * second);
    }
    world.advance("10s").await;
    let shown = world.get(&job).await.ok();
    assert_eq!((&shown["status"], &shown["counts"]["sent"]), (&json!("completed"), &json!(120)));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_pauses_while_its_flow_is_inactive_and_continues_afterwards() {
    let world = failed(40).await;
    let job = retry(&world, json!({ "rate": 10 })).await;
    world.put("/flows/orders", manual(false)).await.ok();
    world.advance("5s").await;
    let paused = world.get(&job).await.ok();
    assert_eq!((&paused["status"], &paused["counts"]["sent"]), (&json!("running"), &json!(10)));
    assert_eq!(paused["halt"], "the flow is inactive");
    world.put("/flows/orders", manual(true)).await.ok();
    world.advance("1m").await;
    let shown = world.get(&job).await.ok();
    assert_eq!((&shown["status"], &shown["counts"]["sent"]), (&json!("completed"), &json!(40)));
    assert!(shown.get("halt").is_none(), "{shown}");
    world.stop().await;
}
