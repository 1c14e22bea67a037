//! The result of an invocation.

use axum::body::Bytes;
use serde_json::json;

/// The function's response, or the reason why there is none.
pub type InvocationResult = Result<Bytes, InvocationError>;

/// A failed invocation. Lambda reports it with the header `X-Amz-Function-Error`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {message}")]
pub struct InvocationError {
    /// Lambda's `errorType`: `Runtime.ExitError`, `Sandbox.Timedout`, or the function's own error type.
    pub kind: String,
    /// Lambda's `errorMessage`.
    pub message: String,
    /// The payload that a caller of `Invoke` gets.
    pub payload: Bytes,
}

impl InvocationError {
    pub(crate) fn new(kind: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        let payload = json!({ "errorType": kind, "errorMessage": message }).to_string().into();
        Self { kind: kind.to_owned(), message, payload }
    }

    /// An error that the function reported itself.
    pub(super) fn reported(payload: Bytes) -> Self {
        let report: serde_json::Value = serde_json::from_slice(&payload).unwrap_or_default();
        let text = |name: &str| report[name].as_str().unwrap_or_default().to_owned();
        Self { kind: text("errorType"), message: text("errorMessage"), payload }
    }
}
