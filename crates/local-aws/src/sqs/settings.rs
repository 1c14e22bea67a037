//! The attributes of a queue, their bounds and their defaults. They are stored as they were set; `Settings` has the parsed
//! values.

use std::collections::BTreeMap;

use serde_json::Value;

use super::error::SqsError;
use crate::names;

/// The maximum size of a message, and of a batch, in bytes.
pub(super) const MAX_MESSAGE_BYTES: usize = 1_048_576;
/// The maximum visibility timeout, in seconds.
pub(super) const MAX_VISIBILITY_TIMEOUT: i64 = 43_200;
/// The maximum delay of a message, in seconds.
pub(super) const MAX_DELAY: i64 = 900;

/// Attributes with whole numbers: name, minimum, maximum, default.
const NUMBERS: [(&str, i64, i64, i64); 6] = [
    ("VisibilityTimeout", 0, MAX_VISIBILITY_TIMEOUT, 30),
    ("DelaySeconds", 0, MAX_DELAY, 0),
    ("MessageRetentionPeriod", 60, 1_209_600, 345_600),
    ("MaximumMessageSize", 1_024, 1_048_576, 1_048_576),
    ("ReceiveMessageWaitTimeSeconds", 0, 20, 0),
    ("KmsDataKeyReusePeriodSeconds", 60, 86_400, 300),
];
/// Attributes with a fixed set of values: name and values.
const CHOICES: [(&str, &[&str]); 5] = [
    ("FifoQueue", &["true", "false"]),
    ("ContentBasedDeduplication", &["true", "false"]),
    ("SqsManagedSseEnabled", &["true", "false"]),
    ("DeduplicationScope", &["queue", "messageGroup"]),
    ("FifoThroughputLimit", &["perQueue", "perMessageGroupId"]),
];
const FIFO_ONLY: [&str; 3] = ["ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"];
const FREE_TEXT: [&str; 2] = ["Policy", "KmsMasterKeyId"];
const JSON: [&str; 2] = ["RedrivePolicy", "RedriveAllowPolicy"];
/// Attributes that can be read and not set.
const READ_ONLY: [&str; 7] = [
    "QueueArn",
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    "All",
];

pub(super) type Attributes = BTreeMap<String, String>;

/// The parsed attributes of a queue. Durations are in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) visibility: i64,
    pub(super) delay: i64,
    pub(super) retention: i64,
    pub(super) wait: i64,
    pub(super) maximum_size: usize,
    pub(super) ordering: Ordering,
    pub(super) redrive: Option<Redrive>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ordering {
    Standard,
    Fifo { id: DeduplicationId, scope: DeduplicationScope },
}

/// The source of a message's deduplication id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DeduplicationId {
    Given,
    FromBody,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DeduplicationScope {
    Queue,
    Group,
}

/// The redrive policy: the dead-letter queue, and the number of receives after which a message moves there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Redrive {
    pub(super) queue: String,
    pub(super) receives: i64,
}

impl Settings {
    pub(super) fn is_fifo(&self) -> bool {
        matches!(self.ordering, Ordering::Fifo { .. })
    }

    /// Parses attributes that `check` has accepted.
    pub(super) fn of(attributes: &Attributes) -> Result<Self, SqsError> {
        let is = |name: &str, value: &str| attributes.get(name).is_some_and(|given| given == value);
        let ordering = if is("FifoQueue", "true") {
            let id = if is("ContentBasedDeduplication", "true") {
                DeduplicationId::FromBody
            } else {
                DeduplicationId::Given
            };
            let scope = if is("DeduplicationScope", "messageGroup") {
                DeduplicationScope::Group
            } else {
                DeduplicationScope::Queue
            };
            Ordering::Fifo { id, scope }
        } else {
            Ordering::Standard
        };
        Ok(Self {
            visibility: number(attributes, "VisibilityTimeout")? * 1_000,
            delay: number(attributes, "DelaySeconds")? * 1_000,
            retention: number(attributes, "MessageRetentionPeriod")? * 1_000,
            wait: number(attributes, "ReceiveMessageWaitTimeSeconds")? * 1_000,
            maximum_size: usize::try_from(number(attributes, "MaximumMessageSize")?).unwrap_or(MAX_MESSAGE_BYTES),
            ordering,
            redrive: attributes.get("RedrivePolicy").map(|policy| redrive(policy)).transpose()?,
        })
    }
}

