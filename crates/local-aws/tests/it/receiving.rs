use std::collections::HashSet;
use std::time::Duration;

use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, MessageAttributeValue,
    MessageSystemAttributeName, MessageSystemAttributeNameForSends, MessageSystemAttributeValue, QueueAttributeName,
};

use crate::fixture::Fixture;

#[tokio::test]
async fn a_received_message_is_invisible_until_its_timeout_has_passed() {
    let fixture = Fixture::new().await;
    let url = fixture.queue("orders", &[(QueueAttributeName::VisibilityTimeout, "60")]).await;
    fixture.send(&url, "x").await;
    assert_eq!(fixture.bodies(&url).await, ["x"]);
    assert!(fixture.bodies(&url).await.is_empty());
    assert_eq!(
        fixture.attribute(&url, QueueAttributeName::ApproximateNumberOfMessagesNotVisible).await.as_deref(),
        Some("1")
    );
    fixture.advance("59s").await;
    assert!(fixture.bodies(&url).await.is_empty());
    fixture.advance("1s").await;
    assert_eq!(fixture.bodies(&url).await, ["x"]);
}

#[tokio::test]
async fn the_system_attributes_contain_the_history_of_the_message() {
    let fixture = Fixture::new().await;
    let url = fixture.queue("orders", &[]).await;
    let trace = MessageSystemAttributeValue::builder().data_type("String").string_value("Root=1-5").build();
    fixture
        .sqs
        .send_message()
        .queue_url(&url)
        .message_body("x")
        .message_system_attributes(MessageSystemAttributeNameForSends::AwsTraceHeader, trace.expect("an attribute"))
        .message_group_id("tenant-1")
        .send()
        .await
        .expect("sends");
    fixture.advance("5s").await;
    fixture.receive(&url).await;
    fixture.advance("30s").await;
    let message = fixture.receive(&url).await.remove(0);
    let attributes = message.attributes().expect("attributes");
    let attribute = |name: MessageSystemAttributeName| attributes[&name].as_str();
    assert_eq!(attribute(MessageSystemAttributeName::SentTimestamp), "1795183200000");
    assert_eq!(attribute(MessageSystemAttributeName::ApproximateFirstReceiveTimestamp), "1795183205000");
    assert_eq!(attribute(MessageSystemAttributeName::ApproximateReceiveCount), "2");
    assert_eq!(attribute(MessageSystemAttributeName::SenderId), "000000000000");
    assert_eq!(attribute(MessageSystemAttributeName::AwsTraceHeader), "Root=1-5");
    assert_eq!(attribute(MessageSystemAttributeName::MessageGroupId), "tenant-1");
}

#[tokio::test]
async fn a_receiver_gets_the_attributes_that_it_requests() {
    let fixture = Fixture::new().await;
    let url = fixture.queue("orders", &[(QueueAttributeName::VisibilityTimeout, "0")]).await;
    let mut send = fixture.sqs.send_message().queue_url(&url).message_body("x");
    for name in ["reprise", "app.one", "app.two"] {
        let value = MessageAttributeValue::builder().data_type("String").string_value(name).build();
        send = send.message_attributes(name, value.expect("an attribute"));
    }
    send.send().await.expect("sends");
    for (asked, seen) in [
        (vec![], vec![]),
        (vec!["reprise"], vec!["reprise"]),
        (vec!["app.*"], vec!["app.one", "app.two"]),
        (vec!["All"], vec!["app.one", "app.two", "reprise"]),
        (vec![".*"], vec!["app.one", "app.two", "reprise"]),
    ] {
        let names = asked.iter().map(|name| (*name).to_owned()).collect();
        let receive = fixture.sqs.receive_message().queue_url(&url).set_message_attribute_names(Some(names));
        let message = receive.send().await.expect("receives").messages.unwrap_or_default().remove(0);
        let mut names: Vec<_> = message.message_attributes.unwrap_or_default().into_keys().collect();
        names.sort();
        assert_eq!(names, seen, "{asked:?}");
        assert_eq!(message.md5_of_message_attributes.is_some(), !seen.is_empty());
        assert!(message.attributes.is_none());
    }
}

#[tokio::test]
async fn a_deleted_message_is_not_received_again() {
    let fixture = Fixture::new().await;
    let url = fixture.queue("orders", &[]).await;
    fixture.send(&url, "x").await;
    let message = fixture.receive(&url).await.remove(0);
    fixture.delete(&url, &message).await;
    fixture.delete(&url, &message).await;
    fixture.advance("1h").await;
    assert!(fixture.bodies(&url).await.is_empty());
}

