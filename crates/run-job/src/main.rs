//! The function `run-job`: the one executor of everything that is done in bulk or by itself. What its queue gave up comes
//! here too, to be set aside where people see it.

use std::time::{Duration, Instant};

use app::{Gate, Moment, Runner, WorkMessage};
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use jiff::Timestamp;
use queues::MAC;
use startup::{Stack, received};

/// How long one invocation works on a slot in order, before it leaves the rest to the next: half of its time-out.
const WORKS_FOR: Duration = Duration::from_secs(15);

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    let stack = Stack::start().await?;
    let (runner, gate, again) = (stack.runner()?, stack.gate()?, stack.redelivery("JOBS_QUEUE_URL")?);
    startup::serve(async |event: SqsEvent| {
        let mut response = SqsBatchResponse::default();
        let mut failed = Vec::new();
        for message in event.records {
            let at = Moment { now: stack.clock.now()?, until: Instant::now() + WORKS_FOR };
            let given_up = message.event_source_arn.as_deref().is_some_and(|arn| arn.ends_with("-dlq"));
            if !handled(&runner, &gate, &message, at, given_up).await {
                failed.extend(received(&message).into_iter().filter(|_| !given_up));
                response.add_failure(message.message_id.unwrap_or_default());
            }
        }
        again.soon(&failed).await;
        Ok(response)
    })
    .await
}

async fn handled(runner: &Runner, gate: &Gate, message: &SqsMessage, at: Moment, given_up: bool) -> bool {
    let message_id = message.message_id.as_deref();
    let item = match gate.admit(&work_message(message, at.now), at.now).await {
        Ok(Some(item)) => item,
        Ok(None) => return true,
        Err(error) => {
            tracing::error!(message_id, error = app::chain(&error), "a message of the jobs queue must come again");
            return false;
        }
    };
    let done = if given_up { runner.set_aside(&item).await } else { runner.run(&item, at).await };
    if let Err(error) = &done {
        tracing::error!(message_id, ?item, error = app::chain(error), "a work item must come again");
    }
    done.is_ok()
}

/// A message without a readable `SentTimestamp` counts as sent `now`.
fn work_message(message: &SqsMessage, now: Timestamp) -> WorkMessage<'_> {
    let sent = message.attributes.get("SentTimestamp").and_then(|text| text.parse().ok());
    WorkMessage {
        id: message.message_id.as_deref().unwrap_or_default(),
        body: message.body.as_deref().unwrap_or_default(),
        mac: message.message_attributes.get(MAC).and_then(|attribute| attribute.string_value.as_deref()),
        queued_at: sent.and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or(now),
    }
}