/// Refuses unknown names and invalid values. Removes empty policies, which mean no policy.
pub(super) fn check(given: Attributes) -> Result<Attributes, SqsError> {
    for (name, value) in &given {
        if NUMBERS.iter().any(|(number, ..)| number == name) {
            number(&given, name)?;
        } else if let Some((_, choices)) = CHOICES.iter().find(|(choice, _)| choice == name) {
            if !choices.contains(&value.as_str()) {
                return Err(invalid(name));
            }
        } else if name == "RedrivePolicy" && !value.is_empty() {
            redrive(value)?;
        } else if !FREE_TEXT.contains(&name.as_str()) && !JSON.contains(&name.as_str()) {
            return Err(SqsError::InvalidAttributeName(name.clone()));
        }
    }
    let fifo = given.get("FifoQueue").is_some_and(|fifo| fifo == "true");
    if let Some(name) = FIFO_ONLY.iter().find(|name| !fifo && given.contains_key(**name)) {
        return Err(SqsError::InvalidAttributeName((*name).to_owned()));
    }
    Ok(given.into_iter().filter(|(_, value)| !value.is_empty()).collect())
}

/// Whether `GetQueueAttributes` knows the name.
pub(super) fn is_known(name: &str) -> bool {
    READ_ONLY.contains(&name)
        || FREE_TEXT.contains(&name)
        || JSON.contains(&name)
        || NUMBERS.iter().any(|(number, ..)| *number == name)
        || CHOICES.iter().any(|(choice, _)| *choice == name)
}

/// The default attributes of a queue.
pub(super) fn defaults(attributes: &Attributes) -> Attributes {
    let mut defaults: Attributes = NUMBERS
        .iter()
        .filter(|(name, ..)| *name != "KmsDataKeyReusePeriodSeconds")
        .map(|(name, _, _, default)| ((*name).to_owned(), default.to_string()))
        .collect();
    let managed = if attributes.contains_key("KmsMasterKeyId") { "false" } else { "true" };
    defaults.insert("SqsManagedSseEnabled".to_owned(), managed.to_owned());
    if attributes.get("FifoQueue").is_some_and(|fifo| fifo == "true") {
        for (name, value) in [
            ("ContentBasedDeduplication", "false"),
            ("DeduplicationScope", "queue"),
            ("FifoThroughputLimit", "perQueue"),
        ] {
            defaults.insert(name.to_owned(), value.to_owned());
        }
    }
    defaults
}

fn number(attributes: &Attributes, name: &str) -> Result<i64, SqsError> {
    let Some((_, min, max, default)) = NUMBERS.iter().find(|(number, ..)| *number == name) else {
        return Err(SqsError::InvalidAttributeName(name.to_owned()));
    };
    let Some(given) = attributes.get(name) else { return Ok(*default) };
    given.parse().ok().filter(|value| (min..=max).contains(&value)).ok_or_else(|| invalid(name))
}

/// Parses `{"deadLetterTargetArn": "…", "maxReceiveCount": 5}`. The count may be text.
fn redrive(policy: &str) -> Result<Redrive, SqsError> {
    let refused = |reason: &str| SqsError::value("RedrivePolicy", policy, reason);
    let json: Value = serde_json::from_str(policy).map_err(|_| refused("Redrive policy is not a valid JSON map."))?;
    let arn = json["deadLetterTargetArn"]
        .as_str()
        .ok_or_else(|| refused("Redrive policy does not contain mandatory attribute: deadLetterTargetArn."))?;
    let queue = names::queue_of_arn(arn).ok_or_else(|| refused("Invalid value for deadLetterTargetArn."))?;
    let count = match &json["maxReceiveCount"] {
        Value::Null => return Err(refused("Redrive policy does not contain mandatory attribute: maxReceiveCount.")),
        Value::String(text) => text.parse().ok(),
        other => other.as_i64(),
    };
    let receives = count
        .filter(|count| (1..=1_000).contains(count))
        .ok_or_else(|| refused("Invalid value for maxReceiveCount: it must be from 1 to 1000."))?;
    Ok(Redrive { queue: queue.to_owned(), receives })
}

fn invalid(name: &str) -> SqsError {
    SqsError::InvalidAttributeValue(name.to_owned(), String::new())
}
