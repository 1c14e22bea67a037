use aws_sdk_sqs::types::{MessageSystemAttributeName, QueueAttributeName};
use local_aws::queue_arn;

use crate::here::Here;

fn policy(dead: &str, receives: u32) -> String {
    format!(r#"{{"deadLetterTargetArn":"{}","maxReceiveCount":{receives}}}"#, queue_arn(dead))
}

async fn pair(here: &Here, receives: u32) -> (String, String) {
    let dead = here.queue("orders-dlq", &[]).await;
    let policy = policy("orders-dlq", receives);
    let source = here.queue("orders", &[(QueueAttributeName::RedrivePolicy, policy.as_str())]).await;
    (source, dead)
}

#[tokio::test]
async fn a_message_goes_to_the_dead_letter_queue_after_as_many_receives_as_the_policy_says() {
    let here = Here::new().await;
    let (source, dead) = pair(&here, 2).await;
    here.send(&source, "poison").await;
    for _ in 0..2 {
        assert_eq!(here.bodies(&source).await, ["poison"]);
        assert!(here.bodies(&dead).await.is_empty());
        here.advance("30s").await;
    }
    assert!(here.bodies(&source).await.is_empty());
    let letter = here.receive(&dead).await.remove(0);
    let attributes = letter.attributes().expect("attributes");
    assert_eq!(attributes[&MessageSystemAttributeName::DeadLetterQueueSourceArn], queue_arn("orders"));
    assert_eq!(attributes[&MessageSystemAttributeName::SentTimestamp], "1795183200000");
}

#[tokio::test]
async fn a_message_keeps_who_sent_it_where_it_was_signed_as_a_role_or_a_user() {
    let here = Here::new().await;
    let (source, dead) = pair(&here, 1).await;
    for (key, sender) in [
        ("AROAEXAMPLE:session", "AROAEXAMPLE:session"),
        ("AIDAEXAMPLE", "AIDAEXAMPLE"),
        ("ASIAEXAMPLE", "000000000000"),
    ] {
        let client = here.sqs_as(key);
        client.send_message().queue_url(&source).message_body("poison").send().await.expect("sends");
        here.receive(&source).await;
        here.advance("30s").await;
        assert!(here.receive(&source).await.is_empty());
        let letter = here.receive(&dead).await.remove(0);
        assert_eq!(letter.attributes().expect("attributes")[&MessageSystemAttributeName::SenderId], sender);
        here.delete(&dead, &letter).await;
    }
}

#[tokio::test]
async fn those_behind_a_dead_letter_are_received_in_the_same_call() {
    let here = Here::new().await;
    let (source, dead) = pair(&here, 1).await;
    for n in 0..10 {
        here.send(&source, &format!("poison {n}")).await;
    }
    assert_eq!(here.receive(&source).await.len(), 10);
    here.advance("30s").await;
    for n in 0..3 {
        here.send(&source, &format!("good {n}")).await;
    }
    assert_eq!(here.bodies(&source).await, ["good 0", "good 1", "good 2"]);
    assert_eq!(here.receive(&dead).await.len(), 10);
}

#[tokio::test]
async fn a_long_poll_of_the_dead_letter_queue_ends_when_a_letter_comes() {
    let here = Here::new().await;
    let (source, dead) = pair(&here, 1).await;
    here.send(&source, "poison").await;
    here.receive(&source).await;
    here.advance("30s").await;
    let poll = tokio::spawn(here.sqs.receive_message().queue_url(&dead).wait_time_seconds(20).send());
    assert!(here.receive(&source).await.is_empty());
    assert_eq!(poll.await.expect("runs").expect("receives").messages.unwrap_or_default().len(), 1);
}

#[tokio::test]
async fn a_dead_letter_queue_must_exist_and_be_of_the_same_kind() {
    let here = Here::new().await;
    here.queue("dead.fifo", &[(QueueAttributeName::FifoQueue, "true")]).await;
    for dead in ["nowhere", "dead.fifo"] {
        let create = here.sqs.create_queue().queue_name("orders");
        let create = create.attributes(QueueAttributeName::RedrivePolicy, policy(dead, 3));
        assert!(create.send().await.is_err(), "{dead}");
    }
}

#[tokio::test]
async fn a_fifo_queues_dead_letters_leave_their_group_open() {
    let here = Here::new().await;
    let fifo = (QueueAttributeName::FifoQueue, "true");
    let from_body = (QueueAttributeName::ContentBasedDeduplication, "true");
    let dead = here.queue("dead.fifo", std::slice::from_ref(&fifo)).await;
    let policy = policy("dead.fifo", 1);
    let url = here.queue("orders.fifo", &[fifo, from_body, (QueueAttributeName::RedrivePolicy, policy.as_str())]).await;
    for body in ["1", "2"] {
        let send = here.sqs.send_message().queue_url(&url).message_body(body).message_group_id("a");
        send.send().await.expect("sends");
    }
    here.sqs.receive_message().queue_url(&url).max_number_of_messages(1).send().await.expect("receives");
    here.advance("30s").await;
    assert_eq!(here.bodies(&url).await, ["2"]);
    assert_eq!(here.bodies(&dead).await, ["1"]);
}

#[tokio::test]
async fn a_move_task_takes_dead_letters_back_to_where_they_came_from() {
    let here = Here::new().await;
    let (source, dead) = pair(&here, 1).await;
    here.send(&source, "poison").await;
    here.receive(&source).await;
    here.advance("30s").await;
    assert!(here.receive(&source).await.is_empty());
    here.sqs.start_message_move_task().source_arn(queue_arn("orders-dlq")).send().await.expect("starts");
    assert!(here.bodies(&dead).await.is_empty());
    let message = here.receive(&source).await.remove(0);
    assert_eq!(message.attributes().expect("attributes")[&MessageSystemAttributeName::ApproximateReceiveCount], "1");
    let refused = here.sqs.start_message_move_task().source_arn(queue_arn("orders")).send().await;
    assert!(refused.is_err());
}

#[tokio::test]
async fn the_sources_of_a_dead_letter_queue_can_be_listed() {
    let here = Here::new().await;
    let (source, dead) = pair(&here, 1).await;
    let listed = here.sqs.list_dead_letter_source_queues().queue_url(&dead).send().await.expect("lists");
    assert_eq!(listed.queue_urls(), [source]);
}
