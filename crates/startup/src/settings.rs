//! Reads the environment variables that the template sets for a function.

use anyhow::Context as _;
use domain::Stages;
use jiff::SignedDuration;
use schedules::ScheduleSettings;

/// How many days resolved interchanges are kept if the template does not set `RETENTION_DAYS`.
const DEFAULT_RETENTION_DAYS: i64 = 90;

/// Reads a variable that the function needs.
///
/// # Errors
/// Names the variable if it is missing.
pub(crate) fn required(name: &str) -> anyhow::Result<String> {
    std::env::var(name).with_context(|| format!("the environment variable {name} is missing: the template sets it"))
}

/// Reads a variable that may be missing or empty; `None` for both.
pub(crate) fn optional(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

pub(crate) fn retention() -> anyhow::Result<SignedDuration> {
    let days = match std::env::var("RETENTION_DAYS") {
        Ok(text) => text.parse().with_context(|| format!("RETENTION_DAYS is `{text}`: must be a number of days"))?,
        Err(_) => DEFAULT_RETENTION_DAYS,
    };
    Ok(SignedDuration::from_hours(24 * days))
}

/// The stack's own stage queues, for flows without a configuration.
pub(crate) fn default_stages() -> Stages {
    Stages {
        sender: std::env::var("SENDER_STAGE_QUEUE_URL").ok(),
        receiver: std::env::var("RECEIVER_STAGE_QUEUE_URL").ok(),
    }
}

pub(crate) fn schedules() -> anyhow::Result<ScheduleSettings> {
    Ok(ScheduleSettings {
        group: required("SCHEDULE_GROUP")?,
        role_arn: required("SCHEDULE_ROLE_ARN")?,
        target_arn: required("SCHEDULED_RETRY_ARN")?,
        dead_letter_arn: required("SCHEDULE_DLQ_ARN")?,
    })
}
