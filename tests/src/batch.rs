//! A batch as its event source would hand it over, of exactly the size that is asked for.

use serde_json::{Value, json};

use crate::{FAILURES, World, report};

/// How far one report may be ahead of the attempt that is known.
const JUMP: u64 = 1_000;

impl World {
    /// Reports failures of one interchange, each as far ahead as one may be, until it is at its last attempt.
    ///
    /// # Panics
    /// When the function fails or keeps one back.
    pub async fn fail_up_to_the_last_attempt(&self, id: &str, flow: &str) {
        let reports: Vec<Value> =
            (1..=JUMP).map(|n| report(id, flow, json!({ "attempt": n * JUMP, "payloads": null }))).collect();
        self.report(report(id, flow, json!({}))).await;
        for reports in reports.chunks(100) {
            self.take_in(reports).await;
        }
    }

    /// Hands reports to ingest-failure as one batch of its event source.
    ///
    /// # Panics
    /// When the function fails or keeps one back.
    pub async fn take_in(&self, reports: &[Value]) {
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
