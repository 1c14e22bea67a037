//! Work items, signed as Reprise signs them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use local_aws::dynoxide::types::AttributeValue;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::{World, text_attribute};

impl World {
    /// Sends a signed work item to one of the stack's own queues. Does not wait.
    ///
    /// # Panics
    /// When SQS refuses it, or when the stack has not created its key yet.
    pub async fn put_work(&self, queue: &str, item: &Value) {
        let body = item.to_string();
        let mac = text_attribute("String", &self.signature(&body));
        let call = self.sqs.send_message().queue_url(self.queue_url(queue)).message_body(body);
        call.message_attributes("mac", mac).send().await.expect("SQS takes the message");
    }

    /// The signature of a work item, computed as Reprise does.
    ///
    /// # Panics
    /// When the stack has not created its key yet.
    #[must_use]
    pub fn signature(&self, body: &str) -> String {
        let key = json!({ "pk": { "S": "SETTINGS" }, "sk": { "S": "WORK-KEY" } });
        let get = serde_json::from_value(json!({ "TableName": "reprise", "Key": key })).expect("a request");
        let item = self.stack.aws().dynamodb().get_item(get).expect("the table can be read").item;
        let item = item.expect("the stack has created its key");
        let AttributeValue::B(key) = &item["b"] else { panic!("the key is bytes") };
        let mut mac = Hmac::<Sha256>::new_from_slice(key.as_ref()).expect("HMAC takes a key of any length");
        mac.update(b"reprise work item\0");
        mac.update(body.as_bytes());
        URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    }
}
