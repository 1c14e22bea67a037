//! Tests the API of the Scheduler: what it stores and what it refuses.

use aws_sdk_scheduler::error::ProvideErrorMetadata;
use aws_sdk_scheduler::operation::create_schedule::builders::CreateScheduleFluentBuilder;
use aws_sdk_scheduler::primitives::DateTime;
use aws_sdk_scheduler::types::{
    ActionAfterCompletion, FlexibleTimeWindow, FlexibleTimeWindowMode, RetryPolicy, ScheduleState, Target,
};
use local_aws::queue_arn;

use crate::fixture::{Fixture, ROLE};

fn target() -> Target {
    Target::builder().arn(queue_arn("orders")).role_arn(ROLE).input("{}").build().expect("a target")
}

fn off() -> FlexibleTimeWindow {
    FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build().expect("a window")
}

fn create(fixture: &Fixture, name: &str, expression: &str) -> CreateScheduleFluentBuilder {
    let create = fixture.scheduler.create_schedule().name(name).schedule_expression(expression);
    create.target(target()).flexible_time_window(off())
}

async fn refusal(create: CreateScheduleFluentBuilder) -> String {
    let refused = create.send().await.expect_err("refused").into_service_error();
    assert_eq!(refused.code(), Some("ValidationException"));
    refused.message().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_schedule_is_returned_with_its_defaults() {
    let fixture = Fixture::new().await;
    let made = create(&fixture, "slot", "at(2026-11-20T15:00:00)").send().await.expect("creates");
    assert_eq!(made.schedule_arn(), "arn:aws:scheduler:eu-west-1:000000000000:schedule/default/slot");
    let schedule = fixture.scheduler.get_schedule().name("slot").send().await.expect("gets");
    assert_eq!(schedule.arn(), Some(made.schedule_arn()));
    assert_eq!(schedule.schedule_expression_timezone(), Some("UTC"));
    assert_eq!(schedule.state(), Some(&ScheduleState::Enabled));
    assert_eq!(schedule.action_after_completion(), Some(&ActionAfterCompletion::None));
    assert_eq!(schedule.creation_date(), Some(&DateTime::from_secs(1_795_183_200)));
    let policy = RetryPolicy::builder().maximum_event_age_in_seconds(86_400).maximum_retry_attempts(185).build();
    assert_eq!(schedule.target().and_then(Target::retry_policy), Some(&policy));
    assert_eq!(schedule.target().and_then(Target::input), Some("{}"));
}

#[tokio::test]
async fn a_name_is_unique_in_a_group() {
    let fixture = Fixture::new().await;
    create(&fixture, "slot", "rate(1 hour)").client_token("first").send().await.expect("creates");
    create(&fixture, "slot", "rate(1 hour)").client_token("first").send().await.expect("the same call again");
    for again in
        [create(&fixture, "slot", "rate(1 hour)"), create(&fixture, "slot", "rate(2 hours)").client_token("first")]
    {
        let refused = again.send().await.expect_err("refused").into_service_error();
        assert!(refused.is_conflict_exception());
        assert_eq!(refused.message(), Some("Schedule slot already exists."));
    }
    fixture.scheduler.create_schedule_group().name("other").send().await.expect("creates");
    create(&fixture, "slot", "rate(1 hour)").group_name("other").send().await.expect("creates in another group");
}

#[tokio::test]
async fn missing_schedules_and_groups_are_not_found() {
    let fixture = Fixture::new().await;
    let get = fixture.scheduler.get_schedule().name("nowhere").send().await.expect_err("refused").into_service_error();
    assert!(get.is_resource_not_found_exception());
    let delete =
        fixture.scheduler.delete_schedule().name("nowhere").send().await.expect_err("refused").into_service_error();
    assert!(delete.is_resource_not_found_exception());
    let update = fixture.scheduler.update_schedule().name("nowhere").schedule_expression("rate(1 hour)");
    let update =
        update.target(target()).flexible_time_window(off()).send().await.expect_err("refused").into_service_error();
    assert!(update.is_resource_not_found_exception());
    let group = create(&fixture, "slot", "rate(1 hour)").group_name("nowhere").send().await.expect_err("refused");
    let group = group.into_service_error();
    assert!(group.is_resource_not_found_exception());
    assert_eq!(group.message(), Some("Schedule group nowhere does not exist."));
}

#[tokio::test]
async fn invalid_expressions_are_refused_with_the_expression() {
    let fixture = Fixture::new().await;
    for expression in [
        "at(2026-11-20T15:00)",
        "at(2026-11-20T15:00:00Z)",
        "at(2026-02-30T15:00:00)",
        "rate(0 minutes)",
        "rate(5)",
        "rate(5 seconds)",
        "rate(-5 minutes)",
        "cron(0 10 * * * *)",
        "cron(0 10 * * ?)",
        "every(5 minutes)",
        "rate(5 minutes",
    ] {
        assert_eq!(
            refusal(create(&fixture, "slot", expression)).await,
            format!("Invalid Schedule Expression {expression}.")
        );
    }
}

#[tokio::test]
async fn invalid_values_are_refused_with_the_member() {
    let fixture = Fixture::new().await;
    let make = || create(&fixture, "slot", "rate(1 hour)");
    let flexible = |minutes| {
        let window = FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Flexible);
        window.set_maximum_window_in_minutes(minutes).build().expect("a window")
    };
    let retrying = |attempts| {
        let policy = RetryPolicy::builder().maximum_retry_attempts(attempts).build();
        Target::builder().arn(queue_arn("orders")).role_arn(ROLE).retry_policy(policy).build().expect("a target")
    };
    let acting_as = |role| Target::builder().arn(queue_arn("orders")).role_arn(role).build().expect("a target");
    for (refused, named) in [
        (make().schedule_expression_timezone("Europe/Atlantis"), "Europe/Atlantis"),
        (make().name("sl ot"), "'sl ot' at 'name'"),
        (make().name("x".repeat(65)), "'name'"),
        (make().flexible_time_window(flexible(None)), "MaximumWindowInMinutes"),
        (make().flexible_time_window(flexible(Some(1_441))), "'1441' at 'flexibleTimeWindow.maximumWindowInMinutes'"),
        (make().target(retrying(186)), "'186' at 'target.retryPolicy.maximumRetryAttempts'"),
        (make().target(acting_as("nobody")), "'nobody' at 'target.roleArn'"),
        (make().state(ScheduleState::from("SLEEPING")), "'SLEEPING' at 'state'"),
        (make().start_date(DateTime::from_secs(20)).end_date(DateTime::from_secs(10)), "StartDate"),
        (make().client_token("to ken"), "'to ken' at 'clientToken'"),
    ] {
        let message = refusal(refused).await;
        assert!(message.contains(named), "{named}: {message}");
    }
}

