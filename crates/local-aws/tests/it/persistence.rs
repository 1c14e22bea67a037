//! A process that dies without a word has lost nothing it accepted. The first life of each test is a process of its own,
//! this same binary told to run one, and ends by `abort`: nothing is closed, nothing is flushed.

use std::path::{Path, PathBuf};
use std::process::Command;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use aws_sdk_scheduler::types::{ActionAfterCompletion, FlexibleTimeWindow, FlexibleTimeWindowMode, Target};
use aws_sdk_sqs::types::QueueAttributeName;
use local_aws::queue_arn;

use crate::here::{Here, ROLE, START};

const LIFE: &str = "LOCAL_AWS_TEST_LIFE";
const DIRECTORY: &str = "LOCAL_AWS_TEST_DIRECTORY";

/// Has a process of its own live `life` and die.
fn first(life: &str, directory: &Path) {
    let mut process = Command::new(std::env::current_exe().expect("this binary"));
    process.args(["persistence::a_life_is_cut_short_when_it_is_asked_for", "--exact", "--nocapture"]);
    let output = process.env(LIFE, life).env(DIRECTORY, directory).output().expect("runs");
    // A life that failed ends as a failed test does, and not by a signal.
    assert_eq!(output.status.code(), None, "{}", String::from_utf8_lossy(&output.stderr));
}

async fn second(directory: &Path) -> Here {
    Here::at(START, Some(directory.to_owned())).await
}

#[tokio::test]
async fn a_life_is_cut_short_when_it_is_asked_for() {
    let (Ok(life), Some(directory)) = (std::env::var(LIFE), std::env::var_os(DIRECTORY)) else { return };
    let here = Here::at(START, Some(PathBuf::from(directory))).await;
    match life.as_str() {
        "messages" => send_receive_and_delete(&here).await,
        "schedules" => schedule(&here).await,
        "tables" => put(&here).await,
        other => panic!("no life is called {other}"),
    }
    std::process::abort();
}

async fn send_receive_and_delete(here: &Here) {
    let url = here.queue("orders", &[(QueueAttributeName::VisibilityTimeout, "60")]).await;
    for body in ["in flight", "deleted"] {
        here.send(&url, body).await;
    }
    let messages = here.receive(&url).await;
    here.delete(&url, &messages[1]).await;
    here.send(&url, "waiting").await;
    here.sqs.send_message().queue_url(&url).message_body("delayed").delay_seconds(90).send().await.expect("sends");
    here.advance("10s").await;
}

#[tokio::test]
async fn messages_survive_and_those_in_flight_come_back_when_their_timeout_has_passed() {
    let directory = tempfile::tempdir().expect("a directory");
    first("messages", directory.path());
    let here = second(directory.path()).await;
    assert_eq!(here.now(), "2026-11-20T14:00:10Z");
    let url = here.queue("orders", &[]).await;
    assert_eq!(here.attribute(&url, QueueAttributeName::VisibilityTimeout).await.as_deref(), Some("60"));
    assert_eq!(here.bodies(&url).await, ["waiting"]);
    here.advance("50s").await;
    assert_eq!(here.bodies(&url).await, ["in flight"]);
    here.advance("30s").await;
    assert!(here.bodies(&url).await.contains(&"delayed".to_owned()));
}

async fn schedule(here: &Here) {
    here.queue("orders", &[]).await;
    here.scheduler.create_schedule_group().name("reprise").send().await.expect("creates");
    let target = Target::builder().arn(queue_arn("orders")).role_arn(ROLE).input("due").build();
    let off = FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build();
    let create = here.scheduler.create_schedule().name("slot").group_name("reprise");
    let create = create.schedule_expression("at(2026-11-20T14:05:00)").target(target.expect("a target"));
    let create = create.flexible_time_window(off.expect("a window"));
    create.action_after_completion(ActionAfterCompletion::Delete).send().await.expect("creates");
}

#[tokio::test]
async fn schedules_survive_and_fire() {
    let directory = tempfile::tempdir().expect("a directory");
    first("schedules", directory.path());
    let here = second(directory.path()).await;
    here.advance("5m").await;
    assert_eq!(here.bodies(&here.aws.sqs().url("orders")).await, ["due"]);
    assert!(here.aws.scheduler().names("reprise").is_empty());
}

async fn put(here: &Here) {
    let key = AttributeDefinition::builder().attribute_name("pk").attribute_type(ScalarAttributeType::S).build();
    let schema = KeySchemaElement::builder().attribute_name("pk").key_type(KeyType::Hash).build();
    let create = here.dynamodb.create_table().table_name("reprise").billing_mode(BillingMode::PayPerRequest);
    let create = create.attribute_definitions(key.expect("a key")).key_schema(schema.expect("a schema"));
    create.send().await.expect("creates");
    let put = here.dynamodb.put_item().table_name("reprise");
    put.item("pk", AttributeValue::S("4711".to_owned())).send().await.expect("puts");
}

#[tokio::test]
async fn tables_survive() {
    let directory = tempfile::tempdir().expect("a directory");
    first("tables", directory.path());
    let here = second(directory.path()).await;
    let get = here.dynamodb.get_item().table_name("reprise").key("pk", AttributeValue::S("4711".to_owned()));
    assert!(get.send().await.expect("gets").item.is_some());
}
