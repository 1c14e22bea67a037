use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::primitives::Blob;
use aws_sdk_sqs::types::{MessageAttributeValue, QueueAttributeName, SendMessageBatchRequestEntry};

use crate::fixture::Fixture;

fn entry(id: &str, body: &str) -> SendMessageBatchRequestEntry {
    SendMessageBatchRequestEntry::builder().id(id).message_body(body).build().expect("an entry")
}

fn text(data_type: &str, value: &str) -> MessageAttributeValue {
    MessageAttributeValue::builder().data_type(data_type).string_value(value).build().expect("an attribute")
}

async fn refusal(fixture: &Fixture, url: &str, body: &str) -> (String, String) {
    let refused = fixture.sqs.send_message().queue_url(url).message_body(body).send().await.expect_err("refused");
    let refused = refused.into_service_error();
    (refused.code().unwrap_or_default().to_owned(), refused.message().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_batch_of_ten_is_sent_and_received() {
    let fixture = Fixture::new().await;
    let url = fixture.queue("orders", &[]).await;
    let entries: Vec<_> = (0..10).map(|n| entry(&n.to_string(), &format!("body {n}"))).collect();
    let sent = fixture.sqs.send_message_batch().queue_url(&url).set_entries(Some(entries)).send().await.expect("sends");
    assert_eq!(sent.successful().len(), 10);
    assert!(sent.failed().is_empty());
    assert_eq!(fixture.bodies(&url).await, (0..10).map(|n| format!("body {n}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn digests_are_those_of_aws() {
    let fixture = Fixture::new().await;
    let url = fixture.queue("orders", &[]).await;
    let send = fixture.sqs.send_message().queue_url(&url).message_body("derp");
    let sent = send.message_attributes("timestamp", text("Number", "1493147359900")).send().await.expect("sends");
    assert_eq!(sent.md5_of_message_body(), Some("58fd9edd83341c29f1aebba81c31e257"));
    assert_eq!(sent.md5_of_message_attributes(), Some("235c5c510d26fb653d073faed50ae77c"));
    let received = fixture.receive(&url).await.remove(0);
    assert_eq!(received.md5_of_body(), Some("58fd9edd83341c29f1aebba81c31e257"));
    assert_eq!(received.md5_of_message_attributes(), Some("235c5c510d26fb653d073faed50ae77c"));
}

#[tokio::test]
async fn attributes_of_every_type_arrive_as_they_were_sent() {
    let fixture = Fixture::new().await;
    let url = fixture.queue("orders", &[]).await;
    let binary = MessageAttributeValue::builder().data_type("Binary.gif").binary_value(Blob::new([0, 1, 255])).build();
    let binary = binary.expect("an attribute");
    fixture
        .sqs
        .send_message()
        .queue_url(&url)
        .message_body("x")
        .message_attributes("reprise", text("String", "{\"a\":1}"))
        .message_attributes("count", text("Number.int", "-12.5e3"))
        .message_attributes("picture", binary.clone())
        .send()
        .await
        .expect("sends");
    let received = fixture.receive(&url).await.remove(0);
    let attributes = received.message_attributes().expect("attributes");
    assert_eq!(attributes["reprise"], text("String", "{\"a\":1}"));
    assert_eq!(attributes["count"], text("Number.int", "-12.5e3"));
    assert_eq!(attributes["picture"], binary);
}

#[tokio::test]
async fn attributes_that_aws_refuses_are_refused() {
    let fixture = Fixture::new().await;
    let url = fixture.queue("orders", &[]).await;
    for (name, value) in [
        ("AWS.name", text("String", "x")),
        (".name", text("String", "x")),
        ("two..dots", text("String", "x")),
        ("sp ace", text("String", "x")),
        ("empty", text("String", "")),
        ("number", text("Number", "twelve")),
        ("type", text("Text", "x")),
    ] {
        let send = fixture.sqs.send_message().queue_url(&url).message_body("x").message_attributes(name, value);
        let refused = send.send().await.expect_err(name).into_service_error();
        assert_eq!(refused.code(), Some("InvalidParameterValue"), "{name}");
        assert!(refused.message().unwrap_or_default().contains(name), "{name}: {:?}", refused.message());
    }
    let mut send = fixture.sqs.send_message().queue_url(&url).message_body("x");
    for n in 0..11 {
        send = send.message_attributes(format!("a{n}"), text("String", "x"));
    }
    let refused = send.send().await.expect_err("eleven").into_service_error();
    assert_eq!(refused.message(), Some("Number of message attributes [11] exceeds the allowed maximum [10]."));
}

#[tokio::test]
async fn characters_outside_xml_are_refused_and_all_others_accepted() {
    let fixture = Fixture::new().await;
    let url = fixture.queue("orders", &[]).await;
    for bad in ["a\0b", "\u{1B}[0m", "\u{FFFE}"] {
        let refused = fixture.sqs.send_message().queue_url(&url).message_body(bad).send().await.expect_err("refused");
        assert!(refused.into_service_error().is_invalid_message_contents(), "{bad:?}");
    }
    let good = "UNB+UNOC:3'\r\n\tåøæ 漢 🙂 \u{85}\u{E000}\u{FFFD}";
    fixture.send(&url, good).await;
    assert_eq!(fixture.bodies(&url).await, [good]);
}

#[tokio::test]
async fn an_empty_body_is_refused() {
    let fixture = Fixture::new().await;
    let url = fixture.queue("orders", &[]).await;
    let (code, message) = refusal(&fixture, &url, "").await;
    assert_eq!(
        (code.as_str(), message.as_str()),
        ("MissingParameter", "The request must contain the parameter MessageBody.")
    );
}

#[tokio::test]
async fn a_message_with_its_attributes_may_have_at_most_one_mebibyte() {
    let fixture = Fixture::new().await;
    let url = fixture.queue("orders", &[]).await;
    fixture.send(&url, &"x".repeat(1_048_576)).await;
    let (code, message) = refusal(&fixture, &url, &"x".repeat(1_048_577)).await;
    assert_eq!(code, "InvalidParameterValue");
    assert!(message.ends_with("Message must be shorter than 1048576 bytes."), "{message}");
    // The name, the type and the value of an attribute count.
    let room = 1_048_576 - "name".len() - "String".len() - "value".len();
    for (body, fits) in [(room, true), (room + 1, false)] {
        let send = fixture.sqs.send_message().queue_url(&url).message_body("x".repeat(body));
        let sent = send.message_attributes("name", text("String", "value")).send().await;
        assert_eq!(sent.is_ok(), fits, "{body}");
    }
}

#[tokio::test]
async fn a_queue_can_have_a_lower_size_limit() {
    let fixture = Fixture::new().await;
    let url = fixture.queue("small", &[(QueueAttributeName::MaximumMessageSize, "1024")]).await;
    fixture.send(&url, &"x".repeat(1_024)).await;
    assert_eq!(refusal(&fixture, &url, &"x".repeat(1_025)).await.0, "InvalidParameterValue");
}

#[tokio::test]
async fn an_invalid_batch_is_refused_as_a_whole() {
    let fixture = Fixture::new().await;
    let url = fixture.queue("orders", &[]).await;
    let batch = |entries: Vec<SendMessageBatchRequestEntry>| {
        let send = fixture.sqs.send_message_batch().queue_url(&url).set_entries(Some(entries));
        async move { send.send().await.expect_err("refused").into_service_error() }
    };
    assert!(batch(vec![]).await.is_empty_batch_request());
    let eleven = (0..11).map(|n| entry(&n.to_string(), "x")).collect();
    assert!(batch(eleven).await.is_too_many_entries_in_batch_request());
    assert!(batch(vec![entry("a", "x"), entry("a", "y")]).await.is_batch_entry_ids_not_distinct());
    assert!(batch(vec![entry("a b", "x")]).await.is_invalid_batch_entry_id());
    let half = "x".repeat(524_289);
    assert!(batch(vec![entry("a", &half), entry("b", &half)]).await.is_batch_request_too_long());
    assert!(fixture.bodies(&url).await.is_empty());
}

#[tokio::test]
async fn an_invalid_entry_does_not_fail_the_other_entries() {
    let fixture = Fixture::new().await;
    let url = fixture.queue("orders", &[]).await;
    let send = fixture.sqs.send_message_batch().queue_url(&url);
    let sent = send.entries(entry("good", "x")).entries(entry("bad", "\u{1}")).send().await.expect("answers");
    assert_eq!(sent.successful()[0].id(), "good");
    assert_eq!((sent.failed()[0].id(), sent.failed()[0].code()), ("bad", "InvalidMessageContents"));
    assert!(sent.failed()[0].sender_fault());
    assert_eq!(fixture.bodies(&url).await, ["x"]);
}

#[tokio::test]
async fn a_delayed_message_becomes_visible_when_its_delay_has_passed() {
    let fixture = Fixture::new().await;
    let url = fixture.queue("orders", &[(QueueAttributeName::DelaySeconds, "10")]).await;
    fixture.send(&url, "by the queue").await;
    fixture
        .sqs
        .send_message()
        .queue_url(&url)
        .message_body("by the message")
        .delay_seconds(900)
        .send()
        .await
        .expect("sends");
    assert_eq!(
        fixture.attribute(&url, QueueAttributeName::ApproximateNumberOfMessagesDelayed).await.as_deref(),
        Some("2")
    );
    fixture.advance("9s").await;
    assert!(fixture.bodies(&url).await.is_empty());
    fixture.advance("1s").await;
    assert_eq!(fixture.bodies(&url).await, ["by the queue"]);
    fixture.advance("890s").await;
    assert!(fixture.bodies(&url).await.contains(&"by the message".to_owned()));
}

#[tokio::test]
async fn a_delay_beyond_fifteen_minutes_is_refused() {
    let fixture = Fixture::new().await;
    let url = fixture.queue("orders", &[]).await;
    for seconds in [-1, 901] {
        let send = fixture.sqs.send_message().queue_url(&url).message_body("x").delay_seconds(seconds);
        assert_eq!(send.send().await.expect_err("refused").into_service_error().code(), Some("InvalidParameterValue"));
    }
}

#[tokio::test]
async fn sending_to_a_missing_queue_is_refused_as_on_aws() {
    let fixture = Fixture::new().await;
    let url = fixture.aws.sqs().url("nowhere");
    let refused = fixture.sqs.send_message().queue_url(url).message_body("x").send().await.expect_err("refused");
    let refused = refused.into_service_error();
    assert_eq!(refused.code(), Some("AWS.SimpleQueueService.NonExistentQueue"));
    assert_eq!(refused.message(), Some("The specified queue does not exist."));
}
