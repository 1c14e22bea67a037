//! Converts messages of a stage into sightings, and interchange ids into numbers.

use jiff::Timestamp;
use local_aws::{AttributeValue, Message};
use serde_json::Value;

use crate::invariants::Sighting;

/// The interchange id for a number.
pub(super) fn id(number: usize) -> String {
    format!("o-{number}")
}

/// The number for an id made by [`id`].
pub(super) fn number(id: &str) -> Option<usize> {
    id.strip_prefix("o-")?.parse().ok()
}

/// The sighting for a message of a stage queue.
pub(super) fn sighting(message: &Message) -> Sighting {
    let attribute = message.attributes.get("reprise").map(|attribute| match &attribute.value {
        AttributeValue::Text(text) => text.clone(),
        AttributeValue::Binary(_) => String::new(),
    });
    let reprise: Value =
        serde_json::from_str(&attribute.unwrap_or_default()).expect("a stage message carries `reprise`");
    let sent_at = message.system.get("SentTimestamp").and_then(|millis| millis.parse().ok()).unwrap_or_default();
    Sighting {
        id: reprise["interchangeId"].as_str().unwrap_or_default().to_owned(),
        attempt: reprise["attempt"].as_u64().and_then(|attempt| attempt.try_into().ok()).unwrap_or_default(),
        group: message.system.get("MessageGroupId").cloned(),
        sent_at: Timestamp::from_millisecond(sent_at).unwrap_or_default(),
    }
}
