//! Reports: the form in which a pipeline tells what became of an attempt.

use domain::{
    Category, Epoch, ErrorInfo, Extent, FailureReport, FlowName, InterchangeId, Part, PartStatus, PayloadSide, Phase,
    Report, ReportDigest, ReportKind, Warning,
};
use jiff::SignedDuration;
use serde_json::Value;

use super::members::Members;
use super::{Body, Incoming, payload, shorten};
use crate::fields::{FLOW_NAME, Field, Fields, INTERCHANGE_ID};
use crate::{FieldError, limits};

const TYPES: &str = "interchange.failed, interchange.completed or interchange.in_network";
const CATEGORIES: &str = "system, business, mapping, validation, no_outcome or unknown";
const ORDER_KEY: &str = "1-128 letters, digits and punctuation marks of ASCII, as SQS takes them for a message group";
const YEAR: SignedDuration = SignedDuration::from_hours(365 * 24);

/// Reads a report; `None` when the text is none: it is no JSON object whose `type` begins with `interchange.`, and not
/// clearly meant as one either.
pub(super) fn read(body: &str) -> Option<Result<Incoming, FieldError>> {
    if !body.trim_start().starts_with('{') {
        return None;
    }
    match serde_json::from_str::<Value>(body) {
        Ok(json) => {
            let meant = json.get("type").and_then(Value::as_str).is_some_and(is_ours);
            meant.then(|| Fields::of(&json).and_then(|fields| incoming(&fields, body)))
        }
        Err(error) => {
            // What is JSON and too deep to be read as a whole still says what it is.
            let meant = Members::of(body).map(|members| members.text("type").is_some_and(|kind| is_ours(&kind)));
            let meant = meant.unwrap_or_else(|| names_a_report_type(body));
            meant.then(|| Err(FieldError::new("body", format!("is not JSON: {error}"))))
        }
    }
}

fn is_ours(kind: &str) -> bool {
    kind.starts_with("interchange.")
}

fn names_a_report_type(body: &str) -> bool {
    body.match_indices("\"type\"").any(|(at, name)| {
        let value = body[at + name.len()..].trim_start().strip_prefix(':').map(str::trim_start);
        value.is_some_and(|value| value.starts_with("\"interchange."))
    })
}

enum Kind {
    Failed,
    InNetwork,
    Completed,
}

fn kind(word: &str) -> Option<Kind> {
    match word {
        "interchange.failed" => Some(Kind::Failed),
        "interchange.in_network" => Some(Kind::InNetwork),
        "interchange.completed" => Some(Kind::Completed),
        _ => None,
    }
}

/// `body` is the text of `fields`.
fn incoming(fields: &Fields<'_>, body: &str) -> Result<Incoming, FieldError> {
    let kind = fields.at("type").must(TYPES, kind)?;
    let id = fields.at("interchangeId").must(INTERCHANGE_ID, |id| InterchangeId::new(id).ok())?;
    let flow = fields.at("flow").must(FLOW_NAME, |flow| FlowName::new(flow).ok())?;
    let mut warnings = Vec::new();
    let attempt = attempt(&fields.at("attempt"), &mut warnings)?;
    let epoch = epoch(&fields.at("epoch"), &mut warnings);
    let occurred_at = fields.at("occurredAt").time()?;
    let (kind, bodies) = match kind {
        Kind::Failed => failed(fields, body)?,
        Kind::InNetwork => (ReportKind::InNetwork, Vec::new()),
        Kind::Completed => (ReportKind::Completed, Vec::new()),
    };
    // What names its attempt is told from its repeat by that.
    let digest = (attempt.is_none() || epoch.is_some()).then(|| ReportDigest::of(body.as_bytes()));
    Ok(Incoming { report: Report { id, flow, attempt, occurred_at, kind, epoch, digest, warnings }, bodies })
}

/// A number above the highest one is left out: the report counts all the same.
fn attempt(field: &Field<'_>, warnings: &mut Vec<Warning>) -> Result<Option<u32>, FieldError> {
    let allowed = || format!("a whole number from 1 to {}", limits::ATTEMPT);
    let Some(number) = field.whole(1..=u64::MAX).map_err(|_| field.wrong(&allowed()))? else { return Ok(None) };
    let attempt = u32::try_from(number).ok().filter(|attempt| *attempt <= limits::ATTEMPT);
    if attempt.is_none() {
        warnings.push(warning(field.refused(format!("is {number}, above {}: left out", limits::ATTEMPT))));
    }
    Ok(attempt)
}