#[tokio::test]
async fn schedules_are_listed_by_group_prefix_state_and_page() {
    let fixture = Fixture::new().await;
    fixture.scheduler.create_schedule_group().name("reprise").send().await.expect("creates");
    for n in 0..5 {
        create(&fixture, &format!("slot-{n}"), "rate(1 hour)").group_name("reprise").send().await.expect("creates");
    }
    create(&fixture, "sweep", "rate(1 hour)")
        .group_name("reprise")
        .state(ScheduleState::Disabled)
        .send()
        .await
        .expect("creates");
    create(&fixture, "elsewhere", "rate(1 hour)").send().await.expect("creates");

    let pages = fixture.scheduler.list_schedules().group_name("reprise").name_prefix("slot-").max_results(2);
    let mut pages = pages.into_paginator().send();
    let mut names = Vec::new();
    let mut sizes = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.expect("lists");
        sizes.push(page.schedules().len());
        names.extend(page.schedules().iter().filter_map(|schedule| schedule.name().map(str::to_owned)));
    }
    assert_eq!(names, ["slot-0", "slot-1", "slot-2", "slot-3", "slot-4"]);
    assert_eq!(sizes, [2, 2, 1]);
    assert_eq!(fixture.scheduler.list_schedules().send().await.expect("lists").schedules().len(), 7);
    let disabled = fixture.scheduler.list_schedules().state(ScheduleState::Disabled).send().await.expect("lists");
    assert_eq!(disabled.schedules()[0].name(), Some("sweep"));
    let refused = fixture.scheduler.list_schedules().next_token("?").send().await.expect_err("refused");
    assert_eq!(refused.into_service_error().code(), Some("ValidationException"));
}

