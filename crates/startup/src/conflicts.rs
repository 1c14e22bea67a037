//! A single write that meets a transaction on its item is tried again: DynamoDB leaves that to its callers.

use aws_sdk_dynamodb::config::interceptors::InterceptorContext;
use aws_sdk_dynamodb::config::retry::{ClassifyRetry, RetryAction};

/// The error of a single write, as it stands in the answer. A transaction that meets another one is cancelled instead,
/// and the table's code sees to that.
const CONFLICT: &[u8] = b"#TransactionConflictException\"";

/// Takes a conflict with a transaction as an error that passes.
#[derive(Debug)]
pub(crate) struct ConflictsPass;

impl ClassifyRetry for ConflictsPass {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let is_error = context.output_or_error().is_some_and(|result| result.is_err());
        let body = context.response().and_then(|response| response.body().bytes()).unwrap_or_default();
        if is_error && body.windows(CONFLICT.len()).any(|part| part == CONFLICT) {
            return RetryAction::transient_error();
        }
        RetryAction::NoActionIndicated
    }

    fn name(&self) -> &'static str {
        "conflicts pass"
    }
}
