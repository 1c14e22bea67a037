//! Sends interchanges to the stage queues of pipelines: the payload byte for byte as it was stored, with the message
//! attribute `reprise`.

use std::time::Duration;

use aws_cause::cause;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::operation::send_message_batch::SendMessageBatchError;
use aws_sdk_sqs::primitives::Blob;
use aws_sdk_sqs::types::{MessageAttributeValue, SendMessageBatchRequestEntry};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contract::{AttributeValue, Encoding, MAX_CARRIED, MessageAttribute, RepriseAttribute};
use domain::Epoch;

use crate::batch::{BatchItem, MAX_BYTES, pack_batches};
use crate::own_queues::OwnQueues;

/// Attempts to send a message that SQS did not accept for reasons of its own.
const MAX_ATTEMPTS: u32 = 4;

/// The refusal of a message for one of Reprise's own queues.
const OWN_QUEUE: &str = "the stage is one of Reprise's own queues, and nothing is sent there";

/// The base64 body of an empty payload. SQS accepts no empty body, and base64 decoders ignore a line feed.
const EMPTY_BODY: &str = "\n";

/// One message for a stage queue.
#[derive(Debug, Clone)]
pub struct StageMessage {
    /// The URL of the stage queue.
    pub queue_url: String,
    /// The payload, byte for byte.
    pub payload: Vec<u8>,
    /// The content of the attribute `reprise`. [`StageQueues::send`] sets its `encoding`.
    pub attribute: RepriseAttribute,
    /// Attributes of the dead letter, sorted by name. The first nine are sent.
    pub dead_letter_attributes: Vec<MessageAttribute>,
    /// The FIFO group.
    pub group: String,
}

/// The result of sending one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// SQS accepted the message.
    Sent,
    /// SQS will never accept the message, for this reason.
    Refused(String),
    /// SQS did not accept the message now, or its response was lost, for this reason.
    Failed(String),
}

/// Sends messages to the stage queues of all pipelines.
#[derive(Debug, Clone)]
pub struct StageQueues {
    client: Client,
    own: OwnQueues,
}

impl StageQueues {
    /// Sends through `client`, and never to the queues in `own`.
    #[must_use]
    pub fn new(client: Client, own: OwnQueues) -> Self {
        Self { client, own }
    }

    /// Sends messages, as many in one call as fit. The results are in the order of the messages. After a message that a
    /// FIFO queue did not accept, no further message is sent to that queue.
    pub async fn send(&self, messages: Vec<StageMessage>) -> Vec<Delivery> {
        let mut deliveries = vec![Delivery::Failed("not tried".to_owned()); messages.len()];
        let mut by_queue: std::collections::BTreeMap<String, Vec<(usize, PreparedMessage)>> = Default::default();
        for (position, message) in messages.into_iter().enumerate() {
            let queue = message.queue_url.clone();
            by_queue.entry(queue).or_default().push((position, PreparedMessage::from(message)));
        }
        for (queue_url, messages) in by_queue {
            if self.own.contains(&queue_url) {
                messages
                    .iter()
                    .for_each(|(position, _)| deliveries[*position] = Delivery::Refused(OWN_QUEUE.to_owned()));
                continue;
            }
            let is_fifo = is_fifo(&queue_url);
            let items: Vec<BatchItem<'_>> = messages
                .iter()
                .map(|(_, m)| BatchItem { size: m.size, group: is_fifo.then_some(m.group.as_str()) })
                .collect();
            for batch in pack_batches(&items) {
                let batch: Vec<&(usize, PreparedMessage)> = batch.into_iter().map(|i| &messages[i]).collect();
                self.send_batch(&queue_url, &batch, &mut deliveries).await;
                if is_fifo && batch.iter().any(|(position, _)| matches!(deliveries[*position], Delivery::Failed(_))) {
                    break;
                }
            }
        }
        deliveries
    }

