//! Tests when schedules fire, and what their targets receive.

use aws_sdk_scheduler::operation::create_schedule::builders::CreateScheduleFluentBuilder;
use aws_sdk_scheduler::primitives::DateTime;
use aws_sdk_scheduler::types::builders::TargetBuilder;
use aws_sdk_scheduler::types::{
    ActionAfterCompletion, DeadLetterConfig, FlexibleTimeWindow, FlexibleTimeWindowMode, RetryPolicy, ScheduleState,
    SqsParameters, Target,
};
use aws_sdk_sqs::types::QueueAttributeName;
use local_aws::queue_arn;

use crate::fixture::{Fixture, Functions, ROLE};

const FUNCTION: &str = "arn:aws:lambda:eu-west-1:000000000000:function:reprise-scheduled-retry";

fn function(input: &str) -> TargetBuilder {
    Target::builder().arn(FUNCTION).role_arn(ROLE).input(input)
}

fn create(fixture: &Fixture, name: &str, expression: &str, target: TargetBuilder) -> CreateScheduleFluentBuilder {
    let off = FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build().expect("a window");
    let create = fixture.scheduler.create_schedule().name(name).schedule_expression(expression);
    create.target(target.build().expect("a target")).flexible_time_window(off)
}

#[tokio::test]
async fn due_schedules_fire_in_order_and_at_their_own_time() {
    let fixture = Fixture::new().await;
    let functions = Functions::of(&fixture, 0);
    for (name, expression) in [
        ("late", "at(2026-11-20T14:20:00)"),
        ("early", "at(2026-11-20T14:05:00)"),
        ("every", "cron(0/10 * * * ? *)"),
        ("never", "at(2026-11-20T15:00:01)"),
    ] {
        create(&fixture, name, expression, function(name)).send().await.expect("creates");
    }
    fixture.advance("21m").await;
    let calls = functions.calls();
    let calls: Vec<_> = calls.iter().map(|(at, name)| (&at[11..19], name.as_str())).collect();
    assert_eq!(calls, [("14:05:00", "early"), ("14:10:00", "every"), ("14:20:00", "every"), ("14:20:00", "late")]);
    assert_eq!(fixture.now(), "2026-11-20T14:21:00Z");
}

#[tokio::test]
async fn a_one_time_schedule_is_deleted_after_completion_if_configured() {
    let fixture = Fixture::new().await;
    let functions = Functions::of(&fixture, 0);
    let slot = |name| create(&fixture, name, "at(2026-11-20T14:05:00)", function("{}"));
    slot("goes").action_after_completion(ActionAfterCompletion::Delete).send().await.expect("creates");
    slot("stays").send().await.expect("creates");
    fixture.advance("10m").await;
    assert_eq!(functions.calls().len(), 2);
    assert!(fixture.scheduler.get_schedule().name("goes").send().await.is_err());
    assert!(fixture.scheduler.get_schedule().name("stays").send().await.is_ok());
    slot("goes").send().await.expect("the name is free again");
}

#[tokio::test]
async fn a_one_time_schedule_in_the_past_fires_immediately() {
    let fixture = Fixture::new().await;
    let functions = Functions::of(&fixture, 0);
    create(&fixture, "past", "at(2026-11-20T13:00:00)", function("{}")).send().await.expect("creates");
    fixture.advance("0s").await;
    assert_eq!(functions.times(), ["2026-11-20T14:00:00Z"]);
}

#[tokio::test]
async fn a_one_time_schedule_uses_its_time_zone() {
    let fixture = Fixture::new().await;
    let functions = Functions::of(&fixture, 0);
    let create = create(&fixture, "slot", "at(2026-11-20T15:30:00)", function("{}"));
    create.schedule_expression_timezone("Europe/Oslo").send().await.expect("creates");
    fixture.advance("1h").await;
    assert_eq!(functions.times(), ["2026-11-20T14:30:00Z"]);
}

#[tokio::test]
async fn a_rate_fires_immediately_and_then_at_its_interval() {
    let fixture = Fixture::new().await;
    let functions = Functions::of(&fixture, 0);
    create(&fixture, "sweep", "rate(15 minutes)", function("{}")).send().await.expect("creates");
    fixture.advance("44m").await;
    assert_eq!(functions.times(), ["2026-11-20T14:00:00Z", "2026-11-20T14:15:00Z", "2026-11-20T14:30:00Z"]);
}

