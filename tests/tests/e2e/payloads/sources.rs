//! The flow of a dead letter or failure record is determined by its queue or function.

use serde_json::json;
use tests::{FAILURES, SENDER_STAGE, World, text_attribute};

use super::{act, failure_record, listed};

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_and_failure_records_belong_to_the_flow_that_lists_their_queue_or_function() {
    let world = World::start().await;
    let stage = world.stage_with_dead_letters("legacy-stage", FAILURES).await;
    world.stage_with_dead_letters("unlisted-stage", FAILURES).await;
    let function = "arn:aws:lambda:eu-west-1:000000000000:function:legacy-mapping";
    let config = json!({
        "stages": { "sender": { "queueUrl": world.queue_url(SENDER_STAGE) }, "receiver": { "queueUrl": stage } },
        "deadLetterQueues": [{ "arn": world.queue_arn("legacy-stage"), "phase": "delivery" }],
        "functions": [function],
    });
    world.put("/flows/legacy", config).await.ok();
    let own = [("tenant", text_attribute("String", "acme"))];
    let listed_id = format!("dlq-{}", world.put_message("legacy-stage", "UNB+1", &own).await);
    world.receive_without_deleting("legacy-stage").await;
    let unlisted_id = format!("dlq-{}", world.put_message("unlisted-stage", "UNB+2", &[]).await);
    world.receive_without_deleting("unlisted-stage").await;
    for (request, qualifier) in [("r-1", ""), ("r-2", ":$LATEST"), ("r-3", ":live")] {
        let record = failure_record(request, &format!("{function}{qualifier}"), "{\"order\": 1}");
        world.put_message(FAILURES, &record, &[]).await;
    }
    world.settle().await;
    let mut of_the_flow = vec![listed_id.clone(), "lambda-r-1".into(), "lambda-r-2".into(), "lambda-r-3".into()];
    of_the_flow.sort();
    assert_eq!(listed(&world, "legacy").await, of_the_flow);
    assert_eq!(listed(&world, "unassigned").await, [unlisted_id]);
    let interchange = world.interchange(&listed_id).await;
    assert_eq!(interchange["phase"], "delivery");
    // A retry sends the same payload to the receiver stage again, with the same attributes.
    act(&world, &listed_id, "retry").await;
    let retried = world.drain("legacy-stage").await;
    assert_eq!(retried[0].payload(), b"UNB+1");
    assert_eq!(retried[0].message.message_attributes.as_ref().unwrap()["tenant"], own[0].1);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_that_looks_like_a_report_is_assigned_by_its_queue_and_attempt() {
    let world = World::start().await;
    let stage = world.stage_with_dead_letters("delivery", FAILURES).await;
    let config = json!({
        "stages": { "receiver": { "queueUrl": stage } },
        "deadLetterQueues": [{ "arn": world.queue_arn("delivery"), "phase": "delivery" }],
    });
    world.put("/flows/orders", config).await.ok();
    let own = r#"{"type":"interchange.exploded","order":17}"#;
    let id = format!("dlq-{}", world.put_message("delivery", own, &[]).await);
    for attempt in 1..3 {
        world.receive_without_deleting("delivery").await;
        let shown = world.interchange(&id).await;
        assert_eq!((&shown["flow"], &shown["attempt"]), (&json!("orders"), &json!(attempt)));
        assert_eq!((&shown["status"], &shown["error"]["code"]), (&json!("failed"), &json!("dead-letter")));
        act(&world, &id, "retry").await;
    }
    assert_eq!(world.drain("delivery").await[0].payload(), own.as_bytes());
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_ten_attributes_nine_are_sent_and_the_interchange_names_the_other_one() {
    let world = World::start().await;
    let stages = json!({ "sender": { "queueUrl": world.queue_url(SENDER_STAGE) } });
    world.put("/flows/unassigned", json!({ "stages": stages })).await.ok();
    let names: Vec<String> = (0..10).map(|n| format!("own-{n}")).collect();
    let own: Vec<_> = names.iter().map(|name| (name.as_str(), text_attribute("String", name))).collect();
    let id = format!("dlq-{}", world.put_message(FAILURES, "UNB+1", &own).await);
    world.settle().await;
    let message = world.interchange(&id).await["error"]["message"].to_string();
    assert!(message.contains("`own-9` is kept and not sent along"), "{message}");
    act(&world, &id, "restart").await;
    let restarted = world.drain(SENDER_STAGE).await;
    let sent = restarted[0].message.message_attributes.as_ref().unwrap();
    assert_eq!(sent.len(), 10);
    assert!(names[..9].iter().all(|name| sent.contains_key(name)) && sent.contains_key("reprise"));
    world.stop().await;
}
