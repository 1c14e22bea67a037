//! The function `ingest-failure`: takes in everything that lands on the failures queue.

mod records;

use aws_lambda_events::sqs::SqsEvent;
use startup::Stack;

use crate::records::{Record, failures};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    let stack = Stack::start().await?;
    let (ingest, again) = (stack.ingest()?, stack.redelivery("FAILURES_QUEUE_URL")?);
    startup::serve(async |event: SqsEvent| {
        let now = stack.clock.now()?;
        let records: Vec<Record> = event.records.into_iter().map(|message| Record::new(message, now)).collect();
        let batch: Vec<_> = records.iter().map(Record::as_queue_record).collect();
        let response = failures(&ingest, &batch, now).await;
        let failed: Vec<_> = records.iter().filter_map(|record| record.comes_again(&response)).collect();
        again.soon(&failed).await;
        Ok(response)
    })
    .await
}
