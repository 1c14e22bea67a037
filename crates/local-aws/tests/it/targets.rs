//! When schedules fire, and what their targets get.

use aws_sdk_scheduler::operation::create_schedule::builders::CreateScheduleFluentBuilder;
use aws_sdk_scheduler::primitives::DateTime;
use aws_sdk_scheduler::types::builders::TargetBuilder;
use aws_sdk_scheduler::types::{
    ActionAfterCompletion, DeadLetterConfig, FlexibleTimeWindow, FlexibleTimeWindowMode, RetryPolicy, ScheduleState,
    SqsParameters, Target,
};
use aws_sdk_sqs::types::QueueAttributeName;
use local_aws::queue_arn;

use crate::here::{Functions, Here, ROLE};

const FUNCTION: &str = "arn:aws:lambda:eu-west-1:000000000000:function:reprise-scheduled-retry";

fn function(input: &str) -> TargetBuilder {
    Target::builder().arn(FUNCTION).role_arn(ROLE).input(input)
}

fn create(here: &Here, name: &str, expression: &str, target: TargetBuilder) -> CreateScheduleFluentBuilder {
    let off = FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build().expect("a window");
    let create = here.scheduler.create_schedule().name(name).schedule_expression(expression);
    create.target(target.build().expect("a target")).flexible_time_window(off)
}

#[tokio::test]
async fn what_falls_due_is_fired_in_order_and_at_its_own_time() {
    let here = Here::new().await;
    let functions = Functions::of(&here, 0);
    for (name, expression) in [
        ("late", "at(2026-11-20T14:20:00)"),
        ("early", "at(2026-11-20T14:05:00)"),
        ("every", "cron(0/10 * * * ? *)"),
        ("never", "at(2026-11-20T15:00:01)"),
    ] {
        create(&here, name, expression, function(name)).send().await.expect("creates");
    }
    here.advance("21m").await;
    let calls = functions.calls();
    let calls: Vec<_> = calls.iter().map(|(at, name)| (&at[11..19], name.as_str())).collect();
    assert_eq!(calls, [("14:05:00", "early"), ("14:10:00", "every"), ("14:20:00", "every"), ("14:20:00", "late")]);
    assert_eq!(here.now(), "2026-11-20T14:21:00Z");
}

#[tokio::test]
async fn a_one_time_schedule_goes_after_completion_if_it_is_to() {
    let here = Here::new().await;
    let functions = Functions::of(&here, 0);
    let slot = |name| create(&here, name, "at(2026-11-20T14:05:00)", function("{}"));
    slot("goes").action_after_completion(ActionAfterCompletion::Delete).send().await.expect("creates");
    slot("stays").send().await.expect("creates");
    here.advance("10m").await;
    assert_eq!(functions.calls().len(), 2);
    assert!(here.scheduler.get_schedule().name("goes").send().await.is_err());
    assert!(here.scheduler.get_schedule().name("stays").send().await.is_ok());
    slot("goes").send().await.expect("the name is free again");
}

#[tokio::test]
async fn a_one_time_schedule_in_the_past_fires_at_once() {
    let here = Here::new().await;
    let functions = Functions::of(&here, 0);
    create(&here, "past", "at(2026-11-20T13:00:00)", function("{}")).send().await.expect("creates");
    here.advance("0s").await;
    assert_eq!(functions.times(), ["2026-11-20T14:00:00Z"]);
}

#[tokio::test]
async fn a_one_time_schedule_is_read_in_its_zone() {
    let here = Here::new().await;
    let functions = Functions::of(&here, 0);
    let create = create(&here, "slot", "at(2026-11-20T15:30:00)", function("{}"));
    create.schedule_expression_timezone("Europe/Oslo").send().await.expect("creates");
    here.advance("1h").await;
    assert_eq!(functions.times(), ["2026-11-20T14:30:00Z"]);
}

#[tokio::test]
async fn a_rate_fires_at_once_and_then_at_its_interval() {
    let here = Here::new().await;
    let functions = Functions::of(&here, 0);
    create(&here, "sweep", "rate(15 minutes)", function("{}")).send().await.expect("creates");
    here.advance("44m").await;
    assert_eq!(functions.times(), ["2026-11-20T14:00:00Z", "2026-11-20T14:15:00Z", "2026-11-20T14:30:00Z"]);
}

