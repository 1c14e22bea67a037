use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::types::QueueAttributeName;
use local_aws::queue_arn;

use crate::fixture::Fixture;

#[tokio::test]
async fn creating_an_equal_queue_again_returns_its_url() {
    let fixture = Fixture::new().await;
    let timeout = |value: &'static str| (QueueAttributeName::VisibilityTimeout, value);
    let url = fixture.queue("orders", &[timeout("60")]).await;
    assert_eq!(url, format!("{}/000000000000/orders", fixture.aws.url()));
    assert_eq!(fixture.queue("orders", &[timeout("60")]).await, url);
    assert_eq!(fixture.queue("orders", &[]).await, url);
    let create =
        fixture.sqs.create_queue().queue_name("orders").attributes(QueueAttributeName::VisibilityTimeout, "61");
    let refused = create.send().await.expect_err("refused").into_service_error();
    assert_eq!(refused.code(), Some("QueueAlreadyExists"));
    assert!(refused.message().unwrap_or_default().ends_with("VisibilityTimeout"));
}

#[tokio::test]
async fn the_defaults_are_those_of_aws() {
    let fixture = Fixture::new().await;
    let url = fixture.queue("orders", &[]).await;
    let get = fixture.sqs.get_queue_attributes().queue_url(&url).attribute_names(QueueAttributeName::All);
    let attributes = get.send().await.expect("answers").attributes.unwrap_or_default();
    let mut lines: Vec<_> = attributes.iter().map(|(name, value)| format!("{}={value}", name.as_str())).collect();
    lines.sort();
    let arn = format!("QueueArn={}", queue_arn("orders"));
    assert_eq!(
        lines,
        [
            "ApproximateNumberOfMessages=0",
            "ApproximateNumberOfMessagesDelayed=0",
            "ApproximateNumberOfMessagesNotVisible=0",
            "CreatedTimestamp=1795183200",
            "DelaySeconds=0",
            "LastModifiedTimestamp=1795183200",
            "MaximumMessageSize=1048576",
            "MessageRetentionPeriod=345600",
            arn.as_str(),
            "ReceiveMessageWaitTimeSeconds=0",
            "SqsManagedSseEnabled=true",
            "VisibilityTimeout=30",
        ]
    );
}

