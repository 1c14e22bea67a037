//! Lambda failure records: what a function's on-failure destination sends.

use domain::{Category, ErrorInfo, FlowName, InterchangeId, Phase, Report, ReportKind};

use super::dead_letter::{cut, with_attributes};
use super::members::Members;
use super::{Body, Incoming, Intake, QueueRecord, Source, failure, unmarked};
use crate::limits;

/// Reads a failure record; `None` when `requestContext.condition` is not there.
pub(super) fn read(record: &QueueRecord<'_>) -> Option<Intake> {
    let told = Members::of(unmarked(record.body))?;
    let context = told.inner("requestContext");
    let condition = context.text("condition")?;
    let arn = context.text("functionArn");
    let function = arn.as_deref().and_then(Function::of);
    let payload = request_payload(&told, record.body);
    let mut failure = failure(Phase::Processing, error(&told, &condition));
    failure.origin = function.as_ref().map(|function| cut(function.name, limits::TEXT));
    failure.sender_payload = Some(payload.meta.clone());
    let (attributes, bodies) = with_attributes(record, payload);
    failure.attributes = attributes;
    let request = context.text("requestId").unwrap_or_else(|| record.message_id.to_owned());
    let report = Report {
        id: InterchangeId::closest_to(&format!("lambda-{request}")),
        flow: function.as_ref().map_or_else(FlowName::unassigned, Function::flow),
        attempt: Some(1),
        occurred_at: told.text("timestamp").and_then(|time| time.parse().ok()),
        kind: ReportKind::Failed(Box::new(failure)),
        epoch: None,
        digest: None,
        warnings: Vec::new(),
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

/// What the function was called with: a JSON string is its text, anything else the JSON exactly as it stands in
/// the record. Without one the record itself is kept, so that nothing is lost.
fn request_payload(told: &Members<'_>, body: &str) -> Body {
    let json = Some("application/json".to_owned());
    let Some(raw) = told.raw("requestPayload") else {
        return Body::new(unmarked(body).as_bytes().to_vec(), json);
    };
    match told.text("requestPayload") {
        Some(text) => Body::new(text.into_bytes(), None),
        None => Body::new(raw.get().as_bytes().to_vec(), json),
    }
}

fn error(told: &Members<'_>, condition: &str) -> ErrorInfo {
    let response = told.inner("responsePayload");
    let code = response.text("errorType").unwrap_or_else(|| condition.to_owned());
    let message = response.text("errorMessage").unwrap_or_else(|| sentence(told, condition));
    ErrorInfo {
        category: category(told, condition, &code, &message),
        code: Some(cut(&code, limits::ERROR_CODE)),
        message: Some(cut(&message, limits::ERROR_MESSAGE)),
    }
}

fn sentence(told: &Members<'_>, condition: &str) -> String {
    let mut sentence = format!("the invocation ended with {condition}");
    if let Some(count) = told.inner("requestContext").whole("approximateInvokeCount") {
        sentence.push_str(&format!(" after {count} invocations"));
    }
    let response = told.inner("responseContext");
    if let Some(error) = response.text("functionError") {
        sentence.push_str(&format!(", function error {error}"));
    }
    if let Some(status) = response.whole("statusCode") {
        sentence.push_str(&format!(", status {status}"));
    }
    sentence
}

/// Timeouts, throttles and failures of the runtime are the environment's; what the function's own code threw is not known.
fn category(told: &Members<'_>, condition: &str, code: &str, message: &str) -> Category {
    let runtime = ["Runtime.", "Sandbox.", "Extension."].iter().any(|prefix| code.starts_with(prefix));
    let throttled = condition == "EventAgeExceeded" || told.inner("responseContext").whole("statusCode") == Some(429);
    let timed_out = message.contains("Task timed out");
    if runtime || throttled || timed_out { Category::System } else { Category::Unknown }
}
