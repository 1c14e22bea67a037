//! Tests of event sources: batches, partial failures, crashes, dead letters.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::json;

use crate::support::{DEAD_LETTERS, FUNCTION, WaitPoint, start};

#[tokio::test]
async fn messages_that_a_function_handled_are_deleted() {
    let stack = start().await;
    for _ in 0..45 {
        stack.send(json!({ "do": "echo" })).await;
    }
    stack.settle().await;
    assert_eq!(stack.message_counts(), (0, 0));
}

#[tokio::test]
async fn only_the_failed_message_of_a_batch_is_received_again_and_becomes_a_dead_letter() {
    let stack = start().await;
    for event in [json!({ "do": "echo" }), json!({ "do": "fail" }), json!({ "do": "echo" })] {
        stack.send(event).await;
    }
    stack.settle().await;
    assert_eq!(stack.message_counts(), (0, 1));
    stack.aws().advance(SignedDuration::from_secs(61)).await.unwrap();
    assert_eq!(stack.message_counts(), (0, 1));
    stack.aws().advance(SignedDuration::from_secs(600)).await.unwrap();
    assert_eq!(stack.message_counts(), (0, 0));
    assert_eq!(stack.aws().sqs().visible(DEAD_LETTERS), 1);
}

#[tokio::test]
async fn a_batch_whose_function_dies_stays_in_the_queue() {
    let stack = start().await;
    stack.send(json!({ "do": "echo" })).await;
    stack.send(json!({ "do": "exit" })).await;
    stack.settle().await;
    assert_eq!(stack.message_counts(), (0, 2));
}

#[tokio::test]
async fn a_batch_response_with_an_unknown_message_id_fails_the_whole_batch() {
    let stack = start().await;
    stack.send(json!({ "do": "echo" })).await;
    stack.send(json!({ "do": "respond with unknown id" })).await;
    stack.settle().await;
    assert_eq!(stack.message_counts(), (0, 2));
}

#[tokio::test]
async fn settling_waits_for_running_functions() {
    let stack = start().await;
    let wait_point = WaitPoint::new().await;
    stack.send(wait_point.event()).await;
    let watching = async {
        let waiting = wait_point.next_waiting().await;
        assert_eq!(stack.message_counts(), (0, 1));
        drop(waiting);
    };
    tokio::join!(stack.settle(), watching);
    assert_eq!(stack.message_counts(), (0, 0));
}

#[tokio::test]
async fn the_messages_of_a_killed_function_are_received_again() {
    let stack = start().await;
    let wait_point = WaitPoint::new().await;
    stack.send(wait_point.event()).await;
    let killing = async {
        let _waiting = wait_point.next_waiting().await;
        stack.kill_environments(FUNCTION).await.unwrap();
    };
    tokio::join!(stack.settle(), killing);
    assert_eq!(stack.message_counts(), (0, 1));
    let again = async { drop(wait_point.next_waiting().await) };
    let (advanced, ()) = tokio::join!(stack.aws().advance(SignedDuration::from_secs(61)), again);
    advanced.unwrap();
    assert_eq!(stack.message_counts(), (0, 0));
}

#[tokio::test]
async fn batches_of_large_messages_stay_within_the_payload_limit() {
    let stack = start().await;
    let filler = "x".repeat(1_000_000);
    for _ in 0..15 {
        stack.send(json!({ "do": "echo", "filler": filler })).await;
    }
    stack.settle().await;
    assert_eq!(stack.message_counts(), (0, 0));
}

#[tokio::test]
async fn settling_waits_for_external_consumers() {
    let stack = start().await;
    let sqs = stack.aws().sqs();
    stack.add_external_consumer(DEAD_LETTERS);
    let input = json!({ "QueueUrl": sqs.url(DEAD_LETTERS), "MessageBody": "for an external consumer" });
    sqs.call("SendMessage", input).await.unwrap();
    let consuming = async {
        let message = sqs.receive(DEAD_LETTERS, 1, Duration::from_secs(60)).await.remove(0);
        stack.send(json!({ "do": "echo" })).await;
        sqs.delete(DEAD_LETTERS, &message.receipt);
    };
    tokio::join!(stack.settle(), consuming);
    assert_eq!((stack.message_counts(), sqs.in_flight(DEAD_LETTERS)), ((0, 0), 0));
}
