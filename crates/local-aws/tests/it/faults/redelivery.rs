//! Messages that are delivered twice or late.

use std::time::Duration;

use aws_sdk_sqs::types::QueueAttributeName;
use local_aws::{Redelivery, RedeliveryKind};

use super::Faulty;
use crate::fixture::Fixture;

fn redelivery(kind: RedeliveryKind, after: u64) -> Redelivery {
    Redelivery { queue: "orders".to_owned(), kind, after: Duration::from_secs(after), one_in: None }
}

/// Receives and deletes the visible messages, and returns their ids.
async fn receive_and_delete(fixture: &Fixture, url: &str) -> Vec<String> {
    let messages = fixture.receive(url).await;
    for message in &messages {
        fixture.delete(url, message).await;
    }
    messages.into_iter().filter_map(|message| message.message_id).collect()
}

#[tokio::test]
async fn a_deleted_message_is_delivered_once_more() {
    let Faulty { fixture, queue, .. } = Faulty::new().await;
    fixture.aws.faults().redeliver(redelivery(RedeliveryKind::AfterDelete, 60));
    fixture.send(&queue, "x").await;
    let first = receive_and_delete(&fixture, &queue).await;
    assert!(receive_and_delete(&fixture, &queue).await.is_empty());
    fixture.advance("60s").await;
    assert_eq!(receive_and_delete(&fixture, &queue).await, first);
    fixture.advance("1h").await;
    assert!(receive_and_delete(&fixture, &queue).await.is_empty());
    assert_eq!(fixture.aws.faults().redelivered(), 1);
}

#[tokio::test]
async fn a_message_in_flight_is_delivered_once_more() {
    let Faulty { fixture, queue, .. } = Faulty::new().await;
    fixture.aws.faults().redeliver(redelivery(RedeliveryKind::WhileInFlight, 0));
    fixture.send(&queue, "x").await;
    let first = fixture.receive(&queue).await.remove(0);
    let second = fixture.receive(&queue).await.remove(0);
    assert_eq!((first.message_id(), first.body()), (second.message_id(), second.body()));
    assert_ne!(first.receipt_handle(), second.receipt_handle());
    assert!(fixture.receive(&queue).await.is_empty());
    fixture.delete(&queue, &first).await;
    assert_eq!(fixture.aws.sqs().in_flight("orders"), 1);
    fixture.delete(&queue, &second).await;
    assert_eq!(fixture.aws.sqs().in_flight("orders"), 0);
}

#[tokio::test]
async fn a_second_delivery_ends_a_long_poll() {
    let Faulty { fixture, queue, .. } = Faulty::new().await;
    fixture.aws.faults().redeliver(redelivery(RedeliveryKind::AfterDelete, 0));
    fixture.send(&queue, "x").await;
    let message = fixture.receive(&queue).await.remove(0);
    let waiting = tokio::spawn(fixture.sqs.receive_message().queue_url(&queue).wait_time_seconds(20).send());
    tokio::task::yield_now().await;
    fixture.delete(&queue, &message).await;
    let woken = tokio::time::timeout(Duration::from_secs(10), waiting).await.expect("is woken").expect("no panic");
    assert_eq!(woken.expect("receives").messages().len(), 1);
}

#[tokio::test]
async fn a_message_is_delivered_late() {
    let Faulty { fixture, queue, .. } = Faulty::new().await;
    fixture.aws.faults().redeliver(redelivery(RedeliveryKind::Late, 600));
    fixture.send(&queue, "x").await;
    fixture.advance("599s").await;
    assert!(fixture.bodies(&queue).await.is_empty());
    fixture.advance("1s").await;
    assert_eq!(fixture.bodies(&queue).await, ["x"]);
}

#[tokio::test]
async fn a_share_of_the_messages_is_delivered_twice_until_the_faults_are_cleared() {
    let Faulty { fixture, queue, .. } = Faulty::new().await;
    fixture
        .aws
        .faults()
        .redeliver(Redelivery { one_in: Some((7, 0.5)), ..redelivery(RedeliveryKind::AfterDelete, 60) });
    for n in 0..40 {
        fixture.send(&queue, &n.to_string()).await;
    }
    while !receive_and_delete(&fixture, &queue).await.is_empty() {}
    fixture.advance("60s").await;
    let again = fixture.aws.sqs().visible("orders");
    assert!((10..=30).contains(&again), "{again}");

    fixture.aws.faults().clear();
    while !receive_and_delete(&fixture, &queue).await.is_empty() {}
    fixture.send(&queue, "once").await;
    receive_and_delete(&fixture, &queue).await;
    fixture.advance("1h").await;
    assert_eq!(fixture.aws.sqs().visible("orders"), 0);
}

#[tokio::test]
async fn a_fifo_queue_never_delivers_twice() {
    let fixture = Fixture::new().await;
    let url = fixture.queue("orders.fifo", &[(QueueAttributeName::FifoQueue, "true")]).await;
    for again in [RedeliveryKind::AfterDelete, RedeliveryKind::WhileInFlight] {
        fixture.aws.faults().redeliver(Redelivery { queue: "orders.fifo".to_owned(), ..redelivery(again, 0) });
    }
    let send = fixture.sqs.send_message().queue_url(&url).message_body("x").message_group_id("g");
    send.message_deduplication_id("d").send().await.expect("sends");
    assert_eq!(receive_and_delete(&fixture, &url).await.len(), 1);
    assert!(receive_and_delete(&fixture, &url).await.is_empty());
}
