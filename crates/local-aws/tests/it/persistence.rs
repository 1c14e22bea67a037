//! A process that is killed has lost nothing it accepted. Each life here is a runtime that is dropped with everything in
//! flight, which is as little notice as a process can be given and still be in the same test.

use std::future::Future;
use std::path::Path;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use aws_sdk_scheduler::types::{ActionAfterCompletion, FlexibleTimeWindow, FlexibleTimeWindowMode, Target};
use aws_sdk_sqs::types::QueueAttributeName;
use local_aws::queue_arn;

use crate::here::{Here, ROLE, START};

/// Runs `life` against the endpoint that keeps its data in `directory`, then drops all of it without a word.
fn live<F: Future<Output = ()>>(directory: &Path, life: impl FnOnce(Here) -> F) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async { life(Here::at(START, Some(directory.to_owned())).await).await });
    runtime.shutdown_background();
}

#[test]
fn messages_survive_and_those_in_flight_come_back_when_their_timeout_has_passed() {
    let directory = tempfile::tempdir().expect("a directory");
    live(directory.path(), async |here| {
        let url = here.queue("orders", &[(QueueAttributeName::VisibilityTimeout, "60")]).await;
        for body in ["in flight", "deleted"] {
            here.send(&url, body).await;
        }
        let messages = here.receive(&url).await;
        here.delete(&url, &messages[1]).await;
        here.send(&url, "waiting").await;
        here.sqs.send_message().queue_url(&url).message_body("delayed").delay_seconds(90).send().await.expect("sends");
        here.advance("10s").await;
    });
    live(directory.path(), async |here| {
        assert_eq!(here.now(), "2026-11-20T14:00:10Z");
        let url = here.queue("orders", &[]).await;
        assert_eq!(here.attribute(&url, QueueAttributeName::VisibilityTimeout).await.as_deref(), Some("60"));
        assert_eq!(here.bodies(&url).await, ["waiting"]);
        here.advance("50s").await;
        assert_eq!(here.bodies(&url).await, ["in flight"]);
        here.advance("30s").await;
        assert!(here.bodies(&url).await.contains(&"delayed".to_owned()));
    });
}

#[test]
fn schedules_survive_and_fire() {
    let directory = tempfile::tempdir().expect("a directory");
    live(directory.path(), async |here| {
        here.queue("orders", &[]).await;
        here.scheduler.create_schedule_group().name("reprise").send().await.expect("creates");
        let target = Target::builder().arn(queue_arn("orders")).role_arn(ROLE).input("due").build();
        let off = FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build();
        let create = here.scheduler.create_schedule().name("slot").group_name("reprise");
        let create = create.schedule_expression("at(2026-11-20T14:05:00)").target(target.expect("a target"));
        let create = create.flexible_time_window(off.expect("a window"));
        create.action_after_completion(ActionAfterCompletion::Delete).send().await.expect("creates");
    });
    live(directory.path(), async |here| {
        here.advance("5m").await;
        assert_eq!(here.bodies(&here.aws.sqs().url("orders")).await, ["due"]);
        assert!(here.aws.scheduler().names("reprise").is_empty());
    });
}

#[test]
fn tables_survive() {
    let directory = tempfile::tempdir().expect("a directory");
    live(directory.path(), async |here| {
        let key = AttributeDefinition::builder().attribute_name("pk").attribute_type(ScalarAttributeType::S).build();
        let schema = KeySchemaElement::builder().attribute_name("pk").key_type(KeyType::Hash).build();
        let create = here.dynamodb.create_table().table_name("reprise").billing_mode(BillingMode::PayPerRequest);
        let create = create.attribute_definitions(key.expect("a key")).key_schema(schema.expect("a schema"));
        create.send().await.expect("creates");
        let put = here.dynamodb.put_item().table_name("reprise");
        put.item("pk", AttributeValue::S("4711".to_owned())).send().await.expect("puts");
    });
    live(directory.path(), async |here| {
        let get = here.dynamodb.get_item().table_name("reprise").key("pk", AttributeValue::S("4711".to_owned()));
        assert!(get.send().await.expect("gets").item.is_some());
    });
}

#[test]
fn a_shutdown_frees_the_address() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let here = Here::new().await;
        here.queue("orders", &[]).await;
        let address = here.aws.url().replace("http://", "");
        here.aws.clone().shutdown().await;
        tokio::net::TcpListener::bind(address).await.expect("is free");
    });
}
