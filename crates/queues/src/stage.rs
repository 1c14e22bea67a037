//! Re-entry: the payload exactly as it was kept, with the `reprise` attribute, on a stage queue of the pipeline.

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
use contract::{AttributeValue, Encoding, MOST_CARRIED, MessageAttribute, RepriseAttribute};
use domain::Epoch;

use crate::OwnQueues;
use crate::batch::{MOST_BYTES, Parcel, packed};

/// Tries of what SQS could not take for reasons of its own.
const TRIES: u32 = 4;

/// Why nothing is sent there.
const OWN: &str = "the stage is one of Reprise's own queues, and nothing is sent there";

/// A base64 body of nothing. SQS takes no empty body, and decoders pass over a line feed.
const EMPTY_BODY: &str = "\n";

/// One message to put back into the pipeline.
#[derive(Debug, Clone)]
pub struct StageMessage {
    /// Where to.
    pub queue_url: String,
    /// The payload, byte for byte.
    pub payload: Vec<u8>,
    /// What the consumer needs to know of it; its `encoding` is set here.
    pub attribute: RepriseAttribute,
    /// Attributes that came with a dead letter, sorted by name: the first nine go along.
    pub carried: Vec<MessageAttribute>,
    /// The FIFO group.
    pub group: String,
}

/// What became of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// SQS has it.
    Sent,
    /// SQS will never take it, and why.
    Refused(String),
    /// SQS did not take it now, or did not say, and why.
    Failed(String),
}

/// The pipelines' stage queues.
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

    /// Sends messages, as many a call as fit; the answers stand in the order of the messages. To a FIFO queue nothing is
    /// sent after what it could not take now.
    pub async fn send(&self, messages: Vec<StageMessage>) -> Vec<Delivery> {
        let mut deliveries = vec![Delivery::Failed("not tried".to_owned()); messages.len()];
        let mut by_queue: std::collections::BTreeMap<String, Vec<(usize, Prepared)>> = Default::default();
        for (position, message) in messages.into_iter().enumerate() {
            let queue = message.queue_url.clone();
            by_queue.entry(queue).or_default().push((position, Prepared::from(message)));
        }
        for (queue_url, messages) in by_queue {
            if self.own.contain(&queue_url) {
                messages.iter().for_each(|(position, _)| deliveries[*position] = Delivery::Refused(OWN.to_owned()));
                continue;
            }
            let keeps_order = is_fifo(&queue_url);
            let parcels: Vec<Parcel<'_>> = messages
                .iter()
                .map(|(_, m)| Parcel { size: m.size, group: keeps_order.then_some(m.group.as_str()) })
                .collect();
            for batch in packed(&parcels) {
                let batch: Vec<&(usize, Prepared)> = batch.into_iter().map(|i| &messages[i]).collect();
                self.send_batch(&queue_url, &batch, &mut deliveries).await;
                let left = |(position, _): &&(usize, Prepared)| matches!(deliveries[*position], Delivery::Failed(_));
                if keeps_order && batch.iter().any(left) {
                    break;
                }
            }
        }
        deliveries
    }

    async fn send_batch(&self, queue_url: &str, batch: &[&(usize, Prepared)], deliveries: &mut [Delivery]) {
        let mut left: Vec<&(usize, Prepared)> = batch.to_vec();
        for attempt in 0..TRIES {
            if attempt > 0 {
                tokio::time::sleep(Duration::from_millis(50 << attempt)).await;
            }
            let entries = left.iter().filter_map(|(position, message)| message.entry(queue_url, *position));
            let call = self.client.send_message_batch().queue_url(queue_url).set_entries(Some(entries.collect()));
            match call.customize().config_override(sent_once()).send().await {
                Ok(answer) => {
                    for sent in answer.successful() {
                        note(deliveries, sent.id(), Delivery::Sent);
                    }
                    for failed in answer.failed() {
                        let why = failed.message().unwrap_or(failed.code()).to_owned();
                        let delivery =
                            if failed.sender_fault() { Delivery::Refused(why) } else { Delivery::Failed(why) };
                        note(deliveries, failed.id(), delivery);
                    }
                }
                Err(error) => {
                    let (delivery, answer) = judged(&error);
                    for (position, message) in &left {
                        deliveries[*position] = message.too_large().unwrap_or_else(|| delivery.clone());
                    }
                    if answer == Answer::Unclear {
                        return;
                    }
                }
            }
            left.retain(|(position, _)| matches!(deliveries[*position], Delivery::Failed(_)));
            if left.is_empty() {
                return;
            }
        }
    }
}

/// Each call goes out once: a client that repeats a call whose answer was lost would send its messages twice.
fn sent_once() -> aws_sdk_sqs::config::Builder {
    aws_sdk_sqs::config::Builder::new().retry_config(RetryConfig::disabled())
}

fn note(deliveries: &mut [Delivery], id: &str, delivery: Delivery) {
    if let Some(at) = id.parse::<usize>().ok().and_then(|position| deliveries.get_mut(position)) {
        *at = delivery;
    }
}

