//! What a pipeline finds on its stage queues.

use aws_sdk_sqs::types::Message;
use serde_json::Value;

/// A message that re-entered.
#[derive(Debug, Clone)]
pub struct Staged {
    /// The SQS body.
    pub body: String,
    /// The `reprise` attribute.
    pub reprise: Value,
    /// Every message attribute as SQS gave it.
    pub message: Message,
}

impl Staged {
    pub(crate) fn of(message: Message) -> Self {
        let attribute = message.message_attributes().and_then(|attributes| attributes.get("reprise"));
        let text = attribute.and_then(|attribute| attribute.string_value()).expect("it carries `reprise`");
        Self {
            body: message.body().unwrap_or_default().to_owned(),
            reprise: serde_json::from_str(text).expect("`reprise` is JSON"),
            message,
        }
    }

    /// The interchange's id.
    ///
    /// # Panics
    /// When the attribute has none.
    #[must_use]
    pub fn id(&self) -> &str {
        self.reprise["interchangeId"].as_str().expect("`reprise` names the interchange")
    }

    /// The attempt.
    ///
    /// # Panics
    /// When the attribute has none.
    #[must_use]
    pub fn attempt(&self) -> u64 {
        self.reprise["attempt"].as_u64().expect("`reprise` names the attempt")
    }
}
