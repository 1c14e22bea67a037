//! The definition of a schedule in the API, and its validation.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::SchedulerError;
use crate::names;

/// The maximum and default of the retry policy: the age of an event in seconds, and the number of retries.
const MAX_EVENT_AGE: i64 = 86_400;
const MAX_RETRY_ATTEMPTS: i64 = 185;

/// The body of `CreateSchedule` and `UpdateSchedule`, and most of the response of `GetSchedule`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Definition {
    #[serde(default = "default_group")]
    pub(super) group_name: String,
    #[serde(default)]
    pub(super) schedule_expression: String,
    #[serde(default = "utc")]
    pub(super) schedule_expression_timezone: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) start_date: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) end_date: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(default = "enabled")]
    pub(super) state: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kms_key_arn: Option<String>,
    #[serde(default = "none")]
    pub(super) action_after_completion: String,
    pub(super) target: Target,
    flexible_time_window: Window,
    #[serde(default, skip_serializing)]
    pub(super) client_token: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Target {
    #[serde(default)]
    pub(super) arn: String,
    #[serde(default)]
    role_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) input: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dead_letter_config: Option<DeadLetterConfig>,
    #[serde(default)]
    pub(super) retry_policy: RetryPolicy,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sqs_parameters: Option<SqsParameters>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ecs_parameters: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_bridge_parameters: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kinesis_parameters: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sage_maker_pipeline_parameters: Option<Value>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DeadLetterConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) arn: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct RetryPolicy {
    pub(super) maximum_event_age_in_seconds: i64,
    pub(super) maximum_retry_attempts: i64,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { maximum_event_age_in_seconds: MAX_EVENT_AGE, maximum_retry_attempts: MAX_RETRY_ATTEMPTS }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SqsParameters {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message_group_id: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Window {
    #[serde(default)]
    mode: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    maximum_window_in_minutes: Option<i64>,
}

impl Definition {
    /// Parses and validates a request. The error names the missing or invalid member.
    pub(super) fn read(body: &Value) -> Result<Self, SchedulerError> {
        for (pointer, member) in [("/Target", "target"), ("/FlexibleTimeWindow", "flexibleTimeWindow")] {
            if body.pointer(pointer).is_none_or(Value::is_null) {
                return Err(SchedulerError::missing(member));
            }
        }
        let definition: Self =
            Self::deserialize(body).map_err(|error| SchedulerError::Validation(error.to_string()))?;
        definition.check()?;
        Ok(definition)
    }

    /// The definition without the client token, which belongs to the call and not to the schedule.
    pub(super) fn without_token(self) -> Self {
        Self { client_token: None, ..self }
    }

    pub(super) fn is_enabled(&self) -> bool {
        self.state == "ENABLED"
    }

    pub(super) fn is_deleted_after_completion(&self) -> bool {
        self.action_after_completion == "DELETE"
    }

    fn check(&self) -> Result<(), SchedulerError> {
        check_name("groupName", &self.group_name)?;
        one_of("state", &self.state, &["ENABLED", "DISABLED"])?;
        one_of("actionAfterCompletion", &self.action_after_completion, &["NONE", "DELETE"])?;
        one_of("flexibleTimeWindow.mode", &self.flexible_time_window.mode, &["OFF", "FLEXIBLE"])?;
        length("scheduleExpression", &self.schedule_expression, 1, 256)?;
        length("scheduleExpressionTimezone", &self.schedule_expression_timezone, 1, 50)?;
        length("description", self.description.as_deref().unwrap_or_default(), 0, 512)?;
        self.check_window()?;
        self.target.check()
    }

    fn check_window(&self) -> Result<(), SchedulerError> {
        let window = &self.flexible_time_window;
        match (window.mode.as_str(), window.maximum_window_in_minutes) {
            ("OFF", Some(minutes)) => Err(SchedulerError::Validation(format!(
                "MaximumWindowInMinutes {minutes} cannot be given when FlexibleTimeWindow Mode is OFF."
            ))),
            ("FLEXIBLE", None) => Err(SchedulerError::Validation(
                "MaximumWindowInMinutes must be given when FlexibleTimeWindow Mode is FLEXIBLE.".to_owned(),
            )),
            (_, Some(minutes)) => between("flexibleTimeWindow.maximumWindowInMinutes", minutes, 1, 1_440),
            _ => Ok(()),
        }
    }
}

impl Target {
    fn check(&self) -> Result<(), SchedulerError> {
        length("target.arn", &self.arn, 1, 1_600)?;
        length("target.roleArn", &self.role_arn, 1, 1_600)?;
        if !self.arn.starts_with("arn:") {
            return Err(SchedulerError::Validation(format!(
                "Provided Arn is not in correct format. Arn: {}",
                self.arn
            )));
        }
        let role = self.role_arn.strip_prefix("arn:aws:iam::").and_then(|rest| rest.split_once(":role/"));
        if !role.is_some_and(|(account, name)| account.len() == 12 && !name.is_empty()) {
            let rule =
                "Member must satisfy regular expression pattern: ^arn:aws[a-z-]*:iam::\\d{12}:role\\/[\\w+=,.@\\/-]+$";
            return Err(SchedulerError::constraint("target.roleArn", &self.role_arn, rule));
        }
        if self.input.as_deref() == Some("") {
            return Err(SchedulerError::constraint(
                "target.input",
                "",
                "Member must have length greater than or equal to 1",
            ));
        }
        between(
            "target.retryPolicy.maximumEventAgeInSeconds",
            self.retry_policy.maximum_event_age_in_seconds,
            60,
            MAX_EVENT_AGE,
        )?;
        between(
            "target.retryPolicy.maximumRetryAttempts",
            self.retry_policy.maximum_retry_attempts,
            0,
            MAX_RETRY_ATTEMPTS,
        )?;
        let dead_letters = self.dead_letter_config.as_ref().and_then(|config| config.arn.as_deref());
        if let Some(arn) = dead_letters.filter(|arn| names::queue_of_arn(arn).is_none()) {
            return Err(SchedulerError::Validation(format!(
                "Provided DeadLetterConfig Arn is not the ARN of a queue: {arn}"
            )));
        }
        Ok(())
    }
}

/// Checks the name of a schedule or group: 1-64 of `0-9a-zA-Z-_.`.
pub(super) fn check_name(member: &str, name: &str) -> Result<(), SchedulerError> {
    length(member, name, 1, 64)?;
    if name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')) {
        return Ok(());
    }
    let rule = "Member must satisfy regular expression pattern: ^[0-9a-zA-Z-_.]+$";
    Err(SchedulerError::constraint(member, name, rule))
}

/// Checks a client token: 1-64 of `a-zA-Z0-9-_`.
pub(super) fn check_token(token: Option<&str>) -> Result<(), SchedulerError> {
    match token {
        Some(token)
            if !(1..=64).contains(&token.len())
                || !token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)) =>
        {
            let rule = "Member must satisfy regular expression pattern: ^[a-zA-Z0-9-_]+$";
            Err(SchedulerError::constraint("clientToken", token, rule))
        }
        _ => Ok(()),
    }
}

