//! The error of this crate.

/// An SQS call that failed after the SDK's own retries.
#[derive(Debug, thiserror::Error)]
#[error("{operation} to {queue_url} failed: {cause}")]
pub struct QueueError {
    /// The SQS operation, for example `SendMessageBatch`.
    pub operation: &'static str,
    /// The queue that the call was for.
    pub queue_url: String,
    /// The error chain of SQS and the SDK, without data of the request.
    pub cause: String,
}
