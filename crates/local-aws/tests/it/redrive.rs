use aws_sdk_sqs::types::{MessageSystemAttributeName, QueueAttributeName};
use local_aws::queue_arn;

use crate::fixture::Fixture;

fn policy(dead: &str, receives: u32) -> String {
    format!(r#"{{"deadLetterTargetArn":"{}","maxReceiveCount":{receives}}}"#, queue_arn(dead))
}

async fn pair(fixture: &Fixture, receives: u32) -> (String, String) {
    let dead = fixture.queue("orders-dlq", &[]).await;
    let policy = policy("orders-dlq", receives);
    let source = fixture.queue("orders", &[(QueueAttributeName::RedrivePolicy, policy.as_str())]).await;
    (source, dead)
}

#[tokio::test]
async fn a_message_moves_to_the_dead_letter_queue_after_the_receives_of_the_policy() {
    let fixture = Fixture::new().await;
    let (source, dead) = pair(&fixture, 2).await;
    fixture.send(&source, "poison").await;
    for _ in 0..2 {
        assert_eq!(fixture.bodies(&source).await, ["poison"]);
        assert!(fixture.bodies(&dead).await.is_empty());
        fixture.advance("30s").await;
    }
    assert!(fixture.bodies(&source).await.is_empty());
    let letter = fixture.receive(&dead).await.remove(0);
    let attributes = letter.attributes().expect("attributes");
    assert_eq!(attributes[&MessageSystemAttributeName::DeadLetterQueueSourceArn], queue_arn("orders"));
    assert_eq!(attributes[&MessageSystemAttributeName::SentTimestamp], "1795183200000");
}

#[tokio::test]
async fn a_message_keeps_the_role_or_user_that_sent_it() {
    let fixture = Fixture::new().await;
    let (source, dead) = pair(&fixture, 1).await;
    for (key, sender) in [
        ("AROAEXAMPLE:session", "AROAEXAMPLE:session"),
        ("AIDAEXAMPLE", "AIDAEXAMPLE"),
        ("ASIAEXAMPLE", "000000000000"),
    ] {
        let client = fixture.sqs_as(key);
        client.send_message().queue_url(&source).message_body("poison").send().await.expect("sends");
        fixture.receive(&source).await;
        fixture.advance("30s").await;
        assert!(fixture.receive(&source).await.is_empty());
        let letter = fixture.receive(&dead).await.remove(0);
        assert_eq!(letter.attributes().expect("attributes")[&MessageSystemAttributeName::SenderId], sender);
        fixture.delete(&dead, &letter).await;
    }
}

#[tokio::test]
async fn messages_behind_dead_letters_are_received_in_the_same_call() {
    let fixture = Fixture::new().await;
    let (source, dead) = pair(&fixture, 1).await;
    for n in 0..10 {
        fixture.send(&source, &format!("poison {n}")).await;
    }
    assert_eq!(fixture.receive(&source).await.len(), 10);
    fixture.advance("30s").await;
    for n in 0..3 {
        fixture.send(&source, &format!("good {n}")).await;
    }
    assert_eq!(fixture.bodies(&source).await, ["good 0", "good 1", "good 2"]);
    assert_eq!(fixture.receive(&dead).await.len(), 10);
}

#[tokio::test]
async fn a_long_poll_of_the_dead_letter_queue_ends_when_a_dead_letter_arrives() {
    let fixture = Fixture::new().await;
    let (source, dead) = pair(&fixture, 1).await;
    fixture.send(&source, "poison").await;
    fixture.receive(&source).await;
    fixture.advance("30s").await;
    let poll = tokio::spawn(fixture.sqs.receive_message().queue_url(&dead).wait_time_seconds(20).send());
    assert!(fixture.receive(&source).await.is_empty());
    assert_eq!(poll.await.expect("runs").expect("receives").messages.unwrap_or_default().len(), 1);
}

#[tokio::test]
async fn a_dead_letter_queue_must_exist_and_be_of_the_same_kind() {
    let fixture = Fixture::new().await;
    fixture.queue("dead.fifo", &[(QueueAttributeName::FifoQueue, "true")]).await;
    for dead in ["nowhere", "dead.fifo"] {
        let create = fixture.sqs.create_queue().queue_name("orders");
        let create = create.attributes(QueueAttributeName::RedrivePolicy, policy(dead, 3));
        assert!(create.send().await.is_err(), "{dead}");
    }
}

#[tokio::test]
async fn a_dead_letter_unblocks_its_fifo_group() {
    let fixture = Fixture::new().await;
    let fifo = (QueueAttributeName::FifoQueue, "true");
    let from_body = (QueueAttributeName::ContentBasedDeduplication, "true");
    let dead = fixture.queue("dead.fifo", std::slice::from_ref(&fifo)).await;
    let policy = policy("dead.fifo", 1);
    let url =
        fixture.queue("orders.fifo", &[fifo, from_body, (QueueAttributeName::RedrivePolicy, policy.as_str())]).await;
    for body in ["1", "2"] {
        let send = fixture.sqs.send_message().queue_url(&url).message_body(body).message_group_id("a");
        send.send().await.expect("sends");
    }
    fixture.sqs.receive_message().queue_url(&url).max_number_of_messages(1).send().await.expect("receives");
    fixture.advance("30s").await;
    assert_eq!(fixture.bodies(&url).await, ["2"]);
    assert_eq!(fixture.bodies(&dead).await, ["1"]);
}

#[tokio::test]
async fn a_move_task_moves_dead_letters_back_to_their_source_queue() {
    let fixture = Fixture::new().await;
    let (source, dead) = pair(&fixture, 1).await;
    fixture.send(&source, "poison").await;
    fixture.receive(&source).await;
    fixture.advance("30s").await;
    assert!(fixture.receive(&source).await.is_empty());
    fixture.sqs.start_message_move_task().source_arn(queue_arn("orders-dlq")).send().await.expect("starts");
    assert!(fixture.bodies(&dead).await.is_empty());
    let message = fixture.receive(&source).await.remove(0);
    assert_eq!(message.attributes().expect("attributes")[&MessageSystemAttributeName::ApproximateReceiveCount], "1");
    let refused = fixture.sqs.start_message_move_task().source_arn(queue_arn("orders")).send().await;
    assert!(refused.is_err());
}

#[tokio::test]
async fn the_sources_of_a_dead_letter_queue_can_be_listed() {
    let fixture = Fixture::new().await;
    let (source, dead) = pair(&fixture, 1).await;
    let listed = fixture.sqs.list_dead_letter_source_queues().queue_url(&dead).send().await.expect("lists");
    assert_eq!(listed.queue_urls(), [source]);
}