#[tokio::test]
async fn a_schedule_fires_only_between_its_dates() {
    let fixture = Fixture::new().await;
    let functions = Functions::of(&fixture, 0);
    let create = create(&fixture, "sweep", "rate(1 hour)", function("{}"));
    let (start, end) = (DateTime::from_secs(1_795_185_000), DateTime::from_secs(1_795_192_200));
    let create = create.start_date(start).end_date(end).action_after_completion(ActionAfterCompletion::Delete);
    create.send().await.expect("creates");
    fixture.advance("24h").await;
    assert_eq!(functions.times(), ["2026-11-20T14:30:00Z", "2026-11-20T15:30:00Z", "2026-11-20T16:30:00Z"]);
    assert!(fixture.scheduler.get_schedule().name("sweep").send().await.is_err());
}

#[tokio::test]
async fn a_daily_schedule_in_oslo_keeps_its_wall_clock_time_through_the_year() {
    let fixture = Fixture::at("2026-10-24T00:00:00Z", None).await;
    let functions = Functions::of(&fixture, 0);
    let create = create(&fixture, "daily", "cron(0 8 * * ? *)", function("{}"));
    create.schedule_expression_timezone("Europe/Oslo").send().await.expect("creates");
    fixture.advance("48h").await;
    assert_eq!(functions.times(), ["2026-10-24T06:00:00Z", "2026-10-25T07:00:00Z"]);
}

#[tokio::test]
async fn a_disabled_schedule_does_not_fire_until_it_is_enabled() {
    let fixture = Fixture::new().await;
    let functions = Functions::of(&fixture, 0);
    create(&fixture, "sweep", "rate(1 hour)", function("{}"))
        .state(ScheduleState::Disabled)
        .send()
        .await
        .expect("creates");
    fixture.advance("3h").await;
    assert!(functions.calls().is_empty());
    let schedule = fixture.scheduler.get_schedule().name("sweep").send().await.expect("gets");
    let update = fixture.scheduler.update_schedule().name("sweep").schedule_expression("rate(1 hour)");
    let update = update.set_target(schedule.target).set_flexible_time_window(schedule.flexible_time_window);
    update.state(ScheduleState::Enabled).send().await.expect("updates");
    fixture.advance("1h").await;
    assert_eq!(functions.times(), ["2026-11-20T17:00:00Z", "2026-11-20T18:00:00Z"]);
}

#[tokio::test]
async fn a_deleted_schedule_does_not_fire() {
    let fixture = Fixture::new().await;
    let functions = Functions::of(&fixture, 0);
    create(&fixture, "slot", "at(2026-11-20T14:05:00)", function("{}")).send().await.expect("creates");
    fixture.scheduler.delete_schedule().name("slot").send().await.expect("deletes");
    fixture.advance("1h").await;
    assert!(functions.calls().is_empty());
}

#[tokio::test]
async fn a_schedule_waits_until_functions_can_be_run() {
    let fixture = Fixture::new().await;
    create(&fixture, "slot", "at(2026-11-20T14:05:00)", function("{}")).send().await.expect("creates");
    fixture.advance("1h").await;
    let functions = Functions::of(&fixture, 0);
    fixture.advance("0s").await;
    assert_eq!(functions.times(), ["2026-11-20T15:00:00Z"]);
}

