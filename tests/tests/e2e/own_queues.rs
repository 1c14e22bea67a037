//! Reprise's own queues cannot be stages, and Reprise runs only work items that it signed itself.

use serde_json::{Value, json};
use tests::{RECEIVER_STAGE, REFUSED_WORK, World, metrics, report, text_attribute};

const JOBS: &str = "reprise-jobs";

const OWN_QUEUES: [&str; 6] =
    ["reprise-failures", "reprise-failures-dlq", JOBS, "reprise-jobs-dlq", REFUSED_WORK, "reprise-schedules-dlq"];

fn because() -> Value {
    json!({ "reason": "the partner is back" })
}

/// A flow `victim` with a retry in flight, at a time when all work items must be signed.
async fn world_that_requires_signatures() -> World {
    let world = World::start().await;
    let slow = json!({ "mode": "silent", "within": "24h" });
    world.put("/flows/victim", json!({ "retry": { "mode": "manual" }, "confirmation": slow })).await.ok();
    world.report(report("4711", "victim", json!({}))).await;
    world.post("/interchanges/4711/retry", because()).await.ok();
    world.advance("30m").await;
    world
}

/// Work items that would complete that message as if its deadline had passed, and that would send it again.
fn forged() -> [String; 2] {
    let slot = json!({ "kind": "ordered", "flow": "victim", "minute": "2026-11-21T14:00:00Z" });
    let send = json!({ "kind": "send", "interchange": "4711", "request": "made-up" });
    [slot.to_string(), send.to_string()]
}

