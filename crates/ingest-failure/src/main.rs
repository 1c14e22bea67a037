//! The function `ingest-failure`: stores every message of the failures queue as a failure, an outcome or a dead letter.

mod records;

use aws_lambda_events::sqs::SqsEvent;
use startup::Stack;

use crate::records::{Record, ingest_batch};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    let stack = Stack::start().await?;
    let (ingest, redelivery) = (stack.ingest()?, stack.redelivery("FAILURES_QUEUE_URL")?);
    startup::serve(async |event: SqsEvent| {
        let now = stack.clock.now()?;
        let records: Vec<Record> = event.records.into_iter().map(|message| Record::new(message, now)).collect();
        let batch: Vec<_> = records.iter().map(Record::as_queue_record).collect();
        let response = ingest_batch(&ingest, &batch, now).await;
        let failed: Vec<_> = records.iter().filter_map(|record| record.if_failed(&response)).collect();
        redelivery.retry_soon(&failed).await;
        Ok(response)
    })
    .await
}
