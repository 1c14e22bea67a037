//! One transaction with its reasons read: which parts failed their condition, which met another transaction.

use std::time::Duration;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem, Update};

use crate::{Table, TableError};

const OPERATION: &str = "TransactWriteItems";

/// Tries of a transaction that meets others or finds no capacity, before its caller is told.
const TRIES: u32 = 8;

/// What became of a transaction.
#[derive(Debug)]
pub(crate) enum Transacted {
    /// All of it is written.
    Done,
    /// Nothing is written; these actions (by position) failed their conditions.
    ConditionsFailed(Vec<usize>),
    /// Nothing is written; this action is one that DynamoDB never takes, and why. `usize::MAX` where it does not say
    /// which one it is.
    Refused(usize, String),
}

/// Builds the actions of one transaction.
#[derive(Debug, Clone, Default)]
pub(crate) struct Actions(pub(crate) Vec<TransactWriteItem>);

impl Actions {
    pub(crate) fn put(&mut self, put: Put) {
        self.0.push(TransactWriteItem::builder().put(put).build());
    }

    pub(crate) fn update(&mut self, update: Update) {
        self.0.push(TransactWriteItem::builder().update(update).build());
    }

    pub(crate) fn delete(&mut self, delete: Delete) {
        self.0.push(TransactWriteItem::builder().delete(delete).build());
    }
}

impl Table {
    /// Runs a transaction. Conflicts with other transactions and lack of capacity are waited out with a growing,
    /// random pause; nothing else is tried again.
    pub(crate) async fn transact(&self, actions: Actions) -> Result<Transacted, TableError> {
        for attempt in 0..TRIES {
            let call = self.client.transact_write_items().set_transact_items(Some(actions.0.clone()));
            match call.send().await {
                Ok(_) => return Ok(Transacted::Done),
                Err(error) => match verdict(&error) {
                    Some(decided) => return Ok(decided),
                    None if is_contention(&error) => pause(attempt).await,
                    None => {
                        return Err(TableError::Call { operation: OPERATION, cause: aws_cause::cause(&error) });
                    }
                },
            }
        }
        Err(TableError::Contended { operation: OPERATION, tries: TRIES })
    }
}

type Failed = SdkError<TransactWriteItemsError>;

fn reasons(error: &Failed) -> Vec<(String, String)> {
    match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => cancelled
            .cancellation_reasons()
            .iter()
            .map(|r| (r.code().unwrap_or("None").to_owned(), r.message().unwrap_or_default().to_owned()))
            .collect(),
        _ => Vec::new(),
    }
}

fn verdict(error: &Failed) -> Option<Transacted> {
    let reasons = reasons(error);
    let at = |wanted: &str| -> Vec<usize> {
        reasons.iter().enumerate().filter(|(_, (code, _))| code == wanted).map(|(i, _)| i).collect()
    };
    let failed = at("ConditionalCheckFailed");
    if !failed.is_empty() {
        return Some(Transacted::ConditionsFailed(failed));
    }
    let refused = reasons
        .iter()
        .enumerate()
        .find(|(_, (code, _))| code == "ValidationError" || code == "ItemCollectionSizeLimitExceeded")
        .map(|(i, (_, message))| (i, message.clone()));
    let (refused, why) = refused.or_else(|| refused_whole(error))?;
    Some(Transacted::Refused(refused, why))
}

/// An item over 400 KB is told of the whole call, without the action that has it.
fn refused_whole(error: &Failed) -> Option<(usize, String)> {
    let service = error.as_service_error().filter(|service| service.code() == Some("ValidationException"))?;
    Some((usize::MAX, service.message().unwrap_or_default().to_owned()))
}

fn is_contention(error: &Failed) -> bool {
    if !reasons(error).is_empty() {
        return true;
    }
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code).unwrap_or_default();
    matches!(code, "TransactionInProgressException" | "ThrottlingException" | "ProvisionedThroughputExceededException")
}

/// Waits before trying again what found no capacity or met another: 20 ms doubling to at most 1 s, of which a
/// random half is left out so that those who met do not meet again.
pub(crate) async fn pause(attempt: u32) {
    let most = (20u64 << attempt.min(6)).min(1000);
    let share = u64::from(uuid::Uuid::new_v4().as_bytes()[0]);
    tokio::time::sleep(Duration::from_millis(most / 2 + most * share / 512)).await;
}
