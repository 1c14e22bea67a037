//! Batches of exactly the wanted size, passed to the function as its event source would pass them.

use serde_json::{Value, json};

use crate::{FAILURES, World, report};

/// The largest distance between the attempt of a report and the known attempt.
const MAX_ATTEMPT_STEP: u64 = 1_000;

impl World {
    /// Reports failures of one interchange, each with the highest attempt that is accepted, until it is at its last attempt.
    ///
    /// # Panics
    /// When the function fails or reports a batch item failure.
    pub async fn fail_up_to_the_last_attempt(&self, id: &str, flow: &str) {
        let reports: Vec<Value> = (1..=MAX_ATTEMPT_STEP)
            .map(|n| report(id, flow, json!({ "attempt": n * MAX_ATTEMPT_STEP, "payloads": null })))
            .collect();
        self.report(report(id, flow, json!({}))).await;
        for reports in reports.chunks(100) {
            self.ingest_batch(reports).await;
        }
    }

    /// Invokes ingest-failure with these reports as one batch.
    ///
    /// # Panics
    /// When the function fails or reports a batch item failure.
    pub async fn ingest_batch(&self, reports: &[Value]) {
        let sent = self.stack.aws().clock().now().as_millisecond().to_string();
        let record = |(i, report): (usize, &Value)| {
            json!({
                "messageId": format!("{sent}-{i}"), "receiptHandle": "r", "body": report.to_string(),
                "attributes": { "SentTimestamp": sent, "ApproximateReceiveCount": "1" }, "messageAttributes": {},
                "eventSource": "aws:sqs", "eventSourceARN": self.queue_arn(FAILURES), "awsRegion": "eu-west-1",
            })
        };
        let records: Vec<Value> = reports.iter().enumerate().map(record).collect();
        let event = json!({ "Records": records }).to_string();
        let answer = self.stack.invoke("reprise-ingest-failure", event).await.expect("ingest-failure answers");
        let answer: Value = serde_json::from_slice(&answer).expect("a batch response");
        assert_eq!(answer["batchItemFailures"], json!([]), "{answer}");
    }
}
