//! How a schedule reaches a function. This crate runs no functions: whoever starts the endpoint hands in something that
//! does, so the same Scheduler serves the whole local stack and a test that only notes what was called.

use async_trait::async_trait;

use crate::faults::Caller;

/// Runs Lambda functions on behalf of the Scheduler.
#[async_trait]
pub trait Invoke: Send + Sync {
    /// Runs the function and gives what it answered.
    ///
    /// # Errors
    /// Any error counts as a failed delivery, and the schedule's retry policy decides what comes next.
    async fn invoke(&self, function_arn: &str, payload: Vec<u8>) -> Result<Vec<u8>, InvokeError>;

    /// Waits until no event source has anything to deliver and no function runs. Batch windows end at once meanwhile.
    async fn settle(&self);

    /// Kills the process of an execution environment with `SIGKILL`, in the middle of what it does; resolves when it is gone.
    /// Does nothing when there is no such environment, or where functions are no processes.
    async fn kill(&self, _caller: &Caller) {}
}

/// Why a function gave no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum InvokeError {
    /// The function ran and failed: an exception, a time-out, or a process that died.
    #[error("function {function} failed: {message}")]
    Failed {
        /// Name or ARN of the function.
        function: String,
        /// What the function reported.
        message: String,
    },
    /// The function has no free place now.
    #[error("function {function} is throttled")]
    Throttled {
        /// Name or ARN of the function.
        function: String,
    },
    /// There is no such function.
    #[error("function {function} does not exist")]
    NotFound {
        /// Name or ARN of the function.
        function: String,
    },
}

impl InvokeError {
    /// The code AWS uses for it, as it appears on a dead letter.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Failed { .. } => "FunctionError",
            Self::Throttled { .. } => "TooManyRequestsException",
            Self::NotFound { .. } => "ResourceNotFoundException",
        }
    }
}
