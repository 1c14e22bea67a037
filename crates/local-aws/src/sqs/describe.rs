//! `GetQueueAttributes`, `SetQueueAttributes` and the tags.

use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::create::check_redrive;
use super::error::SqsError;
use super::queue::Queue;
use super::settings::{self, Attributes};
use super::{Sqs, dequeue};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetQueueAttributes {
    queue_url: Option<String>,
    #[serde(default)]
    attribute_names: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Described {
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    attributes: Attributes,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SetQueueAttributes {
    queue_url: Option<String>,
    #[serde(default)]
    attributes: Attributes,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tags {
    queue_url: Option<String>,
    #[serde(default)]
    tags: Attributes,
    #[serde(default)]
    tag_keys: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tagged {
    tags: Attributes,
}

pub(super) fn get_queue_attributes(sqs: &Sqs, request: GetQueueAttributes) -> Result<Described, SqsError> {
    let queue = sqs.queue_of(request.queue_url.as_deref())?;
    let wanted = request.attribute_names;
    if let Some(unknown) = wanted.iter().find(|name| !settings::is_known(name)) {
        return Err(SqsError::InvalidAttributeName(unknown.clone()));
    }
    let mut attributes = sqs.attributes_of(&queue)?;
    attributes.retain(|name, _| wanted.iter().any(|one| one == "All" || one == name));
    Ok(Described { attributes })
}

pub(super) fn set_queue_attributes(sqs: &Sqs, request: SetQueueAttributes) -> Result<(), SqsError> {
    let queue = sqs.queue_of(request.queue_url.as_deref())?;
    let fifo = queue.settings.is_fifo();
    if let Some(asked) = request.attributes.get("FifoQueue")
        && asked != if fifo { "true" } else { "false" }
    {
        return Err(SqsError::InvalidAttributeValue("FifoQueue".to_owned(), " It cannot be changed.".to_owned()));
    }
    let mut given = request.attributes;
    let cleared: Vec<String> =
        given.iter().filter(|(_, value)| value.is_empty()).map(|(name, _)| name.clone()).collect();
    if fifo {
        given.insert("FifoQueue".to_owned(), "true".to_owned());
    } else {
        given.remove("FifoQueue");
    }
    let given = settings::check(given)?;
    let mut attributes = queue.attributes.clone();
    attributes.retain(|name, _| !cleared.contains(name));
    attributes.extend(given);
    check_redrive(sqs, &attributes)?;
    let now = sqs.clock().millis();
    sqs.queues().change(&queue.name, |current| current.with(attributes, current.tags.clone(), now))
}

pub(super) fn tag_queue(sqs: &Sqs, request: Tags) -> Result<(), SqsError> {
    let queue = sqs.queue_of(request.queue_url.as_deref())?;
    retag(sqs, &queue, |tags| tags.extend(request.tags))
}

pub(super) fn untag_queue(sqs: &Sqs, request: Tags) -> Result<(), SqsError> {
    let queue = sqs.queue_of(request.queue_url.as_deref())?;
    retag(sqs, &queue, |tags| tags.retain(|key, _| !request.tag_keys.contains(key)))
}

pub(super) fn list_queue_tags(sqs: &Sqs, request: Tags) -> Result<Tagged, SqsError> {
    let queue = sqs.queue_of(request.queue_url.as_deref())?;
    Ok(Tagged { tags: queue.tags.clone() })
}

fn retag(sqs: &Sqs, queue: &Queue, change: impl FnOnce(&mut Attributes)) -> Result<(), SqsError> {
    sqs.queues().change(&queue.name, |current| {
        let mut tags = current.tags.clone();
        change(&mut tags);
        if tags.len() > 50 {
            return Err(SqsError::InvalidParameterValue("Too many tags added for queue; the limit is 50.".to_owned()));
        }
        current.with(current.attributes.clone(), tags, current.modified_at)
    })
}

/// The numbers of messages in a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) visible: usize,
    pub(super) in_flight: usize,
    pub(super) delayed: usize,
}

pub(super) fn counts(db: &Connection, queue: &Queue, now: i64) -> rusqlite::Result<Counts> {
    let count = |sql: &str| db.prepare_cached(sql)?.query_row((queue.id, now), |row| row.get(0));
    Ok(Counts {
        visible: count("SELECT count(*) FROM message WHERE queue = ?1 AND visible_at <= ?2")?,
        in_flight: dequeue::in_flight(db, queue, now)?,
        delayed: count("SELECT count(*) FROM message WHERE queue = ?1 AND visible_at > ?2 AND receives = 0")?,
    })
}

/// All attributes of a queue, as `GetQueueAttributes` returns them.
pub(super) fn all(queue: &Queue, counts: Counts) -> Attributes {
    let mut attributes = settings::defaults(&queue.attributes);
    attributes.extend(queue.attributes.clone());
    let computed = [
        ("QueueArn", queue.arn()),
        ("ApproximateNumberOfMessages", counts.visible.to_string()),
        ("ApproximateNumberOfMessagesNotVisible", counts.in_flight.to_string()),
        ("ApproximateNumberOfMessagesDelayed", counts.delayed.to_string()),
        ("CreatedTimestamp", (queue.created_at / 1_000).to_string()),
        ("LastModifiedTimestamp", (queue.modified_at / 1_000).to_string()),
    ];
    attributes.extend(computed.into_iter().map(|(name, value)| (name.to_owned(), value)));
    attributes
}
