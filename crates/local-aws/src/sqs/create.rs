//! `CreateQueue`, `GetQueueUrl`, `ListQueues`, `ListDeadLetterSourceQueues`, `DeleteQueue` and `PurgeQueue`.

use serde::{Deserialize, Serialize};

use super::error::{SqsError, required};
use super::settings::{self, Attributes, Settings};
use super::{Sqs, queue, text};

/// The maximum number of queues in a page.
const MAX_PAGE_SIZE: usize = 1_000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateQueue {
    queue_name: Option<String>,
    #[serde(default)]
    attributes: Attributes,
    #[serde(default, alias = "tags")]
    tags: Attributes,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetQueueUrl {
    queue_name: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Url {
    queue_url: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Page {
    queue_name_prefix: Option<String>,
    queue_url: Option<String>,
    next_token: Option<String>,
    max_results: Option<usize>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listed {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    queue_urls: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// The response of `ListDeadLetterSourceQueues`, where AWS spells `queueUrls` in lower case.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Sources {
    queue_urls: Vec<String>,
    #[serde(rename = "NextToken", skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct QueueRequest {
    queue_url: Option<String>,
}

pub(super) fn create_queue(sqs: &Sqs, request: CreateQueue) -> Result<Url, SqsError> {
    let name = required("QueueName", request.queue_name)?;
    let attributes = settings::check(request.attributes)?;
    check_name(&name, &attributes)?;
    check_redrive(sqs, &attributes)?;
    let now = sqs.clock().millis();
    let queue = sqs.queues().create(&name, attributes.clone(), request.tags, now)?;
    let current = sqs.attributes_of(&queue)?;
    match attributes.iter().find(|(name, value)| !same(current.get(*name), value)) {
        Some((name, _)) => Err(SqsError::QueueNameExists(name.clone())),
        None => Ok(Url { queue_url: sqs.url(&queue.name) }),
    }
}

pub(super) fn get_queue_url(sqs: &Sqs, request: GetQueueUrl) -> Result<Url, SqsError> {
    let queue = sqs.queues().get(&required("QueueName", request.queue_name)?)?;
    Ok(Url { queue_url: sqs.url(&queue.name) })
}

pub(super) fn list_queues(sqs: &Sqs, request: Page) -> Result<Listed, SqsError> {
    let prefix = request.queue_name_prefix.clone().unwrap_or_default();
    let names = sqs.queues().all().into_iter().map(|queue| queue.name.clone());
    let (names, next_token) = page(names.filter(|name| name.starts_with(&prefix)).collect(), &request)?;
    Ok(Listed { queue_urls: names.iter().map(|name| sqs.url(name)).collect(), next_token })
}

pub(super) fn list_dead_letter_source_queues(sqs: &Sqs, request: Page) -> Result<Sources, SqsError> {
    let dead = sqs.queue_of(request.queue_url.as_deref())?;
    let sources = sqs
        .queues()
        .all()
        .into_iter()
        .filter(|queue| queue.settings.redrive.as_ref().is_some_and(|redrive| redrive.queue == dead.name));
    let (names, next_token) = page(sources.map(|queue| queue.name.clone()).collect(), &request)?;
    Ok(Sources { queue_urls: names.iter().map(|name| sqs.url(name)).collect(), next_token })
}

pub(super) fn delete_queue(sqs: &Sqs, request: QueueRequest) -> Result<(), SqsError> {
    let queue = sqs.queue_of(request.queue_url.as_deref())?;
    sqs.queues().delete(&queue.name)
}

pub(super) fn purge_queue(sqs: &Sqs, request: QueueRequest) -> Result<(), SqsError> {
    let queue = sqs.queue_of(request.queue_url.as_deref())?;
    sqs.store().transact(|db| queue::empty(db, queue.id))?;
    Ok(())
}

/// Checks that the dead-letter queue exists and is of the same type (standard or FIFO).
pub(super) fn check_redrive(sqs: &Sqs, attributes: &Attributes) -> Result<(), SqsError> {
    let settings = Settings::of(attributes)?;
    let (Some(redrive), Some(policy)) = (&settings.redrive, attributes.get("RedrivePolicy")) else { return Ok(()) };
    let refused = |reason: &str| SqsError::value("RedrivePolicy", policy, reason);
    let dead = sqs.queues().find(&redrive.queue).ok_or_else(|| refused("Dead letter target does not exist."))?;
    if dead.settings.is_fifo() != settings.is_fifo() {
        return Err(refused("Dead-letter queue must be same type of queue as the source."));
    }
    Ok(())
}

fn check_name(name: &str, attributes: &Attributes) -> Result<(), SqsError> {
    let fifo = attributes.get("FifoQueue").is_some_and(|fifo| fifo == "true");
    if fifo {
        let stem = name.strip_suffix(".fifo").filter(|stem| text::is_name(stem) && name.len() <= 80);
        return match stem {
            Some(_) => Ok(()),
            None => Err(SqsError::InvalidParameterValue(
                "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with \
                 .fifo suffix and be 1 to 80 in length."
                    .to_owned(),
            )),
        };
    }
    if attributes.contains_key("FifoQueue") {
        return Err(SqsError::InvalidAttributeValue("FifoQueue".to_owned(), String::new()));
    }
    if !text::is_name(name) {
        return Err(SqsError::InvalidParameterValue(
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length".to_owned(),
        ));
    }
    Ok(())
}

/// Whether two attribute values are equal. Compares policies as JSON, so spacing makes no difference.
fn same(current: Option<&String>, given: &str) -> bool {
    let Some(current) = current else { return false };
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    current == given || (given.starts_with('{') && json(current) == json(given))
}

/// Returns a page of sorted names, and the token of the next page: the last name of this page.
fn page(names: Vec<String>, request: &Page) -> Result<(Vec<String>, Option<String>), SqsError> {
    let max = request.max_results.unwrap_or(MAX_PAGE_SIZE);
    if !(1..=MAX_PAGE_SIZE).contains(&max) {
        return Err(SqsError::value("MaxResults", max, "MaxResults must be between 1 and 1000."));
    }
    let after = request.next_token.clone().unwrap_or_default();
    let mut names: Vec<String> = names.into_iter().filter(|name| *name > after).collect();
    let more = names.len() > max;
    names.truncate(max);
    // Without MaxResults, AWS returns one page of up to a thousand queues and no token.
    let next = names.last().filter(|_| more && request.max_results.is_some()).cloned();
    Ok((names, next))
}
