//! Payloads inside a report: text, base64 or a claim check, in any case kept byte for byte.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use domain::PayloadSide;

use super::Body;
use super::members::Members;
use crate::fields::{Field, Fields};
use crate::{FieldError, limits};

const CONTENT_TYPE: &str = "1-256 visible ASCII characters and spaces";
const CLAIM_CHECK: &str = "a claim check like `s3://bucket/key`";

/// The standard alphabet, with its padding or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Reads base64 however it is padded and wrapped into lines.
pub(super) fn from_base64(text: &str) -> Result<Vec<u8>, base64::DecodeError> {
    if text.bytes().any(|b| b.is_ascii_whitespace()) {
        let joined: String = text.split_ascii_whitespace().collect();
        return BASE64.decode(joined);
    }
    BASE64.decode(text)
}

/// Reads `payloads.sender` or `payloads.receiver` of the report that is written as `text`; `None` when it is left out.
pub(super) fn read(payload: &Field<'_>, side: PayloadSide, text: &str) -> Result<Option<Body>, FieldError> {
    let Some(fields) = payload.object()? else { return Ok(None) };
    let content_type = fields.at("contentType").parsed(CONTENT_TYPE, content_type)?;
    let body = fields.at("body");
    let claim_check = fields.at("ref");
    let bytes = match (body.is_given(), claim_check.is_given()) {
        (true, true) => return Err(claim_check.refused("is given beside `body`: only one of them may be")),
        (false, false) => return Err(body.wrong("a text, or a `ref` in its place")),
        (true, false) if body.is_object() => {
            let inner = body.object()?.map(|inner| inner.at("ref"));
            inner.as_ref().map(check).transpose()?;
            members(text, side).raw("body").map(|raw| raw.get().as_bytes().to_vec()).unwrap_or_default()
        }
        (true, false) => decoded(&fields, &body)?,
        (false, true) => {
            check(&claim_check)?;
            in_place_of_a_body(members(text, side))
        }
    };
    Ok(Some(Body::new(bytes, content_type)))
}

fn decoded(fields: &Fields<'_>, body: &Field<'_>) -> Result<Vec<u8>, FieldError> {
    let text = body.must("a text", |text| Some(text.to_owned()))?;
    let encoding = fields.at("encoding").parsed("base64 or utf-8", |word| match word {
        "base64" => Some(true),
        "utf-8" => Some(false),
        _ => None,
    })?;
    if encoding == Some(true) {
        return from_base64(&text).map_err(|error| body.refused(format!("is not base64: {error}")));
    }
    Ok(text.into_bytes())
}

fn check(claim_check: &Field<'_>) -> Result<(), FieldError> {
    claim_check.must(CLAIM_CHECK, |uri| s3(uri).then_some(()))
}

/// What stands beside the `ref` belongs to it, but for what tells of the payload itself.
fn in_place_of_a_body(Members(mut members): Members<'_>) -> Vec<u8> {
    members.retain(|name, _| !["body", "encoding", "contentType"].contains(&name.as_str()));
    serde_json::to_vec(&members).unwrap_or_default()
}

/// The members of a payload as they are written, to be kept and to go back like that.
fn members(text: &str, side: PayloadSide) -> Members<'_> {
    Members::of(text).unwrap_or_default().inner("payloads").inner(side.as_str())
}

fn s3(uri: &str) -> bool {
    let parts = uri.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
    uri.chars().count() <= limits::REF && parts.is_some_and(|(bucket, key)| !bucket.is_empty() && !key.is_empty())
}

fn content_type(text: &str) -> Option<String> {
    let visible = |b: u8| b.is_ascii_graphic() || b == b' ';
    let fits = (1..=limits::CONTENT_TYPE).contains(&text.len()) && text.bytes().all(visible);
    fits.then(|| text.to_owned())
}
