//! What the template tells a function through its environment.

use anyhow::Context as _;
use domain::Stages;
use jiff::SignedDuration;
use schedules::ScheduleSettings;

/// Days that resolved interchanges are kept where the template says nothing.
const DEFAULT_RETENTION_DAYS: i64 = 90;

/// A variable that this function cannot do without.
pub(crate) fn required(name: &str) -> anyhow::Result<String> {
    std::env::var(name).with_context(|| format!("the environment variable {name} is missing: the template sets it"))
}

/// A variable that the template leaves empty where there is nothing to say.
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

/// The stack's own stage queues, which flows get that nobody configured.
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
