//! SQS event sources of functions.

use std::time::Duration;

use serde_json::Value;

use super::TemplateError;
use super::properties::Properties;

/// A queue whose messages a function is invoked with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventSource {
    /// The function's name.
    pub function: String,
    /// The queue's name.
    pub queue: String,
    pub queue_arn: String,
    /// 1 to 10,000 messages.
    pub batch_size: usize,
    /// How long a batch may be gathered.
    pub window: Duration,
    pub partial_failures: PartialFailures,
    /// The most invocations side by side.
    pub maximum_concurrency: Option<usize>,
}

/// Whether the function says which messages of a batch it could not handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartialFailures {
    /// `ReportBatchItemFailures`.
    Reported,
    /// A batch succeeds or fails as a whole.
    None,
}

pub(super) fn read(function: &str, properties: &Properties) -> Result<EventSource, TemplateError> {
    properties.only(&[
        "BatchSize",
        "Enabled",
        "FunctionResponseTypes",
        "MaximumBatchingWindowInSeconds",
        "Queue",
        "ScalingConfig",
    ])?;
    if properties.get("Enabled") == &Value::Bool(false) {
        return Err(TemplateError::property("Enabled", "a source that is off is not understood here"));
    }
    let queue_arn = properties.required_text("Queue")?;
    let queue = queue_arn.rsplit(':').next().unwrap_or_default().to_owned();
    let window = Duration::from_secs(properties.number("MaximumBatchingWindowInSeconds")?.unwrap_or(0));
    let batch_size = properties.number("BatchSize")?.unwrap_or(10);
    if !(1..=10_000).contains(&batch_size) {
        return Err(TemplateError::property("BatchSize", "1 to 10,000 messages"));
    }
    if batch_size > 10 && window.is_zero() {
        return Err(TemplateError::property("BatchSize", "more than 10 needs a MaximumBatchingWindowInSeconds"));
    }
    let partial_failures = match properties.get("FunctionResponseTypes").as_array().map(Vec::as_slice) {
        None | Some([]) => PartialFailures::None,
        Some([only]) if only == "ReportBatchItemFailures" => PartialFailures::Reported,
        Some(_) => {
            return Err(TemplateError::property("FunctionResponseTypes", "ReportBatchItemFailures alone is known"));
        }
    };
    let maximum_concurrency = match &properties.get("ScalingConfig")["MaximumConcurrency"] {
        Value::Null => None,
        value => Some(most_at_once(value)?),
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

fn most_at_once(value: &Value) -> Result<usize, TemplateError> {
    let number =
        super::scope::text_of(value).and_then(|text| text.parse().ok()).filter(|most| (2..=1000).contains(most));
    number.ok_or_else(|| TemplateError::property("ScalingConfig", "MaximumConcurrency is 2 to 1000"))
}
