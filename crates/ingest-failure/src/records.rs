//! Turns the messages of Lambda's SQS event into records for [`Ingest`], and the result into a partial batch response.

use app::{AppError, Ingest, Ingested, chain};
use aws_lambda_events::sqs::{SqsBatchResponse, SqsMessage};
use contract::intake::QueueRecord;
use contract::{AttributeValue, MessageAttribute};
use jiff::Timestamp;
use queues::ReceivedMessage;
use startup::received;
use table::TableError;

/// One message of the event. It owns the data that a [`QueueRecord`] borrows.
pub(crate) struct Record {
    id: String,
    body: String,
    queued_at: Timestamp,
    sender: Option<String>,
    dead_letter_source: Option<String>,
    attributes: Vec<MessageAttribute>,
    received: Option<ReceivedMessage>,
}

impl Record {
    /// Uses `now` as the time of sending if the message has no valid `SentTimestamp`.
    pub(crate) fn new(message: SqsMessage, now: Timestamp) -> Self {
        let received = received(&message);
        let mut system = message.attributes;
        let sent = system.get("SentTimestamp").and_then(|text| text.parse().ok());
        let mut attributes: Vec<MessageAttribute> = message
            .message_attributes
            .into_iter()
            .filter_map(|(name, attribute)| {
                let text = attribute.string_value.map(AttributeValue::Text);
                let value = text.or_else(|| attribute.binary_value.map(|data| AttributeValue::Binary(data.0)))?;
                Some(MessageAttribute {
                    name,
                    data_type: attribute.data_type.unwrap_or_else(|| "String".into()),
                    value,
                })
            })
            .collect();
        attributes.sort_by(|a, b| a.name.cmp(&b.name));
        Self {
            id: message.message_id.unwrap_or_default(),
            body: message.body.unwrap_or_default(),
            queued_at: sent.and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or(now),
            sender: system.remove("SenderId"),
            dead_letter_source: system.remove("DeadLetterQueueSourceArn"),
            attributes,
            received,
        }
    }

    /// The received message if `response` lists it as failed, else `None`.
    pub(crate) fn if_failed(&self, response: &SqsBatchResponse) -> Option<ReceivedMessage> {
        let failed = response.batch_item_failures.iter().any(|failure| failure.item_identifier == self.id);
        self.received.clone().filter(|_| failed)
    }

    pub(crate) fn as_queue_record(&self) -> QueueRecord<'_> {
        QueueRecord {
            body: &self.body,
            message_id: &self.id,
            queued_at: self.queued_at,
            sender: self.sender.as_deref(),
            dead_letter_source: self.dead_letter_source.as_deref(),
            attributes: &self.attributes,
        }
    }
}

/// Stores a batch and returns the messages that must be received again. If one message can never be stored, stores each
/// message in a call of its own, so that this message does not block the others.
pub(crate) async fn ingest_batch(ingest: &Ingest, batch: &[QueueRecord<'_>], now: Timestamp) -> SqsBatchResponse {
    let mut response = SqsBatchResponse::default();
    match ingest.ingest(batch, now).await {
        Ok(done) => {
            tracing::debug!(
                messages = batch.len(),
                changed = done.changed,
                repeats = done.repeats,
                early = done.early,
                never_failed = done.never_failed,
                "stored a batch"
            );
            add_unreadable(&done, &mut response);
        }
        Err(error @ AppError::Table(TableError::Unstorable { .. })) => {
            tracing::warn!(
                messages = batch.len(),
                error = chain(&error),
                "a batch cannot be stored as a whole, so each message is stored on its own"
            );
            for record in batch {
                match ingest_one(ingest, record, now).await {
                    Ok(done) => add_unreadable(&done, &mut response),
                    Err(error) => add_failed(record, &error, &mut response),
                }
            }
        }
        Err(error) => batch.iter().for_each(|record| add_failed(record, &error, &mut response)),
    }
    response
}

/// Stores one message. A message that can never be stored as a report is stored as a dead letter instead: otherwise it
/// would be received again until SQS deletes it.
async fn ingest_one(ingest: &Ingest, record: &QueueRecord<'_>, now: Timestamp) -> Result<Ingested, AppError> {
    match ingest.ingest(std::slice::from_ref(record), now).await {
        Err(AppError::Table(TableError::Unstorable { cause, .. })) => {
            tracing::warn!(message_id = record.message_id, cause, "a message is stored as a dead letter");
            ingest.set_aside(record, &format!("it cannot be stored: {cause}"), now).await
        }
        done => done,
    }
}

/// Adds the messages whose stored interchange this release cannot read. SQS delivers them again until a release that can
/// read it is deployed, or moves them to the dead-letter queue, from which they can be redriven then.
fn add_unreadable(done: &Ingested, response: &mut SqsBatchResponse) {
    for message_id in &done.unreadable {
        tracing::error!(
            message_id,
            "a message failed because its stored interchange cannot be read, and will be received again"
        );
        response.add_failure(message_id);
    }
}

fn add_failed(record: &QueueRecord<'_>, error: &AppError, response: &mut SqsBatchResponse) {
    tracing::error!(
        message_id = record.message_id,
        error = chain(error),
        "a message failed and will be received again"
    );
    response.add_failure(record.message_id);
}