/// Errors of a queue or a message that SQS answers again whenever it is asked.
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

/// What SQS says when it did not take a call and it may be made again at once.
const NOT_TAKEN: [&str; 4] = ["RequestThrottled", "Throttling", "KmsThrottled", "OverLimit"];

/// What a call that failed tells of its messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// SQS has none of them.
    Clear,
    /// SQS may have them or not: sending them again may send them twice.
    Unclear,
}

/// A whole call that failed: refused only where SQS would say the same of it again.
fn judged(error: &SdkError<SendMessageBatchError>) -> (Delivery, Answer) {
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code).unwrap_or_default();
    let is_one_of = |codes: &[&str]| codes.iter().any(|known| code.contains(known));
    let why = cause(error);
    if is_one_of(&PERMANENT_ERRORS) {
        (Delivery::Refused(why), Answer::Clear)
    } else if is_one_of(&NOT_TAKEN) {
        (Delivery::Failed(why), Answer::Clear)
    } else {
        (Delivery::Failed(why), Answer::Unclear)
    }
}

/// A message as SQS takes it.
#[derive(Debug)]
struct Prepared {
    body: String,
    attributes: Vec<(String, MessageAttributeValue)>,
    group: String,
    deduplication: String,
    size: usize,
}

impl From<StageMessage> for Prepared {
    fn from(message: StageMessage) -> Self {
        let StageMessage { payload, mut attribute, carried, group, .. } = message;
        let body = match contract::sqs_text(&payload) {
            Some(text) => text.to_owned(),
            None => {
                attribute.encoding = Some(Encoding::Base64);
                let text = STANDARD.encode(&payload);
                if text.is_empty() { EMPTY_BODY.to_owned() } else { text }
            }
        };
        let deduplication = deduplication_id(attribute.interchange_id.as_str(), attribute.attempt, attribute.epoch);
        let mut attributes = vec![("reprise".to_owned(), string("String", attribute.to_json()))];
        attributes.extend(carried.into_iter().take(MOST_CARRIED).map(|a| (a.name, value(a.data_type, a.value))));
        let attribute_bytes: usize = attributes.iter().map(|(name, value)| name.len() + value_size(value)).sum();
        let size = body.len() + attribute_bytes;
        Self { body, attributes, group, deduplication, size }
    }
}

impl Prepared {
    /// In words that fit a single message: SQS's own speak of a batch.
    fn too_large(&self) -> Option<Delivery> {
        let size = self.size;
        let why = || format!("the message has {size} bytes with its attributes, and SQS takes {MOST_BYTES}");
        (size > MOST_BYTES).then(|| Delivery::Refused(why()))
    }

    fn entry(&self, queue_url: &str, position: usize) -> Option<SendMessageBatchRequestEntry> {
        let mut entry = SendMessageBatchRequestEntry::builder().id(position.to_string()).message_body(&self.body);
        for (name, value) in &self.attributes {
            entry = entry.message_attributes(name, value.clone());
        }
        if is_fifo(queue_url) {
            entry = entry.message_group_id(&self.group).message_deduplication_id(&self.deduplication);
        }
        entry.build().ok()
    }
}

fn is_fifo(queue_url: &str) -> bool {
    queue_url.ends_with(".fifo")
}

/// `<interchangeId>#<attempt>`, and `#<epoch>` once the table was restored: attempt numbers are given again then. Its
/// SHA-256 where that is over SQS's 128 characters.
fn deduplication_id(id: &str, attempt: u32, epoch: Epoch) -> String {
    let plain = if epoch.is_first() { format!("{id}#{attempt}") } else { format!("{id}#{attempt}#{epoch}") };
    if plain.len() <= 128 { plain } else { domain::Digest::of(plain.as_bytes()).to_string() }
}

fn string(data_type: &str, text: String) -> MessageAttributeValue {
    built(MessageAttributeValue::builder().data_type(data_type).string_value(text))
}

fn value(data_type: String, value: AttributeValue) -> MessageAttributeValue {
    match value {
        AttributeValue::Text(text) => string(&data_type, text),
        AttributeValue::Binary(bytes) => {
            built(MessageAttributeValue::builder().data_type(data_type).binary_value(Blob::new(bytes)))
        }
    }
}

/// Builds a value whose data type, the one required member, is set.
fn built(builder: aws_sdk_sqs::types::builders::MessageAttributeValueBuilder) -> MessageAttributeValue {
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
    fn a_deduplication_id_is_id_and_attempt_unless_that_is_too_long_for_sqs() {
        assert_eq!(deduplication_id("4711", 2, Epoch::FIRST), "4711#2");
        assert_eq!(deduplication_id(&"x".repeat(128), 2, Epoch::FIRST).len(), 64);
    }

    #[test]
    fn the_epoch_is_part_of_a_deduplication_id_from_the_second_one_on() {
        assert_eq!(deduplication_id("4711", 2, Epoch(1_795_183_200)), "4711#2#1795183200");
    }
}
