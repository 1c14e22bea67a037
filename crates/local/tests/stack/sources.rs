//! Event sources: batches, partial failures, crashes, dead letters.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::json;

use crate::support::{DEAD, FUNCTION, Meeting, start};

#[tokio::test]
async fn what_a_function_has_handled_is_gone() {
    let stack = start().await;
    for _ in 0..45 {
        stack.send(json!({ "do": "echo" })).await;
    }
    stack.settle().await;
    assert_eq!(stack.waiting(), (0, 0));
}

#[tokio::test]
async fn of_a_batch_only_what_failed_comes_again_and_at_last_it_is_a_dead_letter() {
    let stack = start().await;
    for event in [json!({ "do": "echo" }), json!({ "do": "fail" }), json!({ "do": "echo" })] {
        stack.send(event).await;
    }
    stack.settle().await;
    assert_eq!(stack.waiting(), (0, 1));
    stack.aws().advance(SignedDuration::from_secs(61)).await.unwrap();
    assert_eq!(stack.waiting(), (0, 1));
    stack.aws().advance(SignedDuration::from_secs(600)).await.unwrap();
    assert_eq!(stack.waiting(), (0, 0));
    assert_eq!(stack.aws().sqs().visible(DEAD), 1);
}

#[tokio::test]
async fn a_batch_whose_function_dies_stays_in_the_queue() {
    let stack = start().await;
    stack.send(json!({ "do": "echo" })).await;
    stack.send(json!({ "do": "exit" })).await;
    stack.settle().await;
    assert_eq!(stack.waiting(), (0, 2));
}

#[tokio::test]
async fn an_answer_that_names_a_message_of_no_batch_fails_all_of_it() {
    let stack = start().await;
    stack.send(json!({ "do": "echo" })).await;
    stack.send(json!({ "do": "talk nonsense" })).await;
    stack.settle().await;
    assert_eq!(stack.waiting(), (0, 2));
}

#[tokio::test]
async fn settling_waits_for_what_runs() {
    let stack = start().await;
    let meeting = Meeting::new().await;
    stack.send(meeting.event()).await;
    let watching = async {
        let arrived = meeting.arrival().await;
        assert_eq!(stack.waiting(), (0, 1));
        drop(arrived);
    };
    tokio::join!(stack.settle(), watching);
    assert_eq!(stack.waiting(), (0, 0));
}

#[tokio::test]
async fn a_killed_function_finds_its_messages_again() {
    let stack = start().await;
    let meeting = Meeting::new().await;
    stack.send(meeting.event()).await;
    let killing = async {
        let _arrived = meeting.arrival().await;
        stack.kill_environments(FUNCTION).await.unwrap();
    };
    tokio::join!(stack.settle(), killing);
    assert_eq!(stack.waiting(), (0, 1));
    let again = async { drop(meeting.arrival().await) };
    let (advanced, ()) = tokio::join!(stack.aws().advance(SignedDuration::from_secs(61)), again);
    advanced.unwrap();
    assert_eq!(stack.waiting(), (0, 0));
}

#[tokio::test]
async fn batches_of_large_messages_are_split_below_the_limit_of_an_event() {
    let stack = start().await;
    let filler = "x".repeat(1_000_000);
    for _ in 0..15 {
        stack.send(json!({ "do": "echo", "filler": filler })).await;
    }
    stack.settle().await;
    assert_eq!(stack.waiting(), (0, 0));
}

#[tokio::test]
async fn settling_waits_for_those_who_consume_from_outside() {
    let stack = start().await;
    let sqs = stack.aws().sqs();
    stack.consumed_from_outside(DEAD);
    let input = json!({ "QueueUrl": sqs.url(DEAD), "MessageBody": "for somebody outside" });
    sqs.call("SendMessage", input).await.unwrap();
    let consuming = async {
        let message = sqs.receive(DEAD, 1, Duration::from_secs(60)).await.remove(0);
        stack.send(json!({ "do": "echo" })).await;
        sqs.delete(DEAD, &message.receipt);
    };
    tokio::join!(stack.settle(), consuming);
    assert_eq!((stack.waiting(), sqs.in_flight(DEAD)), ((0, 0), 0));
}