    async fn send_batch(&self, queue_url: &str, batch: &[&(usize, PreparedMessage)], deliveries: &mut [Delivery]) {
        let mut unsent: Vec<&(usize, PreparedMessage)> = batch.to_vec();
        for attempt in 0..MAX_ATTEMPTS {
            if attempt > 0 {
                tokio::time::sleep(Duration::from_millis(50 << attempt)).await;
            }
            let entries = unsent.iter().filter_map(|(position, message)| message.entry(queue_url, *position));
            let call = self.client.send_message_batch().queue_url(queue_url).set_entries(Some(entries.collect()));
            match call.customize().config_override(without_sdk_retries()).send().await {
                Ok(response) => {
                    for sent in response.successful() {
                        set_delivery(deliveries, sent.id(), Delivery::Sent);
                    }
                    for failed in response.failed() {
                        let reason = failed.message().unwrap_or(failed.code()).to_owned();
                        let delivery =
                            if failed.sender_fault() { Delivery::Refused(reason) } else { Delivery::Failed(reason) };
                        set_delivery(deliveries, failed.id(), delivery);
                    }
                }
                Err(error) => {
                    let (delivery, sent) = classify(&error);
                    for (position, message) in &unsent {
                        deliveries[*position] = message.refusal_if_too_large().unwrap_or_else(|| delivery.clone());
                    }
                    if sent == SentState::Unknown {
                        return;
                    }
                }
            }
            unsent.retain(|(position, _)| matches!(deliveries[*position], Delivery::Failed(_)));
            if unsent.is_empty() {
                return;
            }
        }
    }
}

/// Turns the SDK's retries off. If the SDK repeated a call whose response was lost, SQS would get the messages twice.
fn without_sdk_retries() -> aws_sdk_sqs::config::Builder {
    aws_sdk_sqs::config::Builder::new().retry_config(RetryConfig::disabled())
}

/// Stores the delivery of a batch entry, whose id is the message's position.
fn set_delivery(deliveries: &mut [Delivery], id: &str, delivery: Delivery) {
    if let Some(at) = id.parse::<usize>().ok().and_then(|position| deliveries.get_mut(position)) {
        *at = delivery;
    }
}

/// Errors of a queue or a message that a repeated call would return again.
const PERMANENT_ERRORS: [&str; 8] = [
    "NonExistentQueue",
    "QueueDoesNotExist",
    "InvalidAddress",
    "AccessDenied",
    "UnsupportedOperation",
    "InvalidMessageContents",
    "InvalidParameterValue",
    "BatchRequestTooLong",
];

/// Errors after which SQS has none of the messages and the call can be repeated.
const THROTTLING_ERRORS: [&str; 4] = ["RequestThrottled", "Throttling", "KmsThrottled", "OverLimit"];

/// Whether SQS may have accepted the messages of a failed call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SentState {
    /// SQS accepted none of them.
    NotSent,
    /// SQS may have accepted them, so a repeated call may send them twice.
    Unknown,
}

/// The delivery of every message of a failed call. A message is refused only if a repeated call would fail in the same way.
fn classify(error: &SdkError<SendMessageBatchError>) -> (Delivery, SentState) {
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code).unwrap_or_default();
    let is_one_of = |codes: &[&str]| codes.iter().any(|known| code.contains(known));
    let reason = cause(error);
    if is_one_of(&PERMANENT_ERRORS) {
        (Delivery::Refused(reason), SentState::NotSent)
    } else if is_one_of(&THROTTLING_ERRORS) {
        (Delivery::Failed(reason), SentState::NotSent)
    } else {
        (Delivery::Failed(reason), SentState::Unknown)
    }
}

/// A message in the form of the SQS API.
#[derive(Debug)]
struct PreparedMessage {
    body: String,
    attributes: Vec<(String, MessageAttributeValue)>,
    group: String,
    deduplication_id: String,
    /// Bytes of the body and the attributes.
    size: usize,
}

