//! Advances the clock. It stops at each instant at which a schedule is due or a message becomes visible, and waits until
//! all resulting work is finished before it goes on. So a day of retries takes about a minute, and tests need no sleeps.

use jiff::SignedDuration;

use crate::clock::ClockError;
use crate::scheduler::SchedulerError;
use crate::services::Services;

/// Messages that become visible within the same second become visible together, in milliseconds. Visibility timeouts are
/// whole seconds, and otherwise each message with its own millisecond would cost a step.
const STEP_MILLIS: i64 = 1_000;

/// An advance by at least a day deletes expired items. DynamoDB deletes them within a few days.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// The reason why the clock did not reach its target.
#[derive(Debug, thiserror::Error)]
pub enum AdvanceError {
    /// The duration is negative.
    #[error("the clock only moves forward, not by {0}")]
    Backwards(SignedDuration),
    /// The target is beyond the range of a timestamp.
    #[error("the clock cannot move by {0}: the time would be out of range")]
    TooFar(SignedDuration),
    /// The clock could not be moved.
    #[error("the clock did not move")]
    Clock(#[from] ClockError),
    /// The schedules could not be read or fired.
    #[error("due schedules cannot be fired")]
    Schedules(#[from] SchedulerError),
    /// The next time at which a message becomes visible could not be read.
    #[error("cannot read when the next message becomes visible")]
    Storage(#[from] rusqlite::Error),
}

/// Moves the clock by `by`. Only one advance runs at a time; others wait.
pub(crate) async fn advance(services: &Services, by: SignedDuration) -> Result<(), AdvanceError> {
    if by.is_negative() {
        return Err(AdvanceError::Backwards(by));
    }
    let _turn = services.advancing.lock().await;
    let target = services.clock.now().checked_add(by).map_err(|_| AdvanceError::TooFar(by))?.as_millisecond();
    services.clock.record_activity();
    services.scheduler.reduce_frequency();
    let advanced = advance_to(services, target).await;
    services.scheduler.restore_frequency()?;
    advanced?;
    if by >= DAY {
        services.dynamodb.delete_expired().await;
    }
    Ok(())
}

/// Moves the clock to `target` and fires what is due until then.
async fn advance_to(services: &Services, target: i64) -> Result<(), AdvanceError> {
    let mut restored_after = None;
    loop {
        services.scheduler.fire_due().await?;
        services.settle().await;
        let activity = services.clock.last_activity();
        if restored_after != Some(activity) {
            services.scheduler.restore_intervals(activity)?;
            restored_after = Some(activity);
        }
        let Some(next) = next_due(services)?.filter(|next| *next <= target) else { break };
        services.clock.move_to(next)?;
        services.sqs.wake_all();
    }
    services.clock.move_to(target)?;
    services.sqs.wake_all();
    services.scheduler.fire_due().await?;
    services.settle().await;
    Ok(())
}

/// The next instant at which a schedule is due or a message becomes visible.
fn next_due(services: &Services) -> Result<Option<i64>, AdvanceError> {
    let now = services.clock.millis();
    let firing = services.scheduler.next_due()?.map(|at| at.max(now));
    let visible = services
        .sqs
        .next_visible(now)?
        .map(|at| at.div_euclid(STEP_MILLIS) * STEP_MILLIS + if at % STEP_MILLIS == 0 { 0 } else { STEP_MILLIS });
    Ok([firing, visible].into_iter().flatten().min())
}
