//! Consumes a stage queue of the pipeline.
//!
//! Reprise delivers at least once, so a repeat of an attempt is dropped. A message is deleted only after its outcome was
//! reported. If the pipeline stops before that, SQS delivers the message again.

use std::collections::HashSet;

use aws_sdk_sqs::types::Message;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Deserialize;

use crate::pipeline::{Outcome, Pipeline};
use crate::report;
use crate::reprise::{DemoError, Reprise};

/// How long a receive waits for messages. SQS allows no more.
const MAX_WAIT_SECONDS: i32 = 20;

/// A stage queue and the pipeline behind it.
pub(crate) struct Stage {
    reprise: Reprise,
    queue_url: String,
    pipeline: Pipeline,
    /// The part of the pipeline that handles payloads of this queue.
    run: fn(&Pipeline, &str, Timestamp) -> Outcome,
}

/// The fields of the attribute `reprise` that the pipeline needs.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reentry {
    interchange_id: String,
    attempt: u64,
    encoding: Option<String>,
}

impl Stage {
    /// The stage for restarts. Payloads are the buyer's orders.
    pub(crate) fn sender(reprise: &Reprise, queue_url: String, pipeline: Pipeline) -> Self {
        Self { reprise: reprise.clone(), queue_url, pipeline, run: Pipeline::map_and_deliver }
    }

    /// The stage for retries. Payloads are orders that were mapped before.
    pub(crate) fn receiver(reprise: &Reprise, queue_url: String, pipeline: Pipeline) -> Self {
        Self { reprise: reprise.clone(), queue_url, pipeline, run: Pipeline::deliver_mapped }
    }

    /// Receives and handles messages until dropped.
    pub(crate) async fn consume(self) -> Result<(), DemoError> {
        let mut handled = HashSet::new();
        loop {
            for message in self.receive().await? {
                match parse(&message) {
                    Some((reentry, payload)) => {
                        if handled.insert((reentry.interchange_id.clone(), reentry.attempt)) {
                            self.handle(&reentry, &payload).await?;
                        }
                    }
                    None => tracing::warn!(queue = self.queue_url, "a message that Reprise did not send is dropped"),
                }
                self.delete(&message).await?;
            }
        }
    }

    async fn handle(&self, reentry: &Reentry, payload: &str) -> Result<(), DemoError> {
        let Reentry { interchange_id, attempt, .. } = reentry;
        let now = self.reprise.now().await?;
        let outcome = (self.run)(&self.pipeline, payload, now);
        tracing::debug!(interchange_id, attempt, ?outcome, "an order went through the pipeline again");
        for report in report::of_reentry(interchange_id, *attempt, &outcome, now) {
            self.reprise.report(&report).await?;
        }
        Ok(())
    }

    async fn receive(&self) -> Result<Vec<Message>, DemoError> {
        let receive = self.reprise.sqs.receive_message().queue_url(&self.queue_url).message_attribute_names("All");
        let received = receive.max_number_of_messages(10).wait_time_seconds(MAX_WAIT_SECONDS).send().await;
        Ok(received.map_err(|error| DemoError::sqs("ReceiveMessage", error))?.messages.unwrap_or_default())
    }

    async fn delete(&self, message: &Message) -> Result<(), DemoError> {
        let delete = self.reprise.sqs.delete_message().queue_url(&self.queue_url);
        let deleted = delete.set_receipt_handle(message.receipt_handle.clone()).send().await;
        deleted.map(|_| ()).map_err(|error| DemoError::sqs("DeleteMessage", error))
    }
}

/// The attribute `reprise` and the decoded payload. `None` if Reprise did not send the message.
fn parse(message: &Message) -> Option<(Reentry, String)> {
    let attribute = message.message_attributes()?.get("reprise")?.string_value()?;
    let reentry: Reentry = serde_json::from_str(attribute).ok()?;
    let body = message.body()?;
    let payload = match reentry.encoding.as_deref() {
        Some("base64") => String::from_utf8(STANDARD.decode(body).ok()?).ok()?,
        _ => body.to_owned(),
    };
    Some((reentry, payload))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_sqs::types::MessageAttributeValue;

    fn message(attribute: &str, body: &str) -> Message {
        let value = MessageAttributeValue::builder().data_type("String").string_value(attribute).build().unwrap();
        Message::builder().message_attributes("reprise", value).body(body).build()
    }

    #[test]
    fn the_attribute_has_the_interchange_the_attempt_and_the_encoding_of_the_body() {
        let plain = message(r#"{"interchangeId":"PO-1","flow":"orders","attempt":2,"action":"retry"}"#, "<Order/>");
        let (reentry, payload) = parse(&plain).unwrap();
        assert_eq!((reentry.interchange_id.as_str(), reentry.attempt, payload.as_str()), ("PO-1", 2, "<Order/>"));
        let encoded = message(r#"{"interchangeId":"PO-1","attempt":2,"encoding":"base64"}"#, "PE9yZGVyLz4=");
        assert_eq!(parse(&encoded).unwrap().1, "<Order/>");
    }

    #[test]
    fn a_message_that_reprise_did_not_send_is_not_parsed() {
        assert!(parse(&Message::builder().body("<Order/>").build()).is_none());
        assert!(parse(&message("{}", "<Order/>")).is_none());
    }
}