impl From<StageMessage> for PreparedMessage {
    fn from(message: StageMessage) -> Self {
        let StageMessage { payload, mut attribute, dead_letter_attributes, group, .. } = message;
        let body = match contract::sqs_text(&payload) {
            Some(text) => text.to_owned(),
            None => {
                attribute.encoding = Some(Encoding::Base64);
                let text = STANDARD.encode(&payload);
                if text.is_empty() { EMPTY_BODY.to_owned() } else { text }
            }
        };
        let deduplication_id = deduplication_id(attribute.interchange_id.as_str(), attribute.attempt, attribute.epoch);
        let mut attributes = vec![("reprise".to_owned(), text_value("String", attribute.to_json()))];
        let sent_along = dead_letter_attributes.into_iter().take(MAX_CARRIED);
        attributes.extend(sent_along.map(|a| (a.name, attribute_value(a.data_type, a.value))));
        let attribute_bytes: usize = attributes.iter().map(|(name, value)| name.len() + value_size(value)).sum();
        let size = body.len() + attribute_bytes;
        Self { body, attributes, group, deduplication_id, size }
    }
}

impl PreparedMessage {
    /// The refusal of a message that is larger than SQS allows. SQS's own error text speaks of a batch.
    fn refusal_if_too_large(&self) -> Option<Delivery> {
        let size = self.size;
        let reason = || format!("the message has {size} bytes with its attributes, and SQS takes {MAX_BYTES}");
        (size > MAX_BYTES).then(|| Delivery::Refused(reason()))
    }

    fn entry(&self, queue_url: &str, position: usize) -> Option<SendMessageBatchRequestEntry> {
        let mut entry = SendMessageBatchRequestEntry::builder().id(position.to_string()).message_body(&self.body);
        for (name, value) in &self.attributes {
            entry = entry.message_attributes(name, value.clone());
        }
        if is_fifo(queue_url) {
            entry = entry.message_group_id(&self.group).message_deduplication_id(&self.deduplication_id);
        }
        entry.build().ok()
    }
}

fn is_fifo(queue_url: &str) -> bool {
    queue_url.ends_with(".fifo")
}

/// `<interchangeId>#<attempt>`, and `#<epoch>` after the table was restored, because attempt numbers repeat then. If that is
/// longer than the 128 characters that SQS allows, its SHA-256.
fn deduplication_id(id: &str, attempt: u32, epoch: Epoch) -> String {
    let plain = if epoch.is_first() { format!("{id}#{attempt}") } else { format!("{id}#{attempt}#{epoch}") };
    if plain.len() <= 128 { plain } else { domain::Digest::of(plain.as_bytes()).to_string() }
}

fn text_value(data_type: &str, text: String) -> MessageAttributeValue {
    build(MessageAttributeValue::builder().data_type(data_type).string_value(text))
}

fn attribute_value(data_type: String, value: AttributeValue) -> MessageAttributeValue {
    match value {
        AttributeValue::Text(text) => text_value(&data_type, text),
        AttributeValue::Binary(bytes) => {
            build(MessageAttributeValue::builder().data_type(data_type).binary_value(Blob::new(bytes)))
        }
    }
}

/// Builds a value whose data type is set. The data type is the only required member, so this does not fail.
fn build(builder: aws_sdk_sqs::types::builders::MessageAttributeValueBuilder) -> MessageAttributeValue {
    builder.build().expect("the data type is set")
}

fn value_size(value: &MessageAttributeValue) -> usize {
    let text = value.string_value().map_or(0, str::len);
    value.data_type().len() + text + value.binary_value().map_or(0, |b| b.as_ref().len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deduplication_id_is_id_and_attempt_or_their_digest_when_too_long_for_sqs() {
        assert_eq!(deduplication_id("4711", 2, Epoch::FIRST), "4711#2");
        assert_eq!(deduplication_id(&"x".repeat(128), 2, Epoch::FIRST).len(), 64);
    }

    #[test]
    fn a_deduplication_id_contains_the_epoch_from_the_second_epoch_on() {
        assert_eq!(deduplication_id("4711", 2, Epoch(1_795_183_200)), "4711#2#1795183200");
    }
}