#[tokio::test]
async fn a_schedule_keeps_between_its_dates() {
    let here = Here::new().await;
    let functions = Functions::of(&here, 0);
    let create = create(&here, "sweep", "rate(1 hour)", function("{}"));
    let (start, end) = (DateTime::from_secs(1_795_185_000), DateTime::from_secs(1_795_192_200));
    let create = create.start_date(start).end_date(end).action_after_completion(ActionAfterCompletion::Delete);
    create.send().await.expect("creates");
    here.advance("24h").await;
    assert_eq!(functions.times(), ["2026-11-20T14:30:00Z", "2026-11-20T15:30:00Z", "2026-11-20T16:30:00Z"]);
    assert!(here.scheduler.get_schedule().name("sweep").send().await.is_err());
}

#[tokio::test]
async fn a_daily_schedule_in_oslo_keeps_its_wall_clock_time_through_the_year() {
    let here = Here::at("2026-10-24T00:00:00Z", None).await;
    let functions = Functions::of(&here, 0);
    let create = create(&here, "daily", "cron(0 8 * * ? *)", function("{}"));
    create.schedule_expression_timezone("Europe/Oslo").send().await.expect("creates");
    here.advance("48h").await;
    assert_eq!(functions.times(), ["2026-10-24T06:00:00Z", "2026-10-25T07:00:00Z"]);
}

#[tokio::test]
async fn a_disabled_schedule_does_not_fire_until_it_is_enabled() {
    let here = Here::new().await;
    let functions = Functions::of(&here, 0);
    create(&here, "sweep", "rate(1 hour)", function("{}"))
        .state(ScheduleState::Disabled)
        .send()
        .await
        .expect("creates");
    here.advance("3h").await;
    assert!(functions.calls().is_empty());
    let told = here.scheduler.get_schedule().name("sweep").send().await.expect("gets");
    let update = here.scheduler.update_schedule().name("sweep").schedule_expression("rate(1 hour)");
    let update = update.set_target(told.target).set_flexible_time_window(told.flexible_time_window);
    update.state(ScheduleState::Enabled).send().await.expect("updates");
    here.advance("1h").await;
    assert_eq!(functions.times(), ["2026-11-20T17:00:00Z", "2026-11-20T18:00:00Z"]);
}

#[tokio::test]
async fn a_deleted_schedule_does_not_fire() {
    let here = Here::new().await;
    let functions = Functions::of(&here, 0);
    create(&here, "slot", "at(2026-11-20T14:05:00)", function("{}")).send().await.expect("creates");
    here.scheduler.delete_schedule().name("slot").send().await.expect("deletes");
    here.advance("1h").await;
    assert!(functions.calls().is_empty());
}

#[tokio::test]
async fn a_schedule_waits_until_there_is_somebody_to_run_its_function() {
    let here = Here::new().await;
    create(&here, "slot", "at(2026-11-20T14:05:00)", function("{}")).send().await.expect("creates");
    here.advance("1h").await;
    let functions = Functions::of(&here, 0);
    here.advance("0s").await;
    assert_eq!(functions.times(), ["2026-11-20T15:00:00Z"]);
}