#[tokio::test]
async fn attributes_can_be_changed_and_policies_removed() {
    let fixture = Fixture::new().await;
    fixture.queue("dead", &[]).await;
    let url = fixture.queue("orders", &[]).await;
    let set = |name, value: &str| fixture.sqs.set_queue_attributes().queue_url(&url).attributes(name, value).send();
    let policy = format!(r#"{{"deadLetterTargetArn":"{}","maxReceiveCount":"3"}}"#, queue_arn("dead"));
    fixture.advance("5s").await;
    set(QueueAttributeName::RedrivePolicy, &policy).await.expect("sets");
    set(QueueAttributeName::VisibilityTimeout, "5").await.expect("sets");
    assert_eq!(fixture.attribute(&url, QueueAttributeName::RedrivePolicy).await, Some(policy));
    assert_eq!(fixture.attribute(&url, QueueAttributeName::LastModifiedTimestamp).await.as_deref(), Some("1795183205"));
    fixture.send(&url, "x").await;
    fixture.receive(&url).await;
    fixture.advance("5s").await;
    assert_eq!(fixture.receive(&url).await.len(), 1);
    set(QueueAttributeName::RedrivePolicy, "").await.expect("sets");
    assert_eq!(fixture.attribute(&url, QueueAttributeName::RedrivePolicy).await, None);
}

#[tokio::test]
async fn invalid_attributes_are_refused() {
    let fixture = Fixture::new().await;
    let arn = queue_arn("nowhere");
    for (name, value) in [
        (QueueAttributeName::VisibilityTimeout, "43201".to_owned()),
        (QueueAttributeName::DelaySeconds, "901".to_owned()),
        (QueueAttributeName::MessageRetentionPeriod, "59".to_owned()),
        (QueueAttributeName::MaximumMessageSize, "1048577".to_owned()),
        (QueueAttributeName::ReceiveMessageWaitTimeSeconds, "many".to_owned()),
        (QueueAttributeName::FifoQueue, "yes".to_owned()),
        (QueueAttributeName::ContentBasedDeduplication, "true".to_owned()),
        (QueueAttributeName::RedrivePolicy, "{".to_owned()),
        (QueueAttributeName::RedrivePolicy, format!(r#"{{"deadLetterTargetArn":"{arn}"}}"#)),
        (QueueAttributeName::RedrivePolicy, format!(r#"{{"deadLetterTargetArn":"{arn}","maxReceiveCount":1001}}"#)),
        (QueueAttributeName::from("Colour"), "red".to_owned()),
    ] {
        let create = fixture.sqs.create_queue().queue_name("orders").attributes(name.clone(), &value);
        assert!(create.send().await.is_err(), "{name:?} {value}");
    }
}

#[tokio::test]
async fn names_that_aws_refuses_are_refused() {
    let fixture = Fixture::new().await;
    let long = "x".repeat(81);
    for name in ["", "or ders", "orders.fifo", "ordérs", long.as_str()] {
        assert!(fixture.sqs.create_queue().queue_name(name).send().await.is_err(), "{name}");
    }
    let fifo = fixture.sqs.create_queue().queue_name("orders").attributes(QueueAttributeName::FifoQueue, "true");
    assert!(fifo.send().await.is_err());
}

#[tokio::test]
async fn queues_are_listed_by_prefix_and_page() {
    let fixture = Fixture::new().await;
    for n in 0..5 {
        fixture.queue(&format!("orders-{n}"), &[]).await;
    }
    fixture.queue("invoices", &[]).await;
    let pages = fixture.sqs.list_queues().queue_name_prefix("orders").max_results(2).into_paginator().send();
    let sizes: Vec<_> =
        pages.collect::<Result<Vec<_>, _>>().await.expect("lists").iter().map(|page| page.queue_urls().len()).collect();
    assert_eq!(sizes, [2, 2, 1]);
    assert_eq!(fixture.sqs.list_queues().send().await.expect("lists").queue_urls().len(), 6);
}

#[tokio::test]
async fn get_queue_url_returns_the_url() {
    let fixture = Fixture::new().await;
    let url = fixture.queue("orders", &[]).await;
    let asked = fixture.sqs.get_queue_url().queue_name("orders").send().await.expect("answers");
    assert_eq!(asked.queue_url(), Some(url.as_str()));
    let refused = fixture.sqs.get_queue_url().queue_name("nowhere").send().await.expect_err("refused");
    assert!(refused.into_service_error().is_queue_does_not_exist());
}

#[tokio::test]
async fn a_purge_deletes_the_messages_and_a_delete_removes_the_queue() {
    let fixture = Fixture::new().await;
    let url = fixture.queue("orders", &[]).await;
    for _ in 0..3 {
        fixture.send(&url, "x").await;
    }
    fixture.sqs.purge_queue().queue_url(&url).send().await.expect("purges");
    assert!(fixture.receive(&url).await.is_empty());
    fixture.send(&url, "x").await;
    let poll = tokio::spawn(
        fixture.sqs.receive_message().queue_url(&fixture.queue("idle", &[]).await).wait_time_seconds(20).send(),
    );
    fixture.sqs.delete_queue().queue_url(&url).send().await.expect("deletes");
    fixture.sqs.delete_queue().queue_url(fixture.aws.sqs().url("idle")).send().await.expect("deletes");
    assert!(fixture.sqs.receive_message().queue_url(&url).send().await.is_err());
    // A long poll of a deleted queue fails.
    assert!(poll.await.expect("runs").is_err());
    assert!(fixture.receive(&fixture.queue("orders", &[]).await).await.is_empty());
}

#[tokio::test]
async fn tags_are_stored() {
    let fixture = Fixture::new().await;
    let url = fixture.queue("orders", &[]).await;
    fixture.sqs.tag_queue().queue_url(&url).tags("team", "edi").tags("stage", "test").send().await.expect("tags");
    fixture.sqs.untag_queue().queue_url(&url).tag_keys("stage").send().await.expect("untags");
    let tags = fixture.sqs.list_queue_tags().queue_url(&url).send().await.expect("lists").tags.unwrap_or_default();
    assert_eq!(tags.into_iter().collect::<Vec<_>>(), [("team".to_owned(), "edi".to_owned())]);
}
