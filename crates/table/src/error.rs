//! What can go wrong at the table.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use domain::FlowName;

/// A call to the table that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// DynamoDB refused or could not be reached, after the SDK's own retries.
    #[error("{operation} failed: {cause}")]
    Call {
        /// The DynamoDB operation.
        operation: &'static str,
        /// What DynamoDB or the way to it said.
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
    /// An item does not read as what this release or the next one writes.
    #[error("what is stored of {what} {id} cannot be read: {cause}")]
    Unreadable {
        /// What it is about: `interchange`, `flow`, `job` or `item`.
        what: &'static str,
        /// Which.
        id: String,
        /// Whose it is, where that can be told all the same: of an interchange by its place in the index.
        flow: Option<FlowName>,
        /// Its sort key, and what is wrong.
        cause: String,
    },
    /// A change that DynamoDB will never take.
    #[error("interchange {id} cannot be stored: {cause}")]
    Unstorable {
        id: String,
        /// What DynamoDB said.
        cause: String,
    },
}

impl TableError {
    pub(crate) fn call<E, R>(operation: &'static str) -> impl FnOnce(SdkError<E, R>) -> Self
    where
        E: std::error::Error + ProvideErrorMetadata + 'static,
        R: std::fmt::Debug,
    {
        move |error| Self::Call { operation, cause: aws_cause::cause(&error) }
    }
}
