//! `SendMessage` and `SendMessageBatch`.

use std::sync::Arc;

use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::attribute::{self, Attribute, AttributeValue, MessageAttributes};
use super::batch::{self, Batch, BatchEntry, Failed};
use super::error::{SqsError, required};
use super::fifo;
use super::queue::Queue;
use super::settings::{MAX_DELAY, MAX_MESSAGE_BYTES, Ordering};
use super::{Sqs, digest, text};

const TRACE: &str = "AWSTraceHeader";

/// A message to send: all of `SendMessage`, or one entry of a batch.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Entry {
    queue_url: Option<String>,
    id: Option<String>,
    message_body: Option<String>,
    delay_seconds: Option<i64>,
    message_attributes: MessageAttributes,
    message_system_attributes: MessageAttributes,
    message_group_id: Option<String>,
    message_deduplication_id: Option<String>,
    /// The sender, if it is a role or a user. `None` is the account.
    #[serde(skip)]
    sender: Option<String>,
}

impl Entry {
    /// The same message, from `sender`.
    pub(super) fn by(self, sender: Option<&str>) -> Self {
        Self { sender: sender.map(str::to_owned), ..self }
    }

    /// A message without HTTP, from the Scheduler.
    pub(super) fn of(body: String, attributes: MessageAttributes, group: Option<String>) -> Self {
        Self { message_body: Some(body), message_attributes: attributes, message_group_id: group, ..Self::default() }
    }
}

