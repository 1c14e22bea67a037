//! What a message of a Lambda event tells of its delivery.

use aws_lambda_events::sqs::SqsMessage;
use queues::Received;

/// The delivery of a message; `None` where it has no receipt handle.
#[must_use]
pub fn received(message: &SqsMessage) -> Option<Received> {
    let deliveries = message.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok());
    Some(Received { receipt: message.receipt_handle.clone()?, deliveries: deliveries.unwrap_or(1) })
}
