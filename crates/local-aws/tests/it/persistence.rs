//! A process that dies suddenly loses nothing that it accepted. Each test first starts a child process, which is this test
//! binary. The child runs a scenario and calls `abort`, so nothing is closed or flushed. Then the test reopens the data.

use std::path::{Path, PathBuf};
use std::process::Command;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use aws_sdk_scheduler::types::{ActionAfterCompletion, FlexibleTimeWindow, FlexibleTimeWindowMode, Target};
use aws_sdk_sqs::types::QueueAttributeName;
use local_aws::queue_arn;

use crate::fixture::{Fixture, ROLE, START};

const SCENARIO: &str = "LOCAL_AWS_TEST_SCENARIO";
const DIRECTORY: &str = "LOCAL_AWS_TEST_DIRECTORY";

/// Runs a scenario in a child process that aborts at its end.
fn run_and_abort(scenario: &str, directory: &Path) {
    let mut process = Command::new(std::env::current_exe().expect("this binary"));
    process.args(["persistence::child_process_runs_its_scenario_and_aborts", "--exact", "--nocapture"]);
    let output = process.env(SCENARIO, scenario).env(DIRECTORY, directory).output().expect("runs");
    // A failed scenario ends like a failed test, with an exit code; `abort` ends by a signal, without one.
    assert_eq!(output.status.code(), None, "{}", String::from_utf8_lossy(&output.stderr));
}

async fn reopen(directory: &Path) -> Fixture {
    Fixture::at(START, Some(directory.to_owned())).await
}

#[tokio::test]
async fn child_process_runs_its_scenario_and_aborts() {
    let (Ok(scenario), Some(directory)) = (std::env::var(SCENARIO), std::env::var_os(DIRECTORY)) else { return };
    let fixture = Fixture::at(START, Some(PathBuf::from(directory))).await;
    match scenario.as_str() {
        "messages" => send_receive_and_delete(&fixture).await,
        "schedules" => schedule(&fixture).await,
        "tables" => put(&fixture).await,
        other => panic!("unknown scenario {other}"),
    }
    std::process::abort();
}

async fn send_receive_and_delete(fixture: &Fixture) {
    let url = fixture.queue("orders", &[(QueueAttributeName::VisibilityTimeout, "60")]).await;
    for body in ["in flight", "deleted"] {
        fixture.send(&url, body).await;
    }
    let messages = fixture.receive(&url).await;
    fixture.delete(&url, &messages[1]).await;
    fixture.send(&url, "waiting").await;
    fixture.sqs.send_message().queue_url(&url).message_body("delayed").delay_seconds(90).send().await.expect("sends");
    fixture.advance("10s").await;
}

#[tokio::test]
async fn messages_survive_and_become_visible_after_their_timeout() {
    let directory = tempfile::tempdir().expect("a directory");
    run_and_abort("messages", directory.path());
    let fixture = reopen(directory.path()).await;
    assert_eq!(fixture.now(), "2026-11-20T14:00:10Z");
    let url = fixture.queue("orders", &[]).await;
    assert_eq!(fixture.attribute(&url, QueueAttributeName::VisibilityTimeout).await.as_deref(), Some("60"));
    assert_eq!(fixture.bodies(&url).await, ["waiting"]);
    fixture.advance("50s").await;
    assert_eq!(fixture.bodies(&url).await, ["in flight"]);
    fixture.advance("30s").await;
    assert!(fixture.bodies(&url).await.contains(&"delayed".to_owned()));
}

async fn schedule(fixture: &Fixture) {
    fixture.queue("orders", &[]).await;
    fixture.scheduler.create_schedule_group().name("reprise").send().await.expect("creates");
    let target = Target::builder().arn(queue_arn("orders")).role_arn(ROLE).input("due").build();
    let off = FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build();
    let create = fixture.scheduler.create_schedule().name("slot").group_name("reprise");
    let create = create.schedule_expression("at(2026-11-20T14:05:00)").target(target.expect("a target"));
    let create = create.flexible_time_window(off.expect("a window"));
    create.action_after_completion(ActionAfterCompletion::Delete).send().await.expect("creates");
}

#[tokio::test]
async fn schedules_survive_and_fire() {
    let directory = tempfile::tempdir().expect("a directory");
    run_and_abort("schedules", directory.path());
    let fixture = reopen(directory.path()).await;
    fixture.advance("5m").await;
    assert_eq!(fixture.bodies(&fixture.aws.sqs().url("orders")).await, ["due"]);
    assert!(fixture.aws.scheduler().names("reprise").is_empty());
}

async fn put(fixture: &Fixture) {
    let key = AttributeDefinition::builder().attribute_name("pk").attribute_type(ScalarAttributeType::S).build();
    let schema = KeySchemaElement::builder().attribute_name("pk").key_type(KeyType::Hash).build();
    let create = fixture.dynamodb.create_table().table_name("reprise").billing_mode(BillingMode::PayPerRequest);
    let create = create.attribute_definitions(key.expect("a key")).key_schema(schema.expect("a schema"));
    create.send().await.expect("creates");
    let put = fixture.dynamodb.put_item().table_name("reprise");
    put.item("pk", AttributeValue::S("4711".to_owned())).send().await.expect("puts");
}

#[tokio::test]
async fn tables_survive() {
    let directory = tempfile::tempdir().expect("a directory");
    run_and_abort("tables", directory.path());
    let fixture = reopen(directory.path()).await;
    let get = fixture.dynamodb.get_item().table_name("reprise").key("pk", AttributeValue::S("4711".to_owned()));
    assert!(get.send().await.expect("gets").item.is_some());
}