#[tokio::test]
async fn a_stale_receipt_handle_deletes_nothing() {
    let fixture = Fixture::new().await;
    let url = fixture.queue("orders", &[]).await;
    fixture.send(&url, "x").await;
    let first = fixture.receive(&url).await.remove(0);
    fixture.advance("30s").await;
    let second = fixture.receive(&url).await.remove(0);
    fixture.delete(&url, &first).await;
    fixture.advance("30s").await;
    assert_eq!(fixture.receive(&url).await.len(), 1);
    assert_ne!(first.receipt_handle, second.receipt_handle);
}

#[tokio::test]
async fn a_receipt_handle_of_another_queue_is_refused() {
    let fixture = Fixture::new().await;
    let (url, other) = (fixture.queue("orders", &[]).await, fixture.queue("other", &[]).await);
    fixture.send(&url, "x").await;
    let handle = fixture.receive(&url).await.remove(0).receipt_handle.expect("a handle");
    for handle in [handle.as_str(), "nonsense"] {
        let refused =
            fixture.sqs.delete_message().queue_url(&other).receipt_handle(handle).send().await.expect_err("refused");
        assert!(refused.into_service_error().is_receipt_handle_is_invalid());
    }
}

#[tokio::test]
async fn a_batch_delete_returns_a_result_for_each_entry() {
    let fixture = Fixture::new().await;
    let url = fixture.queue("orders", &[]).await;
    fixture.send(&url, "x").await;
    let handle = fixture.receive(&url).await.remove(0).receipt_handle.expect("a handle");
    let entry = |id: &str, handle: &str| {
        DeleteMessageBatchRequestEntry::builder().id(id).receipt_handle(handle).build().expect("an entry")
    };
    let delete =
        fixture.sqs.delete_message_batch().queue_url(&url).entries(entry("good", &handle)).entries(entry("bad", "x"));
    let deleted = delete.send().await.expect("answers");
    assert_eq!(deleted.successful()[0].id(), "good");
    assert_eq!((deleted.failed()[0].id(), deleted.failed()[0].code()), ("bad", "ReceiptHandleIsInvalid"));
}

#[tokio::test]
async fn a_visibility_timeout_can_be_ended_and_extended() {
    let fixture = Fixture::new().await;
    let url = fixture.queue("orders", &[]).await;
    fixture.send(&url, "x").await;
    let change = |handle: Option<String>, seconds: i32| {
        let change = fixture.sqs.change_message_visibility().queue_url(&url).set_receipt_handle(handle);
        change.visibility_timeout(seconds).send()
    };
    let first = fixture.receive(&url).await.remove(0);
    change(first.receipt_handle.clone(), 0).await.expect("changes");
    let second = fixture.receive(&url).await.remove(0);
    change(second.receipt_handle.clone(), 600).await.expect("changes");
    fixture.advance("599s").await;
    assert!(fixture.receive(&url).await.is_empty());
    fixture.advance("1s").await;
    let refused = change(second.receipt_handle.clone(), 10).await.expect_err("visible").into_service_error();
    assert!(refused.is_message_not_inflight());
    let third = fixture.receive(&url).await.remove(0);
    let refused = change(third.receipt_handle, 43_201).await.expect_err("too long").into_service_error();
    assert_eq!(refused.code(), Some("InvalidParameterValue"));
}

#[tokio::test]
async fn a_total_visibility_timeout_beyond_twelve_hours_is_refused() {
    let fixture = Fixture::new().await;
    let url = fixture.queue("orders", &[(QueueAttributeName::VisibilityTimeout, "43200")]).await;
    fixture.send(&url, "x").await;
    let handle = fixture.receive(&url).await.remove(0).receipt_handle.expect("a handle");
    fixture.advance("2h").await;
    let entry = |id: &str, seconds| {
        let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(id).receipt_handle(&handle);
        entry.visibility_timeout(seconds).build().expect("an entry")
    };
    let change = fixture.sqs.change_message_visibility_batch().queue_url(&url);
    let changed = change.entries(entry("more", 36_001)).entries(entry("all", 36_000)).send().await.expect("answers");
    assert_eq!(changed.successful()[0].id(), "all");
    assert_eq!(changed.failed()[0].code(), "InvalidParameterValue");
}

