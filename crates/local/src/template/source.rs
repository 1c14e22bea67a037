//! SQS event sources of functions.

use std::time::Duration;

use serde_json::Value;

use super::context::resource_name;
use super::error::TemplateError;
use super::properties::Properties;
use super::scope::text_of;

/// An event source: the queue whose messages a function handles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventSource {
    /// The function's name.
    pub function: String,
    /// The queue's name.
    pub queue: String,
    pub queue_arn: String,
    /// 1 to 10,000 messages.
    pub batch_size: usize,
    /// How long messages of a batch are collected.
    pub window: Duration,
    pub partial_failures: PartialFailures,
    /// How many invocations may run at the same time.
    pub maximum_concurrency: Option<usize>,
}

/// Whether the function reports the messages of a batch that it could not handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartialFailures {
    /// `ReportBatchItemFailures`.
    Reported,
    /// A batch succeeds or fails as a whole.
    None,
}

pub(super) fn read(function: &str, properties: &Properties) -> Result<EventSource, TemplateError> {
    properties.allow_only(&[
        "BatchSize",
        "Enabled",
        "FunctionResponseTypes",
        "MaximumBatchingWindowInSeconds",
        "Queue",
        "ScalingConfig",
    ])?;
    if properties.get("Enabled") == &Value::Bool(false) {
        return Err(TemplateError::property("Enabled", "a disabled event source is not supported here"));
    }
    let queue_arn = properties.required_text("Queue")?;
    let queue = resource_name(&queue_arn).to_owned();
    let window = Duration::from_secs(properties.number("MaximumBatchingWindowInSeconds")?.unwrap_or(0));
    let batch_size = properties.number("BatchSize")?.unwrap_or(10);
    if !(1..=10_000).contains(&batch_size) {
        return Err(TemplateError::property("BatchSize", "must be 1 to 10,000"));
    }
    if batch_size > 10 && window.is_zero() {
        return Err(TemplateError::property("BatchSize", "a value above 10 requires MaximumBatchingWindowInSeconds"));
    }
    let partial_failures = match properties.get("FunctionResponseTypes").as_array().map(Vec::as_slice) {
        None | Some([]) => PartialFailures::None,
        Some([only]) if only == "ReportBatchItemFailures" => PartialFailures::Reported,
        Some(_) => {
            return Err(TemplateError::property(
                "FunctionResponseTypes",
                "only ReportBatchItemFailures is supported here",
            ));
        }
    };
    let maximum_concurrency = match &properties.get("ScalingConfig")["MaximumConcurrency"] {
        Value::Null => None,
        value => Some(maximum_concurrency(value)?),
    };
    Ok(EventSource {
        function: function.to_owned(),
        queue,
        queue_arn,
        batch_size,
        window,
        partial_failures,
        maximum_concurrency,
    })
}

fn maximum_concurrency(value: &Value) -> Result<usize, TemplateError> {
    let number = text_of(value).and_then(|text| text.parse().ok()).filter(|number| (2..=1000).contains(number));
    number.ok_or_else(|| TemplateError::property("ScalingConfig", "MaximumConcurrency must be 2 to 1000"))
}
