//! What a message of a Lambda event tells of its delivery.

use aws_lambda_events::sqs::SqsMessage;
use queues::ReceivedMessage;

/// The delivery of a message; `None` where it has no receipt handle.
#[must_use]
pub fn received(message: &SqsMessage) -> Option<ReceivedMessage> {
    let receive_count = message.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok());
    Some(ReceivedMessage { receipt_handle: message.receipt_handle.clone()?, receive_count: receive_count.unwrap_or(1) })
}
