//! Creates one-time schedules in EventBridge Scheduler: one for each slot, for all interchanges of the slot.

use aws_cause::cause;
use aws_sdk_scheduler::Client;
use aws_sdk_scheduler::types::{
    ActionAfterCompletion, DeadLetterConfig, FlexibleTimeWindow, FlexibleTimeWindowMode, Target,
};
use domain::{Digest, Slot};

/// Characters of a schedule name.
const MAX_NAME: usize = 64;

/// A failed `CreateSchedule` call.
#[derive(Debug, thiserror::Error)]
#[error("CreateSchedule {name} failed: {cause}")]
pub struct ScheduleError {
    /// The name of the schedule that was to be created.
    pub name: String,
    /// The error chain of Scheduler and the SDK, without data of the request.
    pub cause: String,
}

/// The names and ARNs that every schedule needs; the template sets them as environment variables.
#[derive(Debug, Clone)]
pub struct ScheduleSettings {
    /// The name of the schedule group.
    pub group: String,
    /// The role that Scheduler assumes to invoke the target.
    pub role_arn: String,
    /// The ARN of the function `scheduled-retry`.
    pub target_arn: String,
    /// The queue for events that Scheduler could not deliver to the target.
    pub dead_letter_arn: String,
}

/// Creates schedules in the stack's schedule group.
#[derive(Debug, Clone)]
pub struct Schedules {
    client: Client,
    settings: ScheduleSettings,
}

impl Schedules {
    /// Creates schedules with `client`.
    #[must_use]
    pub fn new(client: Client, settings: ScheduleSettings) -> Self {
        Self { client, settings }
    }

    /// Creates the schedule of a slot. Succeeds if the schedule exists already, and if Scheduler rejects it as invalid: the
    /// sweep then dispatches the slot.
    ///
    /// # Errors
    /// If the `CreateSchedule` call fails in another way.
    pub async fn ensure(&self, slot: &Slot) -> Result<(), ScheduleError> {
        let name = name(slot);
        let failed = |cause: String| ScheduleError { name: name.clone(), cause };
        let input = serde_json::json!({ "slot": { "flow": slot.flow.as_str(), "minute": slot.minute.to_string() } });
        let dead_letters = DeadLetterConfig::builder().arn(&self.settings.dead_letter_arn).build();
        let target = Target::builder()
            .arn(&self.settings.target_arn)
            .role_arn(&self.settings.role_arn)
            .input(input.to_string())
            .dead_letter_config(dead_letters)
            .build()
            .map_err(|e| failed(e.to_string()))?;
        let no_flexibility = FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build();
        let created = self
            .client
            .create_schedule()
            .name(&name)
            .group_name(&self.settings.group)
            .schedule_expression(format!("at({})", slot.minute.timestamp().strftime("%Y-%m-%dT%H:%M:%S")))
            .schedule_expression_timezone("UTC")
            .flexible_time_window(no_flexibility.map_err(|e| failed(e.to_string()))?)
            .action_after_completion(ActionAfterCompletion::Delete)
            .target(target)
            .send()
            .await;
        match created {
            Ok(_) => Ok(()),
            Err(error) if error.as_service_error().is_some_and(|e| e.is_conflict_exception()) => Ok(()),
            // For example because the minute has passed in the meantime. The slot is registered, so the sweep dispatches it. An
            // error here would stop the commit of the failures that are due in this slot.
            Err(error) if error.as_service_error().is_some_and(|e| e.is_validation_exception()) => {
                tracing::warn!(
                    schedule = name,
                    cause = cause(&error),
                    "Scheduler rejected the schedule, so the sweep will dispatch its slot"
                );
                Ok(())
            }
            Err(error) => Err(failed(cause(&error))),
        }
    }
}

/// `<minute>-<flow>`. A name that is too long is cut, and ends with eight digits of the flow's digest instead.
fn name(slot: &Slot) -> String {
    let minute = slot.minute.timestamp().strftime("%Y%m%dT%H%M").to_string();
    let full = format!("{minute}-{}", slot.flow);
    if full.len() <= MAX_NAME {
        return full;
    }
    let digest = Digest::of(slot.flow.as_str().as_bytes()).to_string();
    format!("{}-{}", &full[..MAX_NAME - 9], &digest[..8])
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{FlowName, Minute};

    #[test]
    fn a_schedule_name_is_minute_and_flow_and_has_at_most_64_characters() {
        let at = |flow: &str| Slot {
            minute: Minute::at_or_after("2026-11-20T14:05:00Z".parse().unwrap()),
            flow: FlowName::new(flow).unwrap(),
        };
        assert_eq!(name(&at("orders")), "20261120T1405-orders");
        let (a, b) = ("a".repeat(63) + "x", "a".repeat(63) + "y");
        assert_eq!(name(&at(&a)).len(), 64);
        assert_ne!(name(&at(&a)), name(&at(&b)));
    }
}