#[tokio::test]
async fn an_input_has_its_context_filled_in() {
    let here = Here::new().await;
    let functions = Functions::of(&here, 1);
    let input = r#"{"at":"<aws.scheduler.scheduled-time>","arn":"<aws.scheduler.schedule-arn>","try":<aws.scheduler.attempt-number>}"#;
    create(&here, "slot", "at(2026-11-20T14:05:00)", function(input)).send().await.expect("creates");
    here.advance("1h").await;
    let payloads: Vec<_> = functions.calls().into_iter().map(|(_, payload)| payload).collect();
    let arn = "arn:aws:scheduler:eu-west-1:000000000000:schedule/default/slot";
    let expected = |attempt| format!(r#"{{"at":"2026-11-20T14:05:00Z","arn":"{arn}","try":{attempt}}}"#);
    assert_eq!(payloads, [expected(1), expected(2)]);
}

#[tokio::test]
async fn a_failing_function_is_tried_again_with_growing_pauses() {
    let here = Here::new().await;
    let functions = Functions::of(&here, 3);
    let create = create(&here, "slot", "at(2026-11-20T14:05:00)", function("{}"));
    create.action_after_completion(ActionAfterCompletion::Delete).send().await.expect("creates");
    here.advance("1h").await;
    let seconds: Vec<_> = functions.times().iter().map(|at| at[14..19].to_owned()).collect();
    assert_eq!(seconds, ["05:00", "05:01", "05:03", "05:07"]);
    assert!(here.scheduler.get_schedule().name("slot").send().await.is_err());
}

async fn dead_letter(policy: RetryPolicy, failures: usize) -> (usize, aws_sdk_sqs::types::Message) {
    let here = Here::new().await;
    let dead = here.queue("schedules-dlq", &[]).await;
    let functions = Functions::of(&here, failures);
    let config = DeadLetterConfig::builder().arn(queue_arn("schedules-dlq")).build();
    let target = function(r#"{"slot":1}"#).retry_policy(policy).dead_letter_config(config);
    create(&here, "slot", "at(2026-11-20T14:05:00)", target).send().await.expect("creates");
    here.advance("24h").await;
    (functions.calls().len(), here.receive(&dead).await.remove(0))
}

#[tokio::test]
async fn what_fails_too_often_becomes_a_dead_letter() {
    let (calls, letter) = dead_letter(RetryPolicy::builder().maximum_retry_attempts(2).build(), 100).await;
    assert_eq!(calls, 3);
    assert_eq!(letter.body(), Some(r#"{"slot":1}"#));
    let attributes = letter.message_attributes().expect("attributes");
    let told = |name: &str| attributes[name].string_value().unwrap_or_default().to_owned();
    assert_eq!(told("ERROR_CODE"), "FunctionError");
    assert!(told("ERROR_MESSAGE").contains("out of order"));
    assert_eq!(told("EXHAUSTED_RETRY_CONDITION"), "MaximumRetryAttempts");
    assert_eq!(told("RETRY_ATTEMPTS"), "2");
    assert_eq!(told("SCHEDULED_TIME"), "2026-11-20T14:05:00Z");
    assert_eq!(told("SCHEDULE_ARN"), "arn:aws:scheduler:eu-west-1:000000000000:schedule/default/slot");
    assert_eq!(told("TARGET_ARN"), FUNCTION);
}

#[tokio::test]
async fn what_fails_too_long_becomes_a_dead_letter() {
    let (calls, letter) = dead_letter(RetryPolicy::builder().maximum_event_age_in_seconds(60).build(), 1_000).await;
    assert_eq!(calls, 6);
    let attributes = letter.message_attributes().expect("attributes");
    assert_eq!(attributes["EXHAUSTED_RETRY_CONDITION"].string_value(), Some("MaximumEventAgeInSeconds"));
}

#[tokio::test]
async fn a_queue_is_a_target_too() {
    let here = Here::new().await;
    let fifo = (QueueAttributeName::FifoQueue, "true");
    let from_body = (QueueAttributeName::ContentBasedDeduplication, "true");
    let (orders, ordered) = (here.queue("orders", &[]).await, here.queue("ordered.fifo", &[fifo, from_body]).await);
    let plain = Target::builder().arn(queue_arn("orders")).role_arn(ROLE).input("plain");
    create(&here, "plain", "at(2026-11-20T14:05:00)", plain).send().await.expect("creates");
    let group = SqsParameters::builder().message_group_id("a").build();
    let grouped =
        Target::builder().arn(queue_arn("ordered.fifo")).role_arn(ROLE).input("grouped").sqs_parameters(group);
    create(&here, "grouped", "at(2026-11-20T14:05:00)", grouped).send().await.expect("creates");
    here.advance("5m").await;
    assert_eq!(here.bodies(&orders).await, ["plain"]);
    assert_eq!(here.bodies(&ordered).await, ["grouped"]);
}

#[tokio::test]
async fn a_queue_that_is_not_there_makes_a_dead_letter() {
    let here = Here::new().await;
    let dead = here.queue("schedules-dlq", &[]).await;
    let config = DeadLetterConfig::builder().arn(queue_arn("schedules-dlq")).build();
    let target = Target::builder().arn(queue_arn("nowhere")).role_arn(ROLE).input("x").dead_letter_config(config);
    let target = target.retry_policy(RetryPolicy::builder().maximum_retry_attempts(0).build());
    create(&here, "slot", "at(2026-11-20T14:05:00)", target).send().await.expect("creates");
    here.advance("5m").await;
    let letter = here.receive(&dead).await.remove(0);
    let attributes = letter.message_attributes().expect("attributes");
    assert_eq!(attributes["ERROR_CODE"].string_value(), Some("AWS.SimpleQueueService.NonExistentQueue"));
}
