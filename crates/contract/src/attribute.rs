//! The `reprise` message attribute: tells a stage which interchange and attempt a message is.

use std::fmt::Write as _;

use domain::{Epoch, FlowName, InterchangeId, JobId, Reentry, Trigger};
use serde_json::Value;

use crate::fields::{FLOW_NAME, Fields, INTERCHANGE_ID, parse};
use crate::object::Object;
use crate::{FieldError, limits};

/// How a stage message's body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// The body is base64 of the payload, which is no valid SQS text itself.
    Base64,
}

/// What the `reprise` attribute says. Sent with every re-entry, read back from a stage's dead letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepriseAttribute {
    /// Which interchange.
    pub interchange_id: InterchangeId,
    pub flow: FlowName,
    /// The attempt that this message is.
    pub attempt: u32,
    /// The epoch of the table that began the attempt: interchange, attempt and epoch are the key to drop repeats by.
    pub epoch: Epoch,
    /// Retry: the body is the receiver payload; restart: the sender payload.
    pub action: Reentry,
    /// What caused it.
    pub trigger: Trigger,
    /// `None`: the body is the payload itself.
    pub encoding: Option<Encoding>,
    /// The payload's media type.
    pub content_type: Option<String>,
    /// The ids of the parts that failed, when it had failed partially.
    pub parts: Vec<String>,
    /// Correlates it with the pipeline's own logs.
    pub correlation_id: Option<String>,
    /// W3C trace context.
    pub traceparent: Option<String>,
    /// The job that sent it.
    pub job: Option<JobId>,
}

impl RepriseAttribute {
    /// The attribute's name.
    pub const NAME: &'static str = "reprise";

    /// Writes it as JSON in pure ASCII, which SQS never refuses.
    #[must_use]
    pub fn to_json(&self) -> String {
        let encoding = self.encoding.map(|Encoding::Base64| "base64");
        let object = Object::new()
            .with("interchangeId", self.interchange_id.as_str())
            .with("flow", self.flow.as_str())
            .with("attempt", self.attempt)
            .with("epoch", self.epoch.0)
            .with("action", self.action.as_str())
            .with("trigger", self.trigger.as_str())
            .maybe("encoding", encoding)
            .maybe("contentType", self.content_type.as_deref())
            .maybe("parts", (!self.parts.is_empty()).then(|| self.parts.clone()))
            .maybe("correlationId", self.correlation_id.as_deref())
            .maybe("traceparent", self.traceparent.as_deref())
            .maybe("job", self.job.as_ref().map(|job| job.0.as_str()));
        ascii(&Value::from(object).to_string())
    }

    /// Reads it back. A trigger that is left out is manual: the scheduler always writes it. An epoch that is left out is the
    /// first one: it was written by a release that knew no other.
    ///
    /// # Errors
    /// Names the field that is missing or wrong.
    pub fn from_json(json: &str) -> Result<Self, FieldError> {
        let value = parse(json.as_bytes())?;
        let fields = Fields::of(&value)?;
        let parts = fields.at("parts").list()?.unwrap_or_default();
        let part = |part: &crate::fields::Field<'_>| part.must("a text", |id| Some(id.to_owned()));
        Ok(Self {
            interchange_id: fields.at("interchangeId").must(INTERCHANGE_ID, |id| InterchangeId::new(id).ok())?,
            flow: fields.at("flow").must(FLOW_NAME, |flow| FlowName::new(flow).ok())?,
            attempt: {
                let attempt = fields.at("attempt");
                attempt.count(1, limits::ATTEMPT)?.ok_or_else(|| attempt.wrong("a whole number from 1"))?
            },
            epoch: fields.at("epoch").whole(1..=u64::MAX)?.map_or(Epoch::FIRST, Epoch),
            action: fields.at("action").must("retry or restart", action)?,
            trigger: fields.at("trigger").parsed("manual or scheduled", trigger)?.unwrap_or(Trigger::Manual),
            encoding: fields.at("encoding").parsed("base64 or left out", encoding)?,
            content_type: fields.at("contentType").text(limits::CONTENT_TYPE)?,
            parts: parts.iter().map(part).collect::<Result<_, _>>()?,
            correlation_id: fields.at("correlationId").text(limits::TEXT)?,
            traceparent: fields.at("traceparent").text(limits::TRACEPARENT)?,
            job: fields.at("job").text(limits::TEXT)?.map(JobId),
        })
    }
}

pub(crate) fn action(word: &str) -> Option<Reentry> {
    [Reentry::Retry, Reentry::Restart].into_iter().find(|action| action.as_str() == word)
}

fn trigger(word: &str) -> Option<Trigger> {
    [Trigger::Manual, Trigger::Scheduled].into_iter().find(|trigger| trigger.as_str() == word)
}

fn encoding(word: &str) -> Option<Encoding> {
    (word == "base64").then_some(Encoding::Base64)
}

/// Escapes what is beyond ASCII, in UTF-16 units as JSON has it. Inside JSON that is only ever in a string.
fn ascii(json: &str) -> String {
    let mut ascii = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() {
            ascii.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a String cannot fail.
                let _ = write!(ascii, "\\u{unit:04x}");
            }
        }
    }
    ascii
}
