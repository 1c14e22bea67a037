//! What can go wrong at the table.

use aws_sdk_dynamodb::error::{DisplayErrorContext, SdkError};
use aws_sdk_dynamodb::operation::RequestId;

/// A call to the table that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// DynamoDB refused or could not be reached, after the SDK's own retries.
    #[error("{operation} failed: {cause}")]
    Call {
        /// The DynamoDB operation.
        operation: &'static str,
        /// The whole chain as DynamoDB and the SDK tell it.
        cause: String,
    },
    /// DynamoDB kept refusing parts of a batch or transaction for lack of capacity or in conflict with others.
    #[error("{operation} was throttled or in conflict {tries} times")]
    Contended {
        /// The DynamoDB operation.
        operation: &'static str,
        /// How often it was tried.
        tries: u32,
    },
    /// An item does not read as what this version writes.
    #[error("item {key} cannot be read: {cause}")]
    Unreadable {
        /// Its keys.
        key: String,
        /// What is wrong.
        cause: String,
    },
    /// A change that DynamoDB will never take.
    #[error("interchange {id} cannot be stored: {cause}")]
    Unstorable {
        /// Whose.
        id: String,
        /// What DynamoDB said.
        cause: String,
    },
}

impl TableError {
    pub(crate) fn call<E, R>(operation: &'static str) -> impl FnOnce(SdkError<E, R>) -> Self
    where
        E: std::error::Error + 'static,
        R: std::fmt::Debug,
        SdkError<E, R>: std::error::Error + RequestId,
    {
        move |error| Self::Call { operation, cause: DisplayErrorContext(&error).to_string() }
    }
}
