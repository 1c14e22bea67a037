//! Message attributes: their validation, their size, and the selection by a receiver.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::error::SqsError;
use super::text;

/// The maximum number of attributes of a message.
const MAX_ATTRIBUTES: usize = 10;

/// Attributes by name.
pub(super) type MessageAttributes = BTreeMap<String, Attribute>;

/// One message attribute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Wire", into = "Wire")]
pub struct Attribute {
    /// `String`, `Number` or `Binary`, optionally with a custom suffix after a full stop.
    pub data_type: String,
    /// The value. Numbers are text.
    pub value: AttributeValue,
}

/// The value of a message attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttributeValue {
    /// The value of a `String` or a `Number`.
    Text(String),
    /// The value of a `Binary`.
    Binary(Vec<u8>),
}

/// The JSON format of an attribute.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Wire {
    data_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    string_value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    binary_value: Option<String>,
}

impl TryFrom<Wire> for Attribute {
    type Error = String;

    fn try_from(wire: Wire) -> Result<Self, String> {
        let value = match (wire.string_value, wire.binary_value) {
            (Some(text), _) => AttributeValue::Text(text),
            (None, Some(binary)) => AttributeValue::Binary(STANDARD.decode(binary).map_err(|error| error.to_string())?),
            (None, None) => AttributeValue::Text(String::new()),
        };
        Ok(Self { data_type: wire.data_type.unwrap_or_default(), value })
    }
}

impl From<Attribute> for Wire {
    fn from(attribute: Attribute) -> Self {
        let (string_value, binary_value) = match attribute.value {
            AttributeValue::Text(text) => (Some(text), None),
            AttributeValue::Binary(binary) => (None, Some(STANDARD.encode(binary))),
        };
        Self { data_type: Some(attribute.data_type), string_value, binary_value }
    }
}

impl AttributeValue {
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(binary) => binary,
        }
    }
}

/// The size of the attributes in bytes: names, types and values. It counts towards the message's size.
pub(super) fn size(attributes: &MessageAttributes) -> usize {
    attributes.iter().map(|(name, it)| name.len() + it.data_type.len() + it.value.bytes().len()).sum()
}

/// # Errors
/// `InvalidParameterValue` or `InvalidMessageContents` for an invalid attribute, with its name.
pub(super) fn check(attributes: &MessageAttributes) -> Result<(), SqsError> {
    if attributes.len() > MAX_ATTRIBUTES {
        let count = attributes.len();
        return Err(refused(format!(
            "Number of message attributes [{count}] exceeds the allowed maximum [{MAX_ATTRIBUTES}]."
        )));
    }
    attributes.iter().try_for_each(|(name, attribute)| check_one(name, attribute))
}

fn check_one(name: &str, attribute: &Attribute) -> Result<(), SqsError> {
    check_name(name)?;
    let kind = attribute.data_type.split('.').next().unwrap_or_default();
    if attribute.data_type.is_empty() {
        return Err(refused(format!(
            "The message attribute '{name}' must contain a non-empty message attribute type."
        )));
    }
    if attribute.data_type.len() > 256 || !matches!(kind, "String" | "Number" | "Binary") {
        return Err(refused(format!(
            "The message attribute '{name}' has an invalid message attribute type, the set of supported type prefixes is \
             Binary, Number, and String."
        )));
    }
    if attribute.value.bytes().is_empty() {
        return Err(refused(format!(
            "The message attribute '{name}' must contain a non-empty message attribute value for message attribute type '{kind}'."
        )));
    }
    match (&attribute.value, kind) {
        (AttributeValue::Binary(_), "Binary") => Ok(()),
        (AttributeValue::Text(text), "String") => text::check(text),
        (AttributeValue::Text(text), "Number") if is_number(text) => Ok(()),
        (AttributeValue::Text(_), "Number") => {
            Err(refused(format!("Can't cast the value of message attribute '{name}' to a number.")))
        }
        _ => Err(refused(format!(
            "The message attribute '{name}' with type '{kind}' must use field '{}'.",
            if kind == "Binary" { "Binary" } else { "String" }
        ))),
    }
}

fn check_name(name: &str) -> Result<(), SqsError> {
    let lower = name.to_ascii_lowercase();
    let letters = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
    let reserved = lower.starts_with("aws.") || lower.starts_with("amazon.");
    let dots = name.starts_with('.') || name.ends_with('.') || name.contains("..");
    if name.is_empty() || name.len() > 256 || !letters || reserved || dots {
        return Err(refused(format!("Message (user) attribute name '{name}' is invalid.")));
    }
    Ok(())
}

fn is_number(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    digits > 0 && digits <= 128 && text.parse::<f64>().is_ok_and(f64::is_finite)
}

/// Whether `wanted` (a name, `prefix.*`, `All` or `.*`) selects the attribute `name`.
pub(super) fn is_wanted(wanted: &[String], name: &str) -> bool {
    wanted.iter().any(|pattern| {
        pattern == "All"
            || pattern == ".*"
            || pattern == name
            || pattern.strip_suffix(".*").is_some_and(|prefix| name.starts_with(prefix))
    })
}

fn refused(message: String) -> SqsError {
    SqsError::InvalidParameterValue(message)
}
