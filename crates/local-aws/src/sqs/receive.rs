//! `ReceiveMessage` with long polling. A long poll waits in real time, independent of the clock, because consumers poll in
//! real time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Sqs;
use super::attribute::{self, Attribute};
use super::error::SqsError;
use super::message::Message;
use super::queue::Queue;
use super::settings::MAX_VISIBILITY_TIMEOUT;
use super::{dequeue, digest};

const SYSTEM_ATTRIBUTES: [&str; 10] = [
    "All",
    "SenderId",
    "SentTimestamp",
    "ApproximateReceiveCount",
    "ApproximateFirstReceiveTimestamp",
    "SequenceNumber",
    "MessageDeduplicationId",
    "MessageGroupId",
    "AWSTraceHeader",
    "DeadLetterQueueSourceArn",
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ReceiveMessage {
    queue_url: Option<String>,
    max_number_of_messages: Option<i64>,
    visibility_timeout: Option<i64>,
    wait_time_seconds: Option<i64>,
    #[serde(default)]
    attribute_names: Vec<String>,
    #[serde(default)]
    message_system_attribute_names: Vec<String>,
    #[serde(default)]
    message_attribute_names: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Received {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    messages: Vec<ReceivedMessage>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ReceivedMessage {
    message_id: String,
    receipt_handle: String,
    #[serde(rename = "MD5OfBody")]
    body_md5: String,
    body: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    attributes: BTreeMap<String, String>,
    #[serde(rename = "MD5OfMessageAttributes", skip_serializing_if = "Option::is_none")]
    attributes_md5: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    message_attributes: BTreeMap<String, Attribute>,
}

pub(super) async fn receive_message(sqs: &Sqs, request: ReceiveMessage) -> Result<Received, SqsError> {
    let queue = sqs.queue_of(request.queue_url.as_deref())?;
    let max = within("MaxNumberOfMessages", request.max_number_of_messages, 1, 10)?.unwrap_or(1);
    let max = usize::try_from(max).unwrap_or(1);
    let visibility = within("VisibilityTimeout", request.visibility_timeout, 0, MAX_VISIBILITY_TIMEOUT)?
        .map_or(queue.settings.visibility, |seconds| seconds * 1_000);
    let wait = within("WaitTimeSeconds", request.wait_time_seconds, 0, 20)?
        .map_or(queue.settings.wait, |seconds| seconds * 1_000);
    let mut system = request.attribute_names;
    system.extend(request.message_system_attribute_names);
    if let Some(unknown) = system.iter().find(|name| !SYSTEM_ATTRIBUTES.contains(&name.as_str())) {
        return Err(SqsError::InvalidAttributeName(unknown.clone()));
    }

    let wait = Duration::from_millis(u64::try_from(wait).unwrap_or_default());
    let messages = poll(sqs, &queue, max, visibility, wait).await?;
    let to_wire = |message| to_wire(message, &system, &request.message_attribute_names);
    Ok(Received { messages: messages.into_iter().map(to_wire).collect() })
}

/// Receives the messages that are there, or that arrive within `wait`.
async fn poll(
    sqs: &Sqs,
    queue: &Arc<Queue>,
    max: usize,
    visibility: i64,
    wait: Duration,
) -> Result<Vec<Message>, SqsError> {
    let mut changes = queue.changes();
    let mut stopped = sqs.stopped();
    let over = tokio::time::sleep(wait);
    tokio::pin!(over);
    loop {
        changes.mark_unchanged();
        // Looks up the queue each time, because it may have been changed or deleted during the wait.
        let current = sqs.queues().get(&queue.name)?;
        let messages = dequeue::dequeue(sqs, &current, max, visibility)?;
        if !messages.is_empty() || wait.is_zero() {
            return Ok(messages);
        }
        tokio::select! {
            () = &mut over => return Ok(messages),
            _ = stopped.wait_for(|stop| *stop) => return Ok(messages),
            changed = changes.changed() => if changed.is_err() { return Ok(messages) },
        }
    }
}

fn to_wire(message: Message, system: &[String], wanted: &[String]) -> ReceivedMessage {
    let all = system.iter().any(|name| name == "All");
    let mut attributes = message.system;
    attributes.retain(|name, _| all || system.contains(name));
    let mut message_attributes = message.attributes;
    let before = message_attributes.len();
    message_attributes.retain(|name, _| attribute::is_wanted(wanted, name));
    let attributes_md5 = if message_attributes.len() == before {
        message.attributes_md5
    } else {
        digest::of_attributes(message_attributes.iter().map(|(name, it)| (name.as_str(), it)))
    };
    ReceivedMessage {
        message_id: message.id,
        receipt_handle: message.receipt,
        body_md5: message.body_md5,
        body: message.body,
        attributes,
        attributes_md5,
        message_attributes,
    }
}

fn within(parameter: &str, value: Option<i64>, min: i64, max: i64) -> Result<Option<i64>, SqsError> {
    match value {
        Some(value) if !(min..=max).contains(&value) => {
            let reason = format!("Must be between {min} and {max}, if provided.");
            Err(SqsError::value(parameter, value, &reason))
        }
        value => Ok(value),
    }
}
