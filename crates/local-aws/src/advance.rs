//! Moving the clock by hand: what falls due on the way happens in order, at its own instant, and what it causes is
//! finished before time goes on. This is how a day of retries passes in a minute, and how tests never sleep.

use jiff::SignedDuration;

use crate::aws::Aws;
use crate::clock::ClockError;
use crate::scheduler::SchedulerError;

/// Visibility is a promise in seconds: messages that appear within the same second appear together, which keeps a queue
/// whose messages were each received at their own millisecond from costing a step for each.
const STEP: i64 = 1_000;

/// DynamoDB deletes expired items within a few days; here they go when the clock is moved by one.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Why the clock was not advanced to the end.
#[derive(Debug, thiserror::Error)]
pub enum AdvanceError {
    /// The duration is negative.
    #[error("the clock only moves forward, not by {0}")]
    Backwards(SignedDuration),
    /// The instant is beyond what a timestamp can tell.
    #[error("the clock cannot move as far as {0}")]
    TooFar(SignedDuration),
    /// The clock could not be moved.
    #[error("the clock did not move")]
    Clock(#[from] ClockError),
    /// What falls due could not be read or fired.
    #[error("what falls due cannot be fired")]
    Schedules(#[from] SchedulerError),
    /// When messages appear could not be read.
    #[error("when messages appear cannot be found out")]
    Storage(#[from] rusqlite::Error),
}

/// Moves the clock by `by`; one advance at a time, others wait.
pub(crate) async fn advance(aws: &Aws, by: SignedDuration) -> Result<(), AdvanceError> {
    if by.is_negative() {
        return Err(AdvanceError::Backwards(by));
    }
    let _turn = aws.advancing().lock().await;
    let target = aws.clock().now().checked_add(by).map_err(|_| AdvanceError::TooFar(by))?.as_millisecond();
    aws.clock().note_event();
    aws.scheduler().thin_out();
    let advanced = until(aws, target).await;
    aws.scheduler().keep_rhythm()?;
    advanced?;
    if by >= DAY {
        aws.sweep().await;
    }
    Ok(())
}

/// Moves the clock to `target`, and lets happen what falls due until then.
async fn until(aws: &Aws, target: i64) -> Result<(), AdvanceError> {
    let mut followed_up = None;
    loop {
        aws.scheduler().fire_due().await?;
        aws.settle().await;
        let event = aws.clock().last_event();
        if followed_up != Some(event) {
            aws.scheduler().follow_up(event)?;
            followed_up = Some(event);
        }
        let Some(next) = next_due(aws)?.filter(|next| *next <= target) else { break };
        aws.clock().move_to(next)?;
        aws.sqs().wake_due();
    }
    aws.clock().move_to(target)?;
    aws.sqs().wake_due();
    aws.scheduler().fire_due().await?;
    aws.settle().await;
    Ok(())
}

/// The next instant after now at which something happens.
fn next_due(aws: &Aws) -> Result<Option<i64>, AdvanceError> {
    let now = aws.clock().millis();
    let firing = aws.scheduler().next_due()?.map(|at| at.max(now));
    let visible =
        aws.sqs().next_visible(now)?.map(|at| at.div_euclid(STEP) * STEP + if at % STEP == 0 { 0 } else { STEP });
    Ok([firing, visible].into_iter().flatten().min())
}
