//! Lambda's SQS event as the records that are taken in, and the partial batch response.

use app::{AppError, Ingest, Ingested, chain};
use aws_lambda_events::sqs::{SqsBatchResponse, SqsMessage};
use contract::intake::QueueRecord;
use contract::{AttributeValue, MessageAttribute};
use jiff::Timestamp;
use queues::Received;
use startup::received;
use table::TableError;

/// One message of the event, owned.
pub(crate) struct Record {
    id: String,
    body: String,
    queued_at: Timestamp,
    sender: Option<String>,
    dead_letter_source: Option<String>,
    attributes: Vec<MessageAttribute>,
    delivery: Option<Received>,
}

impl Record {
    /// A message without a readable `SentTimestamp` counts as sent `now`.
    pub(crate) fn new(message: SqsMessage, now: Timestamp) -> Self {
        let delivery = received(&message);
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
            delivery,
        }
    }

    /// Its delivery, where `response` says that it must come again.
    pub(crate) fn comes_again(&self, response: &SqsBatchResponse) -> Option<Received> {
        let failed = response.batch_item_failures.iter().any(|failure| failure.item_identifier == self.id);
        self.delivery.clone().filter(|_| failed)
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

/// Takes a batch in and names the messages that must come again. When one of them can never be stored, each is
/// tried by itself, so that it does not hold up the rest.
pub(crate) async fn failures(ingest: &Ingest, batch: &[QueueRecord<'_>], now: Timestamp) -> SqsBatchResponse {
    let mut response = SqsBatchResponse::default();
    match ingest.ingest(batch, now).await {
        Ok(done) => {
            tracing::debug!(
                messages = batch.len(),
                changed = done.changed,
                repeats = done.repeats,
                early = done.early,
                never_failed = done.never_failed,
                "took a batch in"
            );
            unreadable(&done, &mut response);
        }
        Err(error @ AppError::Table(TableError::Unstorable { .. })) => {
            tracing::warn!(messages = batch.len(), error = chain(&error), "a batch is taken message by message");
            for record in batch {
                match alone(ingest, record, now).await {
                    Ok(done) => unreadable(&done, &mut response),
                    Err(error) => failed(record, &error, &mut response),
                }
            }
        }
        Err(error) => batch.iter().for_each(|record| failed(record, &error, &mut response)),
    }
    response
}

/// Takes one message in. What can never be stored as what it says would only come again until it is lost, so it is
/// kept as a dead letter.
async fn alone(ingest: &Ingest, record: &QueueRecord<'_>, now: Timestamp) -> Result<Ingested, AppError> {
    match ingest.ingest(std::slice::from_ref(record), now).await {
        Err(AppError::Table(TableError::Unstorable { cause, .. })) => {
            tracing::warn!(message_id = record.message_id, cause, "a message is kept as a dead letter");
            ingest.set_aside(record, &format!("it cannot be stored: {cause}"), now).await
        }
        done => done,
    }
}

/// Names the messages whose interchange cannot be read. They come again until a release runs that can, or until they are
/// dead letters that can be redriven then.
fn unreadable(done: &Ingested, response: &mut SqsBatchResponse) {
    for message_id in &done.unreadable {
        tracing::error!(message_id, "a message must come again, since its interchange cannot be read");
        response.add_failure(message_id);
    }
}

fn failed(record: &QueueRecord<'_>, error: &AppError, response: &mut SqsBatchResponse) {
    tracing::error!(message_id = record.message_id, error = chain(error), "a message must come again");
    response.add_failure(record.message_id);
}
