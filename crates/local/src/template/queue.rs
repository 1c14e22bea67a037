//! Queues, as `CreateQueue` takes them.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value};

use super::TemplateError;
use super::properties::Properties;
use super::scope::text_of;

/// SQS's default when a queue says nothing.
const DEFAULT_VISIBILITY: Duration = Duration::from_secs(30);

/// A queue of the stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    pub name: String,
    /// The attributes of `CreateQueue`, text as SQS wants them.
    pub attributes: BTreeMap<String, String>,
}

impl Queue {
    /// How long a message stays hidden after it was received.
    pub fn visibility(&self) -> Duration {
        let seconds = self.attributes.get("VisibilityTimeout").and_then(|seconds| seconds.parse().ok());
        seconds.map_or(DEFAULT_VISIBILITY, Duration::from_secs)
    }
}

/// The properties that are attributes of the same name.
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
    properties.only(&[ATTRIBUTES, &["QueueName", "Tags"]].concat())?;
    let mut attributes = BTreeMap::new();
    for property in ATTRIBUTES {
        let text = match properties.get(property) {
            // SQS takes `FifoQueue` as true or not at all.
            Value::Null | Value::Bool(false) if *property == "FifoQueue" => continue,
            Value::Null => continue,
            Value::Object(policy) => policy_text(policy),
            value => text_of(value).ok_or_else(|| TemplateError::property(property, "no attribute of a queue"))?,
        };
        attributes.insert((*property).to_owned(), text);
    }
    Ok(Queue { name, attributes })
}

/// SQS keeps a policy as JSON text.
fn policy_text(policy: &Map<String, Value>) -> String {
    Value::Object(policy.clone()).to_string()
}
