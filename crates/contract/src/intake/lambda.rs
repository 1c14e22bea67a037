//! Lambda failure records: what a function's on-failure destination sends.

use domain::{Category, ErrorInfo, FlowName, InterchangeId, Phase, Report, ReportKind};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::dead_letter::{cut, with_attributes};
use super::{Body, Incoming, Intake, QueueRecord, Source, failure, unmarked};
use crate::limits;

/// Reads a failure record; `None` when `requestContext.condition` is not there.
pub(super) fn read(json: &Value, record: &QueueRecord<'_>) -> Option<Intake> {
    let context = &json["requestContext"];
    let condition = context["condition"].as_str()?;
    let function = context["functionArn"].as_str().and_then(Function::of);
    let payload = request_payload(record.body);
    let mut failure = failure(Phase::Processing, error(json, condition));
    failure.origin = function.as_ref().map(|function| cut(function.name, limits::TEXT));
    failure.sender_payload = Some(payload.meta.clone());
    let (attributes, bodies) = with_attributes(record, payload);
    failure.attributes = attributes;
    let request = context["requestId"].as_str().unwrap_or(record.message_id);
    let report = Report {
        id: InterchangeId::closest_to(&format!("lambda-{request}")),
        flow: function.as_ref().map_or_else(FlowName::unassigned, Function::flow),
        attempt: Some(1),
        occurred_at: json["timestamp"].as_str().and_then(|time| time.parse().ok()),
        kind: ReportKind::Failed(Box::new(failure)),
    };
    let source = function.map(|function| Source::Function(function.arn));
    Some(Intake { incoming: Incoming { report, bodies }, source, queued_at: record.queued_at })
}

/// A function as an ARN names it: `arn:aws:lambda:region:account:function:name`, with a version or an alias or not.
struct Function<'a> {
    arn: String,
    name: &'a str,
}

impl<'a> Function<'a> {
    fn of(arn: &'a str) -> Option<Self> {
        let parts: Vec<&str> = arn.split(':').collect();
        let name = parts.get(6).copied().filter(|name| !name.is_empty())?;
        Some(Self { arn: parts[..7].join(":"), name })
    }

    /// The flow that is named after it.
    fn flow(&self) -> FlowName {
        FlowName::closest_to(self.name)
    }
}

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(rename = "requestPayload", borrow)]
    payload: Option<&'a RawValue>,
}

/// What the function was called with: a JSON string is its text, anything else the JSON exactly as it stands in
/// the record. Without one the record itself is kept, so that nothing is lost.
fn request_payload(body: &str) -> Body {
    let body = unmarked(body);
    let json = Some("application/json".to_owned());
    let Some(raw) = serde_json::from_str::<Request<'_>>(body).ok().and_then(|request| request.payload) else {
        return Body::new(body.as_bytes().to_vec(), json);
    };
    match serde_json::from_str::<String>(raw.get()) {
        Ok(text) => Body::new(text.into_bytes(), None),
        Err(_) => Body::new(raw.get().as_bytes().to_vec(), json),
    }
}

fn error(json: &Value, condition: &str) -> ErrorInfo {
    let told = &json["responsePayload"];
    let code = told["errorType"].as_str().unwrap_or(condition);
    let message = told["errorMessage"].as_str().map_or_else(|| sentence(json, condition), str::to_owned);
    ErrorInfo {
        category: category(json, condition, code, &message),
        code: Some(cut(code, limits::ERROR_CODE)),
        message: Some(cut(&message, limits::ERROR_MESSAGE)),
    }
}

fn sentence(json: &Value, condition: &str) -> String {
    let mut sentence = format!("the invocation ended with {condition}");
    if let Some(count) = json["requestContext"]["approximateInvokeCount"].as_u64() {
        sentence.push_str(&format!(" after {count} invocations"));
    }
    let response = &json["responseContext"];
    if let Some(error) = response["functionError"].as_str() {
        sentence.push_str(&format!(", function error {error}"));
    }
    if let Some(status) = response["statusCode"].as_u64() {
        sentence.push_str(&format!(", status {status}"));
    }
    sentence
}

/// Timeouts, throttles and failures of the runtime are the environment's; what the function's own code threw is not known.
fn category(json: &Value, condition: &str, code: &str, message: &str) -> Category {
    let runtime = ["Runtime.", "Sandbox.", "Extension."].iter().any(|prefix| code.starts_with(prefix));
    let throttled = condition == "EventAgeExceeded" || json["responseContext"]["statusCode"].as_u64() == Some(429);
    let timed_out = message.contains("Task timed out");
    if runtime || throttled || timed_out { Category::System } else { Category::Unknown }
}