#[tokio::test]
async fn parameters_of_a_receive_out_of_bounds_are_refused() {
    let fixture = Fixture::new().await;
    let url = fixture.queue("orders", &[]).await;
    let receive = || fixture.sqs.receive_message().queue_url(&url);
    for refused in [
        receive().max_number_of_messages(0),
        receive().max_number_of_messages(11),
        receive().wait_time_seconds(21),
        receive().visibility_timeout(43_201),
    ] {
        let refused = refused.send().await.expect_err("refused").into_service_error();
        assert_eq!(refused.code(), Some("InvalidParameterValue"));
    }
}

#[tokio::test]
async fn a_long_poll_ends_when_a_message_arrives() {
    let fixture = Fixture::new().await;
    let url = fixture.queue("orders", &[]).await;
    let poll = tokio::spawn(fixture.sqs.receive_message().queue_url(&url).wait_time_seconds(20).send());
    fixture.send(&url, "x").await;
    let received = poll.await.expect("runs").expect("receives").messages.unwrap_or_default();
    assert_eq!(received[0].body(), Some("x"));
}

#[tokio::test]
async fn a_long_poll_ends_when_the_clock_makes_a_message_visible() {
    let fixture = Fixture::new().await;
    let url = fixture.queue("orders", &[]).await;
    fixture.sqs.send_message().queue_url(&url).message_body("x").delay_seconds(60).send().await.expect("sends");
    let poll = tokio::spawn(fixture.sqs.receive_message().queue_url(&url).wait_time_seconds(20).send());
    fixture.advance("60s").await;
    assert_eq!(poll.await.expect("runs").expect("receives").messages.unwrap_or_default().len(), 1);
}

#[tokio::test]
async fn messages_are_deleted_after_the_retention_period() {
    let fixture = Fixture::new().await;
    let url = fixture.queue("orders", &[(QueueAttributeName::MessageRetentionPeriod, "3600")]).await;
    fixture.send(&url, "untouched").await;
    fixture.send(&url, "received once").await;
    let first = fixture.receive(&url).await;
    assert_eq!(first.len(), 2);
    fixture.advance("59m").await;
    assert_eq!(fixture.attribute(&url, QueueAttributeName::ApproximateNumberOfMessages).await.as_deref(), Some("2"));
    fixture.advance("1m").await;
    assert!(fixture.bodies(&url).await.is_empty());
    assert_eq!(fixture.attribute(&url, QueueAttributeName::ApproximateNumberOfMessages).await.as_deref(), Some("0"));
}

#[tokio::test]
async fn the_handle_receives_messages_of_the_sdk() {
    let fixture = Fixture::new().await;
    let url = fixture.queue("orders", &[]).await;
    let sqs = fixture.aws.sqs();
    assert!(sqs.receive("orders", 10, Duration::from_secs(30)).await.is_empty());
    for n in 0..25 {
        fixture.send(&url, &n.to_string()).await;
    }
    sqs.changed("orders").await;
    let messages = sqs.receive("orders", 100, Duration::from_secs(30)).await;
    assert_eq!(messages.iter().map(|message| message.id.as_str()).collect::<HashSet<_>>().len(), 25);
    assert_eq!((sqs.visible("orders"), sqs.in_flight("orders")), (0, 25));
    sqs.change_visibility("orders", &messages[0].receipt, Duration::ZERO);
    assert_eq!((sqs.visible("orders"), sqs.in_flight("orders")), (1, 24));
    let receipts: Vec<_> = messages[1..].iter().map(|message| message.receipt.as_str()).collect();
    sqs.delete_all("orders", &receipts);
    assert_eq!((sqs.visible("orders"), sqs.in_flight("orders")), (1, 0));
}

#[tokio::test]
async fn no_more_than_120_000_messages_are_in_flight() {
    let fixture = Fixture::new().await;
    let url = fixture.queue("orders", &[]).await;
    let sqs = fixture.aws.sqs();
    for _ in 0..12_001 {
        let entries: Vec<_> = (0..10).map(|n| serde_json::json!({ "Id": n.to_string(), "MessageBody": "x" })).collect();
        let batch = serde_json::json!({ "QueueUrl": url, "Entries": entries });
        sqs.call("SendMessageBatch", batch).await.expect("sends");
    }
    let taken = sqs.receive("orders", 119_995, Duration::from_secs(30)).await;
    assert_eq!(taken.len(), 119_995);
    assert_eq!(fixture.receive(&url).await.len(), 5);
    let refused = fixture.sqs.receive_message().queue_url(&url).send().await.expect_err("refused").into_service_error();
    assert!(refused.is_over_limit());
    sqs.delete("orders", &taken[0].receipt);
    assert_eq!(fixture.receive(&url).await.len(), 1);
}