/// What is no epoch is left out: the report counts as one of this epoch.
fn epoch(field: &Field<'_>, warnings: &mut Vec<Warning>) -> Option<Epoch> {
    match field.whole(1..=u64::MAX) {
        Ok(epoch) => epoch.map(Epoch),
        Err(error) => {
            warnings.push(warning(error));
            None
        }
    }
}

fn warning(error: FieldError) -> Warning {
    Warning::new(error.field, error.problem)
}

fn failed(fields: &Fields<'_>, body: &str) -> Result<(ReportKind, Vec<Body>), FieldError> {
    let text = |name| fields.at(name).text(limits::TEXT);
    let payload = |side: PayloadSide| match fields.at("payloads").object()? {
        Some(payloads) => payload::read(&payloads.at(side.as_str()), side, body),
        None => Ok(None),
    };
    let (sender, receiver) = (payload(PayloadSide::Sender)?, payload(PayloadSide::Receiver)?);
    let parts = parts(&fields.at("parts"))?;
    let failure = FailureReport {
        extent: extent(fields, &parts)?,
        phase: fields.at("phase").parsed("processing or delivery", Phase::from_word)?,
        origin: text("origin")?,
        sender: text("sender")?,
        receiver: text("receiver")?,
        partner: text("partner")?,
        source_id: text("sourceId")?,
        correlation_id: text("correlationId")?,
        traceparent: traceparent(&fields.at("traceparent"))?,
        order_key: fields.at("orderKey").parsed(ORDER_KEY, order_key)?.flatten(),
        error: error(&fields.at("error"))?,
        retry_after: fields.at("retryAfter").duration(SignedDuration::from_secs(1)..=YEAR)?,
        parts,
        sender_payload: sender.as_ref().map(|body| body.meta.clone()),
        receiver_payload: receiver.as_ref().map(|body| body.meta.clone()),
        attributes: None,
    };
    Ok((ReportKind::Failed(Box::new(failure)), sender.into_iter().chain(receiver).collect()))
}

fn extent(fields: &Fields<'_>, parts: &[Part]) -> Result<Extent, FieldError> {
    let extent = fields.at("status").parsed("failed or partially_failed", |word| match word {
        "failed" => Some(Extent::Whole),
        "partially_failed" => Some(Extent::Partial),
        _ => None,
    })?;
    if extent == Some(Extent::Partial) && parts.is_empty() {
        return Err(fields.at("parts").refused("is missing or empty: partially_failed needs the parts"));
    }
    Ok(extent.unwrap_or(Extent::Whole))
}

fn error(error: &Field<'_>) -> Result<ErrorInfo, FieldError> {
    let Some(fields) = error.object()? else {
        return Ok(ErrorInfo { category: Category::Unknown, code: None, message: None });
    };
    Ok(ErrorInfo {
        category: fields.at("category").parsed(CATEGORIES, Category::from_word)?.unwrap_or(Category::Unknown),
        code: fields.at("code").text(limits::ERROR_CODE)?,
        message: fields.at("message").text(limits::ERROR_MESSAGE)?,
    })
}

fn parts(list: &Field<'_>) -> Result<Vec<Part>, FieldError> {
    let items = list.list()?.unwrap_or_default();
    if items.len() > limits::PARTS {
        return Err(list.refused(format!("has {} items: at most {} are allowed", items.len(), limits::PARTS)));
    }
    let parts = items.iter().map(part).collect::<Result<Vec<_>, _>>()?;
    Ok(shorten::messages(parts))
}

fn part(item: &Field<'_>) -> Result<Part, FieldError> {
    let fields = item.object()?.ok_or_else(|| item.wrong("an object"))?;
    let id = fields.at("id");
    Ok(Part {
        id: id.text(limits::PART_ID)?.ok_or_else(|| id.wrong("1-128 characters"))?,
        status: fields.at("status").must("failed or completed", part_status)?,
        message: fields.at("message").text(limits::PART_MESSAGE)?,
    })
}

fn part_status(word: &str) -> Option<PartStatus> {
    [PartStatus::Failed, PartStatus::Completed].into_iter().find(|status| status.as_str() == word)
}

fn traceparent(field: &Field<'_>) -> Result<Option<String>, FieldError> {
    match field.text(limits::TRACEPARENT)? {
        Some(text) if !text.bytes().all(|b| (b' '..=b'~').contains(&b)) => Err(field.wrong("visible ASCII characters")),
        text => Ok(text),
    }
}

/// Empty is the same as left out.
fn order_key(text: &str) -> Option<Option<String>> {
    let fits = text.len() <= limits::ORDER_KEY && text.bytes().all(|b| b.is_ascii_graphic());
    fits.then(|| Some(text.to_owned()).filter(|key| !key.is_empty()))
}
