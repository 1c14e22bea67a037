//! SQS message attributes and message text: what came with a dead letter goes along when it re-enters.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::RepriseAttribute;

/// The most attributes that go along with a re-entry: SQS takes ten, and `reprise` is one.
pub const MAX_CARRIED: usize = 9;

/// A message attribute as SQS delivers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageAttribute {
    pub name: String,
    /// `String`, `Number` or `Binary`, with any custom label: `String.uuid`.
    pub data_type: String,
    pub value: AttributeValue,
}

/// The value of a message attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttributeValue {
    /// Of a `String` or a `Number`.
    Text(String),
    Binary(Vec<u8>),
}

/// Stored attributes that do not read back.
#[derive(Debug, thiserror::Error)]
pub enum AttributesError {
    /// The bytes are not the JSON that [`encode_attributes`] writes.
    #[error("kept message attributes are not the JSON they were written as")]
    Json(#[source] serde_json::Error),
    /// A binary value is not base64.
    #[error("the kept message attribute {name} is not base64")]
    Base64 {
        /// Which attribute.
        name: String,
        /// What is wrong with it.
        #[source]
        source: base64::DecodeError,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredAttribute {
    name: String,
    data_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    binary: Option<String>,
}

/// Writes attributes as compact JSON, to be kept like a payload. They are sorted by name, so that the same
/// attributes are the same bytes; `reprise` itself is left out, since each re-entry carries its own.
#[must_use]
pub fn encode_attributes(attributes: &[MessageAttribute]) -> Vec<u8> {
    let kept: Vec<StoredAttribute> = sorted(attributes).into_iter().map(StoredAttribute::of).collect();
    serde_json::json!(kept).to_string().into_bytes()
}

/// The one attribute for which a re-entry has no room, where there are ten.
pub(crate) fn stays_behind(attributes: &[MessageAttribute]) -> Option<&str> {
    sorted(attributes).get(MAX_CARRIED).map(|attribute| attribute.name.as_str())
}

fn sorted(attributes: &[MessageAttribute]) -> Vec<&MessageAttribute> {
    let mut sorted: Vec<&MessageAttribute> = attributes.iter().filter(|a| a.name != RepriseAttribute::NAME).collect();
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    sorted
}

/// Reads what [`encode_attributes`] wrote.
///
/// # Errors
/// [`AttributesError`] when the bytes are anything else.
pub fn decode_attributes(bytes: &[u8]) -> Result<Vec<MessageAttribute>, AttributesError> {
    let kept: Vec<StoredAttribute> = serde_json::from_slice(bytes).map_err(AttributesError::Json)?;
    kept.into_iter().map(StoredAttribute::attribute).collect()
}

impl StoredAttribute {
    fn of(attribute: &MessageAttribute) -> Self {
        let (text, binary) = match &attribute.value {
            AttributeValue::Text(text) => (Some(text.clone()), None),
            AttributeValue::Binary(bytes) => (None, Some(STANDARD.encode(bytes))),
        };
        Self { name: attribute.name.clone(), data_type: attribute.data_type.clone(), text, binary }
    }

    fn attribute(self) -> Result<MessageAttribute, AttributesError> {
        let value = match self.binary {
            None => AttributeValue::Text(self.text.unwrap_or_default()),
            Some(base64) => match STANDARD.decode(base64) {
                Ok(bytes) => AttributeValue::Binary(bytes),
                Err(source) => return Err(AttributesError::Base64 { name: self.name, source }),
            },
        };
        Ok(MessageAttribute { name: self.name, data_type: self.data_type, value })
    }
}

/// The bytes as SQS message text; `None` when SQS would refuse them as a body: empty, not UTF-8, or with a
/// character outside XML 1.0 (`#x9 | #xA | #xD | #x20-#xD7FF | #xE000-#xFFFD | #x10000-#x10FFFF`).
#[must_use]
pub fn sqs_text(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok().filter(|text| !text.is_empty())?;
    let allowed = |c: char| match c {
        '\t' | '\n' | '\r' => true,
        '\u{fffe}' | '\u{ffff}' => false,
        c => c >= ' ',
    };
    text.chars().all(allowed).then_some(text)
}
