//! The bodies of actions.

use domain::{JobLimits, Selection, Timestamp};

use super::selection;
use crate::fields::{Fields, parse};
use crate::{FieldError, limits};

/// What a bulk restart, retry or delete asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRequest {
    /// Why.
    pub reason: String,
    /// On which.
    pub selection: Selection,
    /// How carefully it goes.
    pub limits: JobLimits,
    /// Freezes the selection at a time that a plan told; otherwise at the job's creation.
    pub as_of: Option<Timestamp>,
}

/// Reads `{"reason": "…"}`: 1-500 characters, not blank.
///
/// # Errors
/// Names the field that is missing, unknown or impossible.
pub fn read_reason(body: &[u8]) -> Result<String, FieldError> {
    let value = parse(body)?;
    let fields = Fields::of(&value)?;
    fields.only(&["reason"])?;
    reason(&fields)
}

/// Reads the body of a bulk restart, retry or delete.
///
/// # Errors
/// Names the field that is missing, unknown or impossible.
pub fn read_job_request(body: &[u8]) -> Result<JobRequest, FieldError> {
    let value = parse(body)?;
    let fields = Fields::of(&value)?;
    fields.only(&["reason", "selection", "rate", "cap", "canary", "asOf"])?;
    Ok(JobRequest {
        reason: reason(&fields)?,
        selection: selection::read(&fields.at("selection"))?,
        limits: JobLimits {
            rate: fields.at("rate").count(1, u32::MAX)?,
            cap: fields.at("cap").whole(1..=u64::from(u32::MAX))?,
            canary: fields.at("canary").count(1, u32::MAX)?,
        },
        as_of: fields.at("asOf").time()?,
    })
}

fn reason(fields: &Fields<'_>) -> Result<String, FieldError> {
    let reason = fields.at("reason");
    let text = reason.text(limits::REASON)?.filter(|text| !text.trim().is_empty());
    text.ok_or_else(|| reason.wrong("1-500 characters, not only blanks: it lands in the event log"))
}