impl BatchEntry for Entry {
    fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Sent {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    message_id: String,
    #[serde(rename = "MD5OfMessageBody")]
    body_md5: String,
    #[serde(rename = "MD5OfMessageAttributes", skip_serializing_if = "Option::is_none")]
    attributes_md5: Option<String>,
    #[serde(rename = "MD5OfMessageSystemAttributes", skip_serializing_if = "Option::is_none")]
    system_md5: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence_number: Option<String>,
}

/// A message that has passed every check.
struct Prepared {
    entry: Option<String>,
    body: String,
    body_md5: String,
    attributes: MessageAttributes,
    trace: Option<Attribute>,
    group: Option<String>,
    deduplication: Option<String>,
    sender: Option<String>,
    visible_at: i64,
}

pub(super) fn send_message(sqs: &Sqs, entry: Entry) -> Result<Sent, SqsError> {
    let queue = sqs.queue_of(entry.queue_url.as_deref())?;
    send_to(sqs, &queue, entry)
}

/// Sends a message to `queue`.
pub(super) fn send_to(sqs: &Sqs, queue: &Arc<Queue>, entry: Entry) -> Result<Sent, SqsError> {
    let now = sqs.clock().millis();
    let prepared = prepare(entry, queue, now + sqs.redeliveries().delay(&queue.name))?;
    let sent = sqs.store().transact(|db| insert(db, queue, &prepared, now))?;
    arrived(sqs, queue, &[&prepared], now);
    Ok(sent)
}

pub(super) fn send_message_batch(
    sqs: &Sqs,
    batch: Batch<Entry>,
    sender: Option<&str>,
) -> Result<batch::Outcome<Sent>, SqsError> {
    let queue = sqs.queue_of(batch.queue_url.as_deref())?;
    batch.check("SendMessageBatchRequestEntry")?;
    let bytes = batch.entries.iter().map(size).sum();
    if bytes > MAX_MESSAGE_BYTES {
        return Err(SqsError::BatchRequestTooLong(bytes));
    }
    let now = sqs.clock().millis();
    let mut outcome = batch::Outcome::default();
    let mut good = Vec::with_capacity(batch.entries.len());
    for entry in batch.entries {
        let id = entry.id.clone().unwrap_or_default();
        match prepare(entry.by(sender), &queue, now + sqs.redeliveries().delay(&queue.name)) {
            Ok(prepared) => good.push(prepared),
            Err(error) => outcome.failed.push(Failed::of(id, &error)),
        }
    }
    outcome.successful = sqs.store().transact(|db| {
        good.iter().map(|prepared| insert(db, &queue, prepared, now)).collect::<Result<Vec<_>, SqsError>>()
    })?;
    arrived(sqs, &queue, &good.iter().collect::<Vec<_>>(), now);
    Ok(outcome)
}

fn arrived(sqs: &Sqs, queue: &Queue, messages: &[&Prepared], now: i64) {
    sqs.clock().record_activity();
    for later in messages.iter().map(|message| message.visible_at).filter(|at| *at > now) {
        sqs.timer().arm(later);
    }
    if messages.iter().any(|message| message.visible_at <= now) {
        queue.wake();
    }
}

fn size(entry: &Entry) -> usize {
    entry.message_body.as_deref().map_or(0, str::len) + attribute::size(&entry.message_attributes)
}

fn prepare(entry: Entry, queue: &Queue, now: i64) -> Result<Prepared, SqsError> {
    let settings = &queue.settings;
    let bytes = size(&entry);
    let body = required("MessageBody", entry.message_body.filter(|body| !body.is_empty()))?;
    text::check(&body)?;
    attribute::check(&entry.message_attributes)?;
    if bytes > settings.maximum_size {
        let limit = settings.maximum_size;
        return Err(SqsError::InvalidParameterValue(format!(
            "One or more parameters are invalid. Reason: Message must be shorter than {limit} bytes."
        )));
    }
    let delay = match (entry.delay_seconds, settings.ordering) {
        (None, _) => settings.delay,
        (Some(seconds), _) if !(0..=MAX_DELAY).contains(&seconds) => {
            return Err(SqsError::value("DelaySeconds", seconds, "DelaySeconds must be >= 0 and <= 900."));
        }
        (Some(seconds), Ordering::Fifo { .. }) if seconds > 0 => {
            return Err(unfit("DelaySeconds", &seconds.to_string()));
        }
        (Some(_), Ordering::Fifo { .. }) => settings.delay,
        (Some(seconds), Ordering::Standard) => seconds * 1_000,
    };
    let group = token("MessageGroupId", entry.message_group_id)?;
    let given = token("MessageDeduplicationId", entry.message_deduplication_id)?;
    let deduplication = match settings.ordering {
        Ordering::Standard => match given {
            Some(id) => return Err(unfit("MessageDeduplicationId", &id)),
            None => None,
        },
        Ordering::Fifo { id, .. } => {
            required("MessageGroupId", group.as_ref())?;
            Some(fifo::deduplication_id(given, id, &body)?)
        }
    };
    Ok(Prepared {
        entry: entry.id,
        body_md5: digest::of_body(&body),
        body,
        attributes: entry.message_attributes,
        trace: trace(entry.message_system_attributes)?,
        group,
        deduplication,
        sender: entry.sender,
        visible_at: now + delay,
    })
}

/// Returns the trace header, the only system attribute that can be sent.
fn trace(mut attributes: MessageAttributes) -> Result<Option<Attribute>, SqsError> {
    let trace = attributes.remove(TRACE);
    if let Some(name) = attributes.keys().next() {
        return Err(SqsError::InvalidParameterValue(format!("Message system attribute name '{name}' is invalid.")));
    }
    if let Some(Attribute { data_type, value }) = &trace
        && (data_type != "String" || !matches!(value, AttributeValue::Text(_)))
    {
        return Err(SqsError::InvalidParameterValue(format!("Message system attribute '{TRACE}' must be a String.")));
    }
    Ok(trace)
}

fn token(parameter: &str, value: Option<String>) -> Result<Option<String>, SqsError> {
    match value {
        Some(value) if !text::is_token(&value) => Err(SqsError::value(
            parameter,
            &value,
            &format!("{parameter} can only include alphanumeric and punctuation characters. 1 to 128 in length."),
        )),
        value => Ok(value),
    }
}

fn unfit(parameter: &str, value: &str) -> SqsError {
    SqsError::value(parameter, value, "The request include parameter that is not valid for this queue type.")
}

/// Writes the message. If a FIFO queue got the same deduplication id in the last five minutes, returns the earlier message
/// instead.
fn insert(db: &Connection, queue: &Queue, message: &Prepared, now: i64) -> Result<Sent, SqsError> {
    let stored = match fifo::find_duplicate(db, queue, message.group.as_deref(), message.deduplication.as_deref(), now)?
    {
        Some(earlier) => earlier,
        None => write(db, queue, message, now)?,
    };
    Ok(Sent {
        id: message.entry.clone(),
        message_id: stored.id,
        body_md5: message.body_md5.clone(),
        attributes_md5: digest::of_attributes(message.attributes.iter().map(|(name, it)| (name.as_str(), it))),
        system_md5: digest::of_attributes(message.trace.iter().map(|it| (TRACE, it))),
        sequence_number: queue.settings.is_fifo().then(|| fifo::sequence(stored.number)),
    })
}

fn write(db: &Connection, queue: &Queue, message: &Prepared, now: i64) -> Result<fifo::StoredMessage, SqsError> {
    let id = Uuid::new_v4().to_string();
    let attributes = if message.attributes.is_empty() {
        None
    } else {
        Some(serde_json::to_string(&message.attributes).map_err(SqsError::Stored)?)
    };
    let trace = message.trace.as_ref().map(|trace| String::from_utf8_lossy(trace.value.bytes()).into_owned());
    db.prepare_cached(
        "INSERT INTO message (queue, id, body, body_md5, attributes, trace, group_id, dedup_id, sent_at, visible_at,
                              sender)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?
    .execute((
        queue.id,
        &id,
        &message.body,
        &message.body_md5,
        attributes,
        trace,
        &message.group,
        &message.deduplication,
        now,
        message.visible_at,
        &message.sender,
    ))?;
    let stored = fifo::StoredMessage { id, number: db.last_insert_rowid() };
    fifo::record(db, queue, message.group.as_deref(), message.deduplication.as_deref(), &stored, now)?;
    Ok(stored)
}
