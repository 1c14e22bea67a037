//! Reads the receipt handle and the receive count of a message in a Lambda event.

use aws_lambda_events::sqs::SqsMessage;
use queues::ReceivedMessage;

/// Returns the receipt handle and the receive count of `message`. `None` if it has no receipt handle.
#[must_use]
pub fn received(message: &SqsMessage) -> Option<ReceivedMessage> {
    let receive_count = message.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok());
    Some(ReceivedMessage { receipt_handle: message.receipt_handle.clone()?, receive_count: receive_count.unwrap_or(1) })
}