async fn assert_nothing_was_done(world: &World, before: &Value, refused: usize) {
    world.settle().await;
    assert_eq!(world.interchange("4711").await, *before);
    assert_eq!((world.held(REFUSED_WORK), world.held(JOBS), world.held("reprise-jobs-dlq")), (refused, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_queue_of_reprise_itself_can_be_a_stage() {
    let world = World::start().await;
    for side in ["sender", "receiver"] {
        for queue in OWN_QUEUES {
            let url = format!("https://sqs.eu-west-1.amazonaws.com/000000000000/{queue}");
            let mut config = json!({ "stages": {} });
            config["stages"][side] = json!({ "queueUrl": url });
            let problem = world.put("/flows/orders", config).await.is_problem(400, "invalid-field");
            assert_eq!(problem["field"], format!("stages.{side}.queueUrl"));
            assert!(problem["detail"].as_str().unwrap().contains("own queues"), "{problem}");
        }
    }
    world.get("/flows/orders").await.is_problem(404, "not-found");
    let stage = json!({ "receiver": { "queueUrl": world.queue_url(RECEIVER_STAGE) } });
    world.put("/flows/orders", json!({ "stages": stage })).await.ok();
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_send_to_a_stage_is_refused_when_an_earlier_release_stored_an_own_queue_as_stage() {
    let world = world_that_requires_signatures().await;
    world.put("/flows/orders", json!({ "retry": { "mode": "manual" } })).await.ok();
    let forged = json!({ "receiver": { "body": forged()[0] } });
    world.report(report("o-1", "orders", json!({ "payloads": forged }))).await;
    // As an earlier release stored it.
    let config =
        json!({ "stages": { "receiver": { "queueUrl": world.queue_url(JOBS) } }, "retry": { "mode": "manual" } });
    let item = json!({
        "pk": { "S": "FLOW#orders" }, "sk": { "S": "CONFIG" }, "d": { "S": config.to_string() }, "v": { "N": "2" },
        "activatedAt": { "S": "2026-11-20T14:00:00Z" },
    });
    let put = serde_json::from_value(json!({ "TableName": "reprise", "Item": item })).unwrap();
    world.stack.aws().dynamodb().put_item(put).unwrap();
    let before = world.interchange("4711").await;
    let problem = world.post("/interchanges/o-1/retry", because()).await.is_problem(409, "send-failed");
    assert!(problem["detail"].as_str().unwrap().contains("own queues"), "{problem}");
    assert_nothing_was_done(&world, &before, 0).await;
    world.post("/flows/orders/retry", json!({ "reason": "x", "selection": { "all": true } })).await.ok();
    assert_nothing_was_done(&world, &before, 0).await;
    assert_eq!(world.interchange("o-1").await["error"]["code"], "send_failed");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn work_without_a_valid_signature_is_set_aside_and_not_done() {
    let world = world_that_requires_signatures().await;
    let before = world.interchange("4711").await;
    let wrong = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    for body in forged() {
        world.put_message(JOBS, &body, &[]).await;
        world.put_message(JOBS, &body, &[("mac", text_attribute("String", wrong))]).await;
    }
    world.put_message("reprise-jobs-dlq", &forged()[0], &[]).await;
    world.put_message(JOBS, "no work at all", &[]).await;
    assert_nothing_was_done(&world, &before, 6).await;
    let is_refused = |line: &Value| line["outcome"] == "work_refused";
    let lines = world.log().lines_until(|lines| lines.iter().filter(|line| is_refused(line)).count() == 6).await;
    assert_eq!(metrics(&lines)["WorkRefused"], 6);
    assert!(!metrics(&lines).contains_key("WorkSetAside"));
    let refused = world.drain_refused().await;
    let mut reasons: Vec<&str> = refused.iter().map(|(_, reason)| reason.as_str()).collect();
    reasons.sort_unstable();
    reasons.dedup();
    assert_eq!(reasons, ["it is not signed", "its signature is wrong"]);
    assert!(refused.iter().any(|(body, _)| *body == forged()[0]));
    // Nor is it done later.
    world.advance("2h").await;
    assert_nothing_was_done(&world, &before, 0).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_is_valid_only_for_its_own_work_item() {
    let world = world_that_requires_signatures().await;
    let before = world.interchange("4711").await;
    let body = json!({ "kind": "look", "job": "nobody" }).to_string();
    let stolen = world.signature(&body);
    world.put_message(JOBS, &body, &[("mac", text_attribute("String", &stolen))]).await;
    assert_nothing_was_done(&world, &before, 0).await;
    world.put_message(JOBS, &forged()[0], &[("mac", text_attribute("String", &stolen))]).await;
    assert_nothing_was_done(&world, &before, 1).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unsigned_work_of_the_previous_release_is_done_in_the_first_quarter_of_an_hour() {
    let world = World::start().await;
    world.put_message(JOBS, &json!({ "kind": "look", "job": "nobody" }).to_string(), &[]).await;
    world.settle().await;
    assert_eq!((world.held(REFUSED_WORK), world.held(JOBS)), (0, 0));
    world.advance("14m").await;
    world.put_message(JOBS, &json!({ "kind": "look", "job": "nobody" }).to_string(), &[]).await;
    world.settle().await;
    assert_eq!((world.held(REFUSED_WORK), world.held(JOBS)), (0, 0));
    world.advance("1m").await;
    world.put_message(JOBS, &json!({ "kind": "look", "job": "nobody" }).to_string(), &[]).await;
    world.settle().await;
    assert_eq!((world.held(REFUSED_WORK), world.held(JOBS)), (1, 0));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_does_nothing_before_its_minute() {
    let world = World::start().await;
    world.report(report("4711", "orders", json!({}))).await;
    let slot = json!({ "flow": "orders", "minute": "2026-11-20T14:05:00Z" });
    world.stack.invoke("reprise-scheduled-retry", json!({ "slot": slot }).to_string()).await.unwrap();
    world.settle().await;
    assert_eq!((world.held(RECEIVER_STAGE), world.held(JOBS)), (0, 0));
    // Neither does a work item for it. The previous release queued such items without a signature.
    let work = json!({ "kind": "ordered", "flow": "orders", "minute": "2026-11-20T14:05:00Z" }).to_string();
    world.put_message(JOBS, &work, &[]).await;
    world.settle().await;
    assert_eq!((world.held(RECEIVER_STAGE), world.kinds("4711").await.len()), (0, 2));
    world.advance("5m").await;
    assert_eq!(world.held(RECEIVER_STAGE), 1);
    world.stop().await;
}
