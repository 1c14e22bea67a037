use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::types::{MessageSystemAttributeName, QueueAttributeName};

use crate::fixture::Fixture;

const FIFO: (QueueAttributeName, &str) = (QueueAttributeName::FifoQueue, "true");
const FROM_BODY: (QueueAttributeName, &str) = (QueueAttributeName::ContentBasedDeduplication, "true");

async fn send(
    fixture: &Fixture,
    url: &str,
    group: &str,
    body: &str,
) -> aws_sdk_sqs::operation::send_message::SendMessageOutput {
    fixture.sqs.send_message().queue_url(url).message_body(body).message_group_id(group).send().await.expect("sends")
}

#[tokio::test]
async fn a_group_is_delivered_in_order_and_blocked_while_a_message_is_in_flight() {
    let fixture = Fixture::new().await;
    let url = fixture.queue("orders.fifo", &[FIFO, FROM_BODY]).await;
    for (group, body) in [("a", "a1"), ("a", "a2"), ("b", "b1"), ("a", "a3")] {
        send(&fixture, &url, group, body).await;
    }
    let receive = || fixture.sqs.receive_message().queue_url(&url).max_number_of_messages(1).send();
    let first = receive().await.expect("receives").messages.unwrap_or_default().remove(0);
    assert_eq!(first.body(), Some("a1"));
    assert_eq!(fixture.bodies(&url).await, ["b1"]);
    fixture.delete(&url, &first).await;
    assert_eq!(fixture.bodies(&url).await, ["a2", "a3"]);
}

#[tokio::test]
async fn a_group_is_unblocked_when_the_visibility_timeout_has_passed() {
    let fixture = Fixture::new().await;
    let url = fixture.queue("orders.fifo", &[FIFO, FROM_BODY]).await;
    send(&fixture, &url, "a", "1").await;
    assert_eq!(fixture.bodies(&url).await, ["1"]);
    send(&fixture, &url, "a", "2").await;
    assert!(fixture.bodies(&url).await.is_empty());
    fixture.advance("30s").await;
    assert_eq!(fixture.bodies(&url).await, ["1", "2"]);
}

#[tokio::test]
async fn a_deduplication_id_is_accepted_once_within_five_minutes() {
    let fixture = Fixture::new().await;
    let url = fixture.queue("orders.fifo", &[FIFO]).await;
    let send = |id: &str| {
        let send = fixture.sqs.send_message().queue_url(&url).message_body("x").message_group_id("a");
        send.message_deduplication_id(id).send()
    };
    let first = send("4711#1").await.expect("sends");
    let again = send("4711#1").await.expect("is accepted");
    let next = send("4711#2").await.expect("sends");
    assert_eq!((first.message_id(), first.sequence_number()), (again.message_id(), again.sequence_number()));
    assert!(first.sequence_number() < next.sequence_number());
    assert_eq!(fixture.receive(&url).await.len(), 2);
    fixture.advance("299s").await;
    send("4711#1").await.expect("is accepted");
    assert_eq!(fixture.receive(&url).await.len(), 2);
    fixture.advance("60s").await;
    send("4711#1").await.expect("sends");
    assert_eq!(fixture.receive(&url).await.len(), 3);
}

#[tokio::test]
async fn deduplication_can_be_by_group() {
    let fixture = Fixture::new().await;
    let scope = (QueueAttributeName::DeduplicationScope, "messageGroup");
    let url = fixture.queue("orders.fifo", &[FIFO, FROM_BODY, scope]).await;
    for group in ["a", "b", "a"] {
        send(&fixture, &url, group, "same").await;
    }
    assert_eq!(fixture.receive(&url).await.len(), 2);
}

#[tokio::test]
async fn a_fifo_queue_requires_its_parameters() {
    let fixture = Fixture::new().await;
    let url = fixture.queue("orders.fifo", &[FIFO]).await;
    let send = || fixture.sqs.send_message().queue_url(&url).message_body("x");
    for (send, code) in [
        (send(), "MissingParameter"),
        (send().message_group_id("a"), "InvalidParameterValue"),
        (send().message_group_id("a b").message_deduplication_id("1"), "InvalidParameterValue"),
        (send().message_group_id("a").message_deduplication_id("1").delay_seconds(5), "InvalidParameterValue"),
    ] {
        assert_eq!(send.send().await.expect_err(code).into_service_error().code(), Some(code));
    }
    let standard = fixture.queue("orders", &[]).await;
    let send = fixture.sqs.send_message().queue_url(&standard).message_body("x").message_deduplication_id("1");
    assert_eq!(send.send().await.expect_err("refused").into_service_error().code(), Some("InvalidParameterValue"));
}

#[tokio::test]
async fn an_expired_receipt_handle_is_refused() {
    let fixture = Fixture::new().await;
    let url = fixture.queue("orders.fifo", &[FIFO, FROM_BODY]).await;
    send(&fixture, &url, "a", "x").await;
    let message = fixture.receive(&url).await.remove(0);
    fixture.advance("30s").await;
    let delete = fixture.sqs.delete_message().queue_url(&url).set_receipt_handle(message.receipt_handle);
    let refused = delete.send().await.expect_err("refused").into_service_error();
    assert_eq!(refused.code(), Some("InvalidParameterValue"));
    assert!(refused.message().unwrap_or_default().ends_with("The receipt handle has expired."));
}

#[tokio::test]
async fn a_fifo_message_has_its_group_deduplication_id_and_sequence_number() {
    let fixture = Fixture::new().await;
    let url = fixture.queue("orders.fifo", &[FIFO, FROM_BODY]).await;
    let sent = send(&fixture, &url, "PO-1001", "hello").await;
    let message = fixture.receive(&url).await.remove(0);
    let attributes = message.attributes().expect("attributes");
    assert_eq!(attributes[&MessageSystemAttributeName::MessageGroupId], "PO-1001");
    assert_eq!(
        attributes[&MessageSystemAttributeName::MessageDeduplicationId],
        "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    );
    assert_eq!(attributes.get(&MessageSystemAttributeName::SequenceNumber).map(String::as_str), sent.sequence_number());
    assert_eq!(sent.sequence_number().map(str::len), Some(20));
}
