//! The function `run-job`: the one executor of everything that is done in bulk or by itself. What its queue gave up comes
//! here too, to be set aside where people see it.

use std::time::{Duration, Instant};

use app::{Moment, Runner};
use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use queues::WorkItem;
use startup::{Stack, received};

/// How long one invocation works on a slot in order, before it leaves the rest to the next: half of its time-out.
const WORKS_FOR: Duration = Duration::from_secs(15);

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    let stack = Stack::start().await?;
    let (runner, again) = (stack.runner()?, stack.redelivery("JOBS_QUEUE_URL")?);
    startup::serve(async |event: SqsEvent| {
        let mut response = SqsBatchResponse::default();
        let mut failed = Vec::new();
        for message in event.records {
            let at = Moment { now: stack.clock.now()?, until: Instant::now() + WORKS_FOR };
            let given_up = message.event_source_arn.as_deref().is_some_and(|arn| arn.ends_with("-dlq"));
            if !handled(&runner, &message, at, given_up).await {
                failed.extend(received(&message).into_iter().filter(|_| !given_up));
                response.add_failure(message.message_id.unwrap_or_default());
            }
        }
        again.soon(&failed).await;
        Ok(response)
    })
    .await
}

async fn handled(runner: &Runner, message: &SqsMessage, at: Moment, given_up: bool) -> bool {
    let message_id = message.message_id.as_deref();
    let item: WorkItem = match serde_json::from_str(message.body.as_deref().unwrap_or_default()) {
        Ok(item) => item,
        Err(error) => {
            tracing::error!(message_id, %error, "a message on the jobs queue is no work item");
            return false;
        }
    };
    let done = if given_up { runner.set_aside(&item).await } else { runner.run(&item, at).await };
    if let Err(error) = &done {
        tracing::error!(message_id, ?item, error = app::chain(error), "a work item must come again");
    }
    done.is_ok()
}