#[tokio::test]
async fn the_context_attributes_of_an_input_are_replaced() {
    let fixture = Fixture::new().await;
    let functions = Functions::of(&fixture, 1);
    let input = r#"{"at":"<aws.scheduler.scheduled-time>","arn":"<aws.scheduler.schedule-arn>","try":<aws.scheduler.attempt-number>}"#;
    create(&fixture, "slot", "at(2026-11-20T14:05:00)", function(input)).send().await.expect("creates");
    fixture.advance("1h").await;
    let payloads: Vec<_> = functions.calls().into_iter().map(|(_, payload)| payload).collect();
    let arn = "arn:aws:scheduler:eu-west-1:000000000000:schedule/default/slot";
    let expected = |attempt| format!(r#"{{"at":"2026-11-20T14:05:00Z","arn":"{arn}","try":{attempt}}}"#);
    assert_eq!(payloads, [expected(1), expected(2)]);
}

#[tokio::test]
async fn a_failing_function_is_retried_with_growing_pauses() {
    let fixture = Fixture::new().await;
    let functions = Functions::of(&fixture, 3);
    let create = create(&fixture, "slot", "at(2026-11-20T14:05:00)", function("{}"));
    create.action_after_completion(ActionAfterCompletion::Delete).send().await.expect("creates");
    fixture.advance("1h").await;
    let seconds: Vec<_> = functions.times().iter().map(|at| at[14..19].to_owned()).collect();
    assert_eq!(seconds, ["05:00", "05:01", "05:03", "05:07"]);
    assert!(fixture.scheduler.get_schedule().name("slot").send().await.is_err());
}

async fn dead_letter(policy: RetryPolicy, failures: usize) -> (usize, aws_sdk_sqs::types::Message) {
    let fixture = Fixture::new().await;
    let dead = fixture.queue("schedules-dlq", &[]).await;
    let functions = Functions::of(&fixture, failures);
    let config = DeadLetterConfig::builder().arn(queue_arn("schedules-dlq")).build();
    let target = function(r#"{"slot":1}"#).retry_policy(policy).dead_letter_config(config);
    create(&fixture, "slot", "at(2026-11-20T14:05:00)", target).send().await.expect("creates");
    fixture.advance("24h").await;
    (functions.calls().len(), fixture.receive(&dead).await.remove(0))
}

#[tokio::test]
async fn an_occurrence_becomes_a_dead_letter_after_its_last_retry() {
    let (calls, letter) = dead_letter(RetryPolicy::builder().maximum_retry_attempts(2).build(), 100).await;
    assert_eq!(calls, 3);
    assert_eq!(letter.body(), Some(r#"{"slot":1}"#));
    let attributes = letter.message_attributes().expect("attributes");
    let attribute = |name: &str| attributes[name].string_value().unwrap_or_default().to_owned();
    assert_eq!(attribute("ERROR_CODE"), "FunctionError");
    assert!(attribute("ERROR_MESSAGE").contains("out of order"));
    assert_eq!(attribute("EXHAUSTED_RETRY_CONDITION"), "MaximumRetryAttempts");
    assert_eq!(attribute("RETRY_ATTEMPTS"), "2");
    assert_eq!(attribute("SCHEDULED_TIME"), "2026-11-20T14:05:00Z");
    assert_eq!(attribute("SCHEDULE_ARN"), "arn:aws:scheduler:eu-west-1:000000000000:schedule/default/slot");
    assert_eq!(attribute("TARGET_ARN"), FUNCTION);
}

#[tokio::test]
async fn an_occurrence_becomes_a_dead_letter_after_its_maximum_age() {
    let (calls, letter) = dead_letter(RetryPolicy::builder().maximum_event_age_in_seconds(60).build(), 1_000).await;
    assert_eq!(calls, 6);
    let attributes = letter.message_attributes().expect("attributes");
    assert_eq!(attributes["EXHAUSTED_RETRY_CONDITION"].string_value(), Some("MaximumEventAgeInSeconds"));
}

#[tokio::test]
async fn a_queue_can_be_a_target() {
    let fixture = Fixture::new().await;
    let fifo = (QueueAttributeName::FifoQueue, "true");
    let from_body = (QueueAttributeName::ContentBasedDeduplication, "true");
    let (orders, ordered) =
        (fixture.queue("orders", &[]).await, fixture.queue("ordered.fifo", &[fifo, from_body]).await);
    let plain = Target::builder().arn(queue_arn("orders")).role_arn(ROLE).input("plain");
    create(&fixture, "plain", "at(2026-11-20T14:05:00)", plain).send().await.expect("creates");
    let group = SqsParameters::builder().message_group_id("a").build();
    let grouped =
        Target::builder().arn(queue_arn("ordered.fifo")).role_arn(ROLE).input("grouped").sqs_parameters(group);
    create(&fixture, "grouped", "at(2026-11-20T14:05:00)", grouped).send().await.expect("creates");
    fixture.advance("5m").await;
    assert_eq!(fixture.bodies(&orders).await, ["plain"]);
    assert_eq!(fixture.bodies(&ordered).await, ["grouped"]);
}

#[tokio::test]
async fn a_missing_target_queue_causes_a_dead_letter() {
    let fixture = Fixture::new().await;
    let dead = fixture.queue("schedules-dlq", &[]).await;
    let config = DeadLetterConfig::builder().arn(queue_arn("schedules-dlq")).build();
    let target = Target::builder().arn(queue_arn("nowhere")).role_arn(ROLE).input("x").dead_letter_config(config);
    let target = target.retry_policy(RetryPolicy::builder().maximum_retry_attempts(0).build());
    create(&fixture, "slot", "at(2026-11-20T14:05:00)", target).send().await.expect("creates");
    fixture.advance("5m").await;
    let letter = fixture.receive(&dead).await.remove(0);
    let attributes = letter.message_attributes().expect("attributes");
    assert_eq!(attributes["ERROR_CODE"].string_value(), Some("AWS.SimpleQueueService.NonExistentQueue"));
}
