//! The function `run-job`: runs the work items of jobs, due slots and claimed requests. It also consumes the dead-letter
//! queue of the jobs queue: a work item that failed 20 times is recorded at its job, where people see it.

use std::time::{Duration, Instant};

use app::{Gate, Moment, Runner, WorkMessage};
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use jiff::Timestamp;
use queues::MAC_ATTRIBUTE;
use startup::{Stack, received};

/// How long one invocation works on an ordered run before it leaves the rest to the next one: half of its time-out.
const MAX_RUN_TIME: Duration = Duration::from_secs(15);

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    let stack = Stack::start().await?;
    let (runner, gate, redelivery) = (stack.runner()?, stack.gate()?, stack.redelivery("JOBS_QUEUE_URL")?);
    startup::serve(async |event: SqsEvent| {
        let mut response = SqsBatchResponse::default();
        let mut failed = Vec::new();
        for message in event.records {
            let at = Moment { now: stack.clock.now()?, until: Instant::now() + MAX_RUN_TIME };
            let dead_letter = message.event_source_arn.as_deref().is_some_and(|arn| arn.ends_with("-dlq"));
            if !handle(&runner, &gate, &message, at, dead_letter).await {
                failed.extend(received(&message).into_iter().filter(|_| !dead_letter));
                response.add_failure(message.message_id.unwrap_or_default());
            }
        }
        redelivery.retry_soon(&failed).await;
        Ok(response)
    })
    .await
}

/// Returns whether the message can be acknowledged.
async fn handle(runner: &Runner, gate: &Gate, message: &SqsMessage, at: Moment, dead_letter: bool) -> bool {
    let message_id = message.message_id.as_deref();
    let item = match gate.admit(&work_message(message, at.now), at.now).await {
        Ok(Some(item)) => item,
        Ok(None) => return true,
        Err(error) => {
            tracing::error!(
                message_id,
                error = app::chain(&error),
                "a message of the jobs queue failed and will be received again"
            );
            return false;
        }
    };
    let done = if dead_letter { runner.set_aside(&item).await } else { runner.run(&item, at).await };
    if let Err(error) = &done {
        tracing::error!(message_id, ?item, error = app::chain(error), "a work item failed and will be received again");
    }
    done.is_ok()
}

/// Uses `now` as the time of sending if the message has no valid `SentTimestamp`.
fn work_message(message: &SqsMessage, now: Timestamp) -> WorkMessage<'_> {
    let sent = message.attributes.get("SentTimestamp").and_then(|text| text.parse().ok());
    WorkMessage {
        id: message.message_id.as_deref().unwrap_or_default(),
        body: message.body.as_deref().unwrap_or_default(),
        mac: message.message_attributes.get(MAC_ATTRIBUTE).and_then(|attribute| attribute.string_value.as_deref()),
        queued_at: sent.and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or(now),
    }
}
