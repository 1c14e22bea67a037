//! Queues, in the form of the request `CreateQueue`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value};

use super::error::TemplateError;
use super::properties::Properties;
use super::scope::text_of;

/// SQS's default for a queue without `VisibilityTimeout`.
const DEFAULT_VISIBILITY_TIMEOUT: Duration = Duration::from_secs(30);

/// A queue of the stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    pub name: String,
    /// The attributes of `CreateQueue`, whose values are text.
    pub attributes: BTreeMap<String, String>,
}

impl Queue {
    /// How long a received message is hidden from other consumers.
    pub fn visibility_timeout(&self) -> Duration {
        let seconds = self.attributes.get("VisibilityTimeout").and_then(|seconds| seconds.parse().ok());
        seconds.map_or(DEFAULT_VISIBILITY_TIMEOUT, Duration::from_secs)
    }
}

/// The properties that are attributes with the same name.
const ATTRIBUTES: &[&str] = &[
    "ContentBasedDeduplication",
    "DeduplicationScope",
    "DelaySeconds",
    "FifoQueue",
    "FifoThroughputLimit",
    "KmsDataKeyReusePeriodSeconds",
    "KmsMasterKeyId",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "ReceiveMessageWaitTimeSeconds",
    "RedriveAllowPolicy",
    "RedrivePolicy",
    "SqsManagedSseEnabled",
    "VisibilityTimeout",
];

pub(super) fn read(name: String, properties: &Properties) -> Result<Queue, TemplateError> {
    properties.allow_only(&[ATTRIBUTES, &["QueueName", "Tags"]].concat())?;
    let mut attributes = BTreeMap::new();
    for property in ATTRIBUTES {
        let text = match properties.get(property) {
            // SQS accepts `FifoQueue` only with the value true.
            Value::Null | Value::Bool(false) if *property == "FifoQueue" => continue,
            Value::Null => continue,
            Value::Object(policy) => policy_text(policy),
            value => text_of(value)
                .ok_or_else(|| TemplateError::property(property, "not a valid value of a queue attribute"))?,
        };
        attributes.insert((*property).to_owned(), text);
    }
    Ok(Queue { name, attributes })
}

/// A policy as JSON text, which is its form as a queue attribute.
fn policy_text(policy: &Map<String, Value>) -> String {
    Value::Object(policy.clone()).to_string()
}
