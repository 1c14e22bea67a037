//! The function `run-job`: the one executor of everything that is done in bulk or by itself.

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use queues::WorkItem;
use startup::Stack;

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    let stack = Stack::start().await?;
    let runner = stack.runner()?;
    startup::serve(async |event: SqsEvent| {
        let mut response = SqsBatchResponse::default();
        for message in event.records {
            let id = message.message_id.unwrap_or_default();
            let item: WorkItem = match serde_json::from_str(message.body.as_deref().unwrap_or_default()) {
                Ok(item) => item,
                Err(error) => {
                    tracing::error!(message_id = id, %error, "a message on the jobs queue is no work item");
                    response.add_failure(id);
                    continue;
                }
            };
            if let Err(error) = runner.run(&item, stack.clock.now()?).await {
                tracing::error!(message_id = id, ?item, error = app::chain(&error), "a work item must come again");
                response.add_failure(id);
            }
        }
        Ok(response)
    })
    .await
}