pub(super) fn between(member: &str, value: i64, min: i64, max: i64) -> Result<(), SchedulerError> {
    if value < min {
        return Err(SchedulerError::constraint(
            member,
            value,
            &format!("Member must have value greater than or equal to {min}"),
        ));
    }
    if value > max {
        return Err(SchedulerError::constraint(
            member,
            value,
            &format!("Member must have value less than or equal to {max}"),
        ));
    }
    Ok(())
}

fn one_of(member: &str, value: &str, choices: &[&str]) -> Result<(), SchedulerError> {
    if choices.contains(&value) {
        return Ok(());
    }
    let rule = format!("Member must satisfy enum value set: [{}]", choices.join(", "));
    Err(SchedulerError::constraint(member, value, &rule))
}

fn length(member: &str, value: &str, min: usize, max: usize) -> Result<(), SchedulerError> {
    if value.len() < min {
        let rule = format!("Member must have length greater than or equal to {min}");
        return Err(SchedulerError::constraint(member, value, &rule));
    }
    if value.len() > max {
        let rule = format!("Member must have length less than or equal to {max}");
        return Err(SchedulerError::constraint(member, value, &rule));
    }
    Ok(())
}

fn default_group() -> String {
    "default".to_owned()
}

fn utc() -> String {
    "UTC".to_owned()
}

fn enabled() -> String {
    "ENABLED".to_owned()
}

fn none() -> String {
    "NONE".to_owned()
}
