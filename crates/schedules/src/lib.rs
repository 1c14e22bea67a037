//! One-time schedules: one for each slot, shared by all its interchanges.

use aws_cause::cause;
use aws_sdk_scheduler::Client;
use aws_sdk_scheduler::types::{
    ActionAfterCompletion, DeadLetterConfig, FlexibleTimeWindow, FlexibleTimeWindowMode, Target,
};
use domain::{Digest, Slot};

/// Most characters of a schedule's name.
const MOST_NAME: usize = 64;

/// A schedule that could not be made.
#[derive(Debug, thiserror::Error)]
#[error("CreateSchedule {name} failed: {cause}")]
pub struct ScheduleError {
    /// The schedule's name.
    pub name: String,
    /// The whole chain as Scheduler and the SDK tell it.
    pub cause: String,
}

/// What the stack's template says about schedules.
#[derive(Debug, Clone)]
pub struct ScheduleSettings {
    /// The schedule group.
    pub group: String,
    /// The role that Scheduler takes to invoke the target.
    pub role_arn: String,
    /// The scheduled-retry function.
    pub target_arn: String,
    /// Takes events that could not be delivered to the target.
    pub dead_letter_arn: String,
}

/// The stack's schedule group.
#[derive(Debug, Clone)]
pub struct Schedules {
    client: Client,
    settings: ScheduleSettings,
}

impl Schedules {
    /// Makes schedules through `client`.
    #[must_use]
    pub fn new(client: Client, settings: ScheduleSettings) -> Self {
        Self { client, settings }
    }

    /// Sees to it that a slot has its schedule. Where it has one already, that is success.
    ///
    /// # Errors
    /// When Scheduler refuses or cannot be reached.
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
        let exactly = FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build();
        let created = self
            .client
            .create_schedule()
            .name(&name)
            .group_name(&self.settings.group)
            .schedule_expression(format!("at({})", slot.minute.timestamp().strftime("%Y-%m-%dT%H:%M:%S")))
            .schedule_expression_timezone("UTC")
            .flexible_time_window(exactly.map_err(|e| failed(e.to_string()))?)
            .action_after_completion(ActionAfterCompletion::Delete)
            .target(target)
            .send()
            .await;
        match created {
            Ok(_) => Ok(()),
            Err(error) if error.as_service_error().is_some_and(|e| e.is_conflict_exception()) => Ok(()),
            // A minute that went by meanwhile, for one. The slot is registered, so the sweep finds it; what falls due must not hold up
            // the failures that it belongs to.
            Err(error) if error.as_service_error().is_some_and(|e| e.is_validation_exception()) => {
                tracing::warn!(
                    schedule = name,
                    cause = cause(&error),
                    "the schedule is refused, so the sweep takes its slot over"
                );
                Ok(())
            }
            Err(error) => Err(failed(cause(&error))),
        }
    }
}

/// Minute and flow; a flow whose name is too long for that is told apart by a digest.
fn name(slot: &Slot) -> String {
    let minute = slot.minute.timestamp().strftime("%Y%m%dT%H%M").to_string();
    let whole = format!("{minute}-{}", slot.flow);
    if whole.len() <= MOST_NAME {
        return whole;
    }
    let digest = Digest::of(slot.flow.as_str().as_bytes()).to_string();
    format!("{}-{}", &whole[..MOST_NAME - 9], &digest[..8])
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{FlowName, Minute};

    #[test]
    fn a_schedule_is_named_by_minute_and_flow_within_what_scheduler_takes() {
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
