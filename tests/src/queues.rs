//! Queues of a pipeline beside those of the stack.

use std::collections::HashMap;

use aws_sdk_sqs::types::{Message, MessageAttributeValue, QueueAttributeName};
use serde_json::{Value, json};

use crate::world::aws_config_of;
use crate::{FAILURES, World};

/// The queue to which run-job moves messages of the jobs queue that Reprise did not sign.
pub const REFUSED_WORK: &str = "reprise-refused-work";

impl World {
    /// The ARN of a queue.
    #[must_use]
    pub fn queue_arn(&self, name: &str) -> String {
        format!("arn:aws:sqs:eu-west-1:000000000000:{name}")
    }

    /// Creates a queue that moves a message to `dead_letters` after one receive without a delete. Returns its URL.
    ///
    /// # Panics
    /// When SQS refuses.
    pub async fn stage_with_dead_letters(&self, name: &str, dead_letters: &str) -> String {
        let policy = json!({ "deadLetterTargetArn": self.queue_arn(dead_letters), "maxReceiveCount": 1 });
        self.create_queue(name, [(QueueAttributeName::RedrivePolicy, policy.to_string())]).await
    }

    /// Creates a FIFO queue and returns its URL.
    ///
    /// # Panics
    /// When SQS refuses.
    pub async fn fifo_queue(&self, name: &str) -> String {
        self.create_queue(name, [(QueueAttributeName::FifoQueue, "true".to_owned())]).await
    }

    /// Sends a report to the failures queue as the identity with this `SenderId` (`AROA…:session`, `AIDA…`), and waits until the
    /// stack is idle.
    ///
    /// # Panics
    /// When SQS refuses it.
    pub async fn report_as(&self, sender: &str, report: &Value) {
        let (body, aws) = (report.to_string(), aws_config_of(&self.stack.aws_url(), sender).await);
        self.log().forbid_payloads_of(&body);
        let send = aws_sdk_sqs::Client::new(&aws).send_message().queue_url(self.queue_url(FAILURES));
        send.message_body(body).send().await.expect("SQS takes the message");
        self.settle().await;
    }

    /// Sends one message to a queue and returns its id. Does not wait.
    ///
    /// # Panics
    /// When SQS refuses.
    pub async fn put_message(&self, queue: &str, body: &str, attributes: &[(&str, MessageAttributeValue)]) -> String {
        self.log().forbid_payloads_of(body);
        let attributes: HashMap<_, _> = attributes.iter().map(|(name, v)| ((*name).to_owned(), v.clone())).collect();
        let call = self.sqs.send_message().queue_url(self.queue_url(queue)).message_body(body);
        let answer = call.set_message_attributes(Some(attributes)).send().await.expect("SQS takes the message");
        answer.message_id.expect("a message id")
    }

    /// Receives all messages of a queue without deleting them, so that a queue of [`Self::stage_with_dead_letters`] moves them to
    /// its dead-letter queue. Then waits until the stack is idle. Returns the messages.
    ///
    /// # Panics
    /// When SQS does not answer.
    pub async fn receive_without_deleting(&self, queue: &str) -> Vec<Message> {
        let mut received = Vec::new();
        loop {
            let call = self.sqs.receive_message().queue_url(self.queue_url(queue)).max_number_of_messages(10);
            let answer = call.visibility_timeout(0).message_attribute_names("All").send().await.expect("SQS answers");
            let messages = answer.messages.unwrap_or_default();
            if messages.is_empty() {
                break;
            }
            received.extend(messages);
        }
        self.settle().await;
        received
    }

    /// Receives and deletes all messages of the queue of refused work. Returns their bodies and reasons.
    ///
    /// # Panics
    /// When SQS does not answer, or a message has no reason.
    pub async fn drain_refused(&self) -> Vec<(String, String)> {
        let url = self.queue_url(REFUSED_WORK);
        let mut refused = Vec::new();
        loop {
            let call = self.sqs.receive_message().queue_url(&url).max_number_of_messages(10);
            let answer = call.message_attribute_names("All").send().await.expect("SQS answers");
            let messages = answer.messages.unwrap_or_default();
            if messages.is_empty() {
                return refused;
            }
            for message in messages {
                let reason = message.message_attributes().and_then(|all| all.get("reason")?.string_value());
                let reason = reason.expect("a reason").to_owned();
                let receipt = message.receipt_handle().expect("a receipt");
                self.sqs.delete_message().queue_url(&url).receipt_handle(receipt).send().await.expect("SQS answers");
                refused.push((message.body.unwrap_or_default(), reason));
            }
        }
    }

    async fn create_queue<const N: usize>(&self, name: &str, of: [(QueueAttributeName, String); N]) -> String {
        let call = self.sqs.create_queue().queue_name(name).set_attributes(Some(HashMap::from(of)));
        call.send().await.expect("SQS makes the queue").queue_url.expect("a queue URL")
    }
}

/// A message attribute with a text value. Its type is `String`, `Number`, or one of them with a label, as in `String.uuid`.
///
/// # Panics
/// Never: the type is set.
#[must_use]
pub fn text_attribute(data_type: &str, text: &str) -> MessageAttributeValue {
    let attribute = MessageAttributeValue::builder().data_type(data_type).string_value(text);
    attribute.build().expect("the type is set")
}

/// A message attribute of type `Binary`.
///
/// # Panics
/// Never: the type is set.
#[must_use]
pub fn binary_attribute(bytes: &[u8]) -> MessageAttributeValue {
    let bytes = aws_sdk_sqs::primitives::Blob::new(bytes);
    MessageAttributeValue::builder().data_type("Binary").binary_value(bytes).build().expect("the type is set")
}
