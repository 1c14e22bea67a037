//! Dead letters: whatever is no report, kept byte for byte.

use domain::{
    Category, ErrorInfo, FailureReport, FlowName, InterchangeId, PayloadMeta, PayloadSide, Phase, Report, ReportDigest,
    ReportKind,
};

use super::{Body, Incoming, Intake, QueueRecord, Source, failure, payload};
use crate::attribute::Encoding;
use crate::attributes::stays_behind;
use crate::{AttributeValue, RepriseAttribute, encode_attributes, limits};

const CODE: &str = "dead-letter";
const BROKEN: &str = "broken-report";
const ARRIVED: &str = "arrived through a dead-letter queue";

/// A message of `unassigned`, unless a flow's configuration lists the queue it came from. `broken` says what is
/// wrong with its `reprise` attribute.
pub(super) fn plain(record: &QueueRecord<'_>, broken: Option<&str>) -> Intake {
    let arrived = match record.dead_letter_source {
        Some(_) => ARRIVED,
        None => "arrived on the failures queue and is no report",
    };
    let message = match broken {
        Some(problem) => format!("{arrived}; its reprise attribute is broken: {problem}"),
        None => arrived.to_owned(),
    };
    claimable(record, CODE, &message)
}

/// What looks like a report and is none: a message of `unassigned`, unless a flow's configuration lists the queue it came
/// from.
pub(super) fn broken(record: &QueueRecord<'_>, problem: &str) -> Intake {
    claimable(record, BROKEN, problem)
}

/// What a stage could not take is no broken report: its type may be its own.
pub(super) fn claim(failure: &mut FailureReport) {
    if failure.error.code.as_deref() == Some(BROKEN) {
        failure.error = unknown(CODE, ARRIVED);
    }
}

fn claimable(record: &QueueRecord<'_>, code: &str, message: &str) -> Intake {
    let mut intake = unassigned(record, code, message);
    if let ReportKind::Failed(failure) = &mut intake.incoming.report.kind {
        failure.origin = record.dead_letter_source.map(|arn| cut(arn, limits::TEXT));
    }
    intake.source = record.dead_letter_source.map(|arn| Source::Queue(arn.to_owned()));
    intake
}

/// A message that stays with `unassigned` whatever queue it came from.
pub(super) fn unassigned(record: &QueueRecord<'_>, code: &str, message: &str) -> Intake {
    let body = Body::new(record.body.as_bytes().to_vec(), None);
    let message = match stays_behind(record.attributes) {
        Some(name) => format!("{message}; {}", left(name)),
        None => message.to_owned(),
    };
    let mut failure = failure(Phase::Processing, unknown(code, &message));
    failure.sender_payload = Some(body.meta.clone());
    let (attributes, bodies) = with_attributes(record, body);
    failure.attributes = attributes;
    let report = Report {
        id: InterchangeId::closest_to(&format!("dlq-{}", record.message_id)),
        flow: FlowName::unassigned(),
        attempt: Some(1),
        occurred_at: None,
        kind: ReportKind::Failed(Box::new(failure)),
        epoch: None,
        digest: None,
        warnings: Vec::new(),
    };
    Intake { incoming: Incoming { report, bodies }, source: None, queued_at: record.queued_at }
}

fn left(name: &str) -> String {
    format!("its message attribute `{name}` is kept and not sent along: SQS takes ten, and `reprise` is one")
}

/// A message of ours that a stage could not take.
pub(super) struct Reentry {
    reprise: RepriseAttribute,
    payload: Body,
}

/// Reads the `reprise` attribute and the payload it describes, or says what is broken about them; `None` without
/// such an attribute.
pub(super) fn reentry(record: &QueueRecord<'_>) -> Option<Result<Reentry, String>> {
    let attribute = record.attributes.iter().find(|attribute| attribute.name == RepriseAttribute::NAME)?;
    let AttributeValue::Text(json) = &attribute.value else {
        return Some(Err("it is binary".to_owned()));
    };
    let reprise = match RepriseAttribute::from_json(json) {
        Ok(reprise) => reprise,
        Err(error) => return Some(Err(error.to_string())),
    };
    let bytes = match reprise.encoding {
        None => Ok(record.body.as_bytes().to_vec()),
        Some(Encoding::Base64) => payload::from_base64(record.body),
    };
    let payload = bytes.map(|bytes| Body::new(bytes, reprise.content_type.clone()));
    Some(match payload {
        Ok(payload) => Ok(Reentry { reprise, payload }),
        Err(error) => Err(format!("the body is not base64: {error}")),
    })
}

/// The failure of the interchange and attempt that the message was.
pub(super) fn of_reentry(record: &QueueRecord<'_>, reentry: Reentry) -> Intake {
    let Reentry { reprise, payload } = reentry;
    let meta = Some(payload.meta.clone());
    let error = unknown(CODE, ARRIVED);
    let mut failure = match reprise.action.side() {
        PayloadSide::Receiver => FailureReport { receiver_payload: meta, ..failure(Phase::Delivery, error) },
        PayloadSide::Sender => FailureReport { sender_payload: meta, ..failure(Phase::Processing, error) },
    };
    failure.correlation_id = reprise.correlation_id;
    failure.traceparent = reprise.traceparent;
    let (attributes, bodies) = with_attributes(record, payload);
    failure.attributes = attributes;
    let report = Report {
        id: reprise.interchange_id,
        flow: reprise.flow,
        attempt: Some(reprise.attempt),
        occurred_at: None,
        kind: ReportKind::Failed(Box::new(failure)),
        epoch: Some(reprise.epoch),
        digest: Some(ReportDigest::of(record.body.as_bytes())),
        warnings: Vec::new(),
    };
    Intake { incoming: Incoming { report, bodies }, source: None, queued_at: record.queued_at }
}

/// The payload and, where there are any but `reprise`, the message attributes.
pub(super) fn with_attributes(record: &QueueRecord<'_>, payload: Body) -> (Option<PayloadMeta>, Vec<Body>) {
    if record.attributes.iter().all(|attribute| attribute.name == RepriseAttribute::NAME) {
        return (None, vec![payload]);
    }
    let encoded = Body::new(encode_attributes(record.attributes), Some("application/json".to_owned()));
    (Some(encoded.meta.clone()), vec![payload, encoded])
}

/// At most `most` characters of a text that others wrote without our limits.
pub(super) fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

fn unknown(code: &str, message: &str) -> ErrorInfo {
    ErrorInfo {
        category: Category::Unknown,
        code: Some(code.to_owned()),
        message: Some(cut(message, limits::ERROR_MESSAGE)),
    }
}
