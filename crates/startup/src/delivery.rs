//! Reads the receipt handle and the receive count of a message in a Lambda event.

use aws_lambda_events::sqs::SqsMessage;
use queues::Received;

/// Returns the receipt handle and the receive count of `message`. `None` if it has no receipt handle.
#[must_use]
pub fn received(message: &SqsMessage) -> Option<Received> {
    let deliveries = message.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok());
    Some(Received { receipt: message.receipt_handle.clone()?, deliveries: deliveries.unwrap_or(1) })
}
