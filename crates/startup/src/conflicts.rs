//! Retries a single write that conflicts with a transaction on its item. The SDK does not retry this error by default.

use aws_sdk_dynamodb::config::interceptors::InterceptorContext;
use aws_sdk_dynamodb::config::retry::{ClassifyRetry, RetryAction};

/// The error of a single write, as it appears in the response. A transaction that conflicts with another transaction gets
/// `TransactionCanceledException` instead; the `table` crate handles that.
const CONFLICT: &[u8] = b"#TransactionConflictException\"";

/// Classifies a conflict with a transaction as a transient error.
#[derive(Debug)]
pub(crate) struct RetryConflicts;

impl ClassifyRetry for RetryConflicts {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let is_error = context.output_or_error().is_some_and(|result| result.is_err());
        let body = context.response().and_then(|response| response.body().bytes()).unwrap_or_default();
        if is_error && body.windows(CONFLICT.len()).any(|part| part == CONFLICT) {
            return RetryAction::transient_error();
        }
        RetryAction::NoActionIndicated
    }

    fn name(&self) -> &'static str {
        "retry conflicts"
    }
}
