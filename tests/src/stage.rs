//! Messages that a pipeline receives from its stage queues.

use aws_sdk_sqs::types::MessageSystemAttributeName::All;
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, Message, MessageSystemAttributeName};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// A message that Reprise sent to a stage queue.
#[derive(Debug, Clone)]
pub struct StageMessage {
    pub body: String,
    /// The `reprise` message attribute.
    pub reprise: Value,
    /// The message as SQS returned it, with all attributes.
    pub message: Message,
}

impl StageMessage {
    pub(crate) fn of(message: Message) -> Self {
        let attribute = message.message_attributes().and_then(|attributes| attributes.get("reprise"));
        let text = attribute.and_then(|attribute| attribute.string_value()).expect("it carries `reprise`");
        Self {
            body: message.body().unwrap_or_default().to_owned(),
            reprise: serde_json::from_str(text).expect("`reprise` is JSON"),
            message,
        }
    }

    /// The interchange id in the `reprise` attribute.
    ///
    /// # Panics
    /// When the attribute has none.
    #[must_use]
    pub fn id(&self) -> &str {
        self.reprise["interchangeId"].as_str().expect("`reprise` names the interchange")
    }

    /// The attempt number in the `reprise` attribute.
    ///
    /// # Panics
    /// When the attribute has none.
    #[must_use]
    pub fn attempt(&self) -> u64 {
        self.reprise["attempt"].as_u64().expect("`reprise` names the attempt")
    }

    /// The payload as a consumer reads it: the body, decoded when `encoding` is `base64`.
    ///
    /// # Panics
    /// When the body does not have that encoding.
    #[must_use]
    pub fn payload(&self) -> Vec<u8> {
        match self.reprise["encoding"].as_str() {
            // An empty payload is sent as a line feed, which decoders ignore.
            Some("base64") => STANDARD.decode(self.body.trim_end_matches('\n')).expect("the body is base64"),
            other => {
                assert_eq!(other, None, "{}", self.reprise);
                self.body.clone().into_bytes()
            }
        }
    }

    /// A system attribute, for example `MessageGroupId` or `MessageDeduplicationId`.
    #[must_use]
    pub fn system(&self, name: &str) -> Option<&str> {
        let attributes = self.message.attributes.as_ref()?;
        attributes.get(&MessageSystemAttributeName::from(name)).map(String::as_str)
    }
}

/// Receives and deletes all messages of a queue.
pub(crate) async fn drain(sqs: &aws_sdk_sqs::Client, url: &str) -> Vec<StageMessage> {
    let mut staged = Vec::new();
    loop {
        let call = sqs.receive_message().queue_url(url).max_number_of_messages(10).message_attribute_names("All");
        let answer = call.message_system_attribute_names(All).send().await.expect("SQS answers");
        let messages = answer.messages.unwrap_or_default();
        if messages.is_empty() {
            return staged;
        }
        let entries = messages.iter().enumerate().map(|(i, message)| {
            let receipt = message.receipt_handle().expect("a receipt");
            let entry = DeleteMessageBatchRequestEntry::builder().id(i.to_string()).receipt_handle(receipt);
            entry.build().expect("an entry")
        });
        let call = sqs.delete_message_batch().queue_url(url).set_entries(Some(entries.collect()));
        let deleted = call.send().await.expect("SQS answers");
        assert!(deleted.failed().is_empty(), "{:?}", deleted.failed());
        staged.extend(messages.into_iter().map(StageMessage::of));
    }
}
