//! The function `ingest-failure`: takes in everything that lands on the failures queue.

mod records;

use aws_lambda_events::sqs::SqsEvent;
use startup::Stack;

use crate::records::{Record, failures};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    let stack = Stack::start().await?;
    let ingest = stack.ingest()?;
    startup::serve(async |event: SqsEvent| {
        let now = stack.clock.now()?;
        let records: Vec<Record> = event.records.into_iter().map(|message| Record::new(message, now)).collect();
        let batch: Vec<_> = records.iter().map(Record::as_queue_record).collect();
        Ok(failures(&ingest, &batch, now).await)
    })
    .await
}