#[tokio::test]
async fn deleting_a_group_deletes_its_schedules() {
    let fixture = Fixture::new().await;
    let made = fixture.scheduler.create_schedule_group().name("reprise").send().await.expect("creates");
    assert_eq!(made.schedule_group_arn(), "arn:aws:scheduler:eu-west-1:000000000000:schedule-group/reprise");
    let again = fixture.scheduler.create_schedule_group().name("reprise").send().await.expect_err("refused");
    assert!(again.into_service_error().is_conflict_exception());
    create(&fixture, "slot", "rate(1 hour)").group_name("reprise").send().await.expect("creates");
    let groups = fixture.scheduler.list_schedule_groups().send().await.expect("lists");
    let names: Vec<_> = groups.schedule_groups().iter().filter_map(|group| group.name()).collect();
    assert_eq!(names, ["default", "reprise"]);
    fixture.scheduler.delete_schedule_group().name("reprise").send().await.expect("deletes");
    assert!(fixture.scheduler.get_schedule_group().name("reprise").send().await.is_err());
    assert!(fixture.scheduler.list_schedules().send().await.expect("lists").schedules().is_empty());
    assert!(fixture.scheduler.delete_schedule_group().name("default").send().await.is_err());
}

#[tokio::test]
async fn groups_can_be_tagged() {
    let fixture = Fixture::new().await;
    let made = fixture.scheduler.create_schedule_group().name("reprise").send().await.expect("creates");
    let arn = made.schedule_group_arn();
    let tag = |key: &str| aws_sdk_scheduler::types::Tag::builder().key(key).value("x").build().expect("a tag");
    fixture.scheduler.tag_resource().resource_arn(arn).tags(tag("team")).tags(tag("stage")).send().await.expect("tags");
    fixture.scheduler.untag_resource().resource_arn(arn).tag_keys("stage").send().await.expect("untags");
    let tags = fixture.scheduler.list_tags_for_resource().resource_arn(arn).send().await.expect("lists");
    assert_eq!(tags.tags(), [tag("team")]);
}

#[tokio::test]
async fn the_handle_creates_a_schedule_and_leaves_an_equal_one_unchanged() {
    let fixture = Fixture::new().await;
    let scheduler = fixture.aws.scheduler();
    let body = |rate: &str| {
        serde_json::json!({
            "GroupName": "reprise",
            "ScheduleExpression": rate,
            "FlexibleTimeWindow": { "Mode": "OFF" },
            "Target": { "Arn": queue_arn("orders"), "RoleArn": ROLE },
        })
    };
    scheduler.create_group("reprise").expect("creates");
    scheduler.create_group("reprise").expect("is there");
    scheduler.create("sweep", body("rate(15 minutes)")).expect("creates");
    fixture.advance("1m").await;
    scheduler.create("sweep", body("rate(15 minutes)")).expect("is there");
    let schedule = scheduler.get("reprise", "sweep").expect("gets");
    assert_eq!(schedule["CreationDate"], schedule["LastModificationDate"]);
    scheduler.create("sweep", body("rate(5 minutes)")).expect("changes");
    assert_eq!(scheduler.get("reprise", "sweep").expect("gets")["ScheduleExpression"], "rate(5 minutes)");
    assert_eq!(scheduler.names("reprise"), ["sweep"]);
    scheduler.delete("reprise", "sweep").expect("deletes");
    assert!(scheduler.names("reprise").is_empty());
}
