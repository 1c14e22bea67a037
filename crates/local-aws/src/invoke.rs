//! The interface to a runner of functions. This crate runs no functions: the user of the endpoint provides an
//! implementation of `Invoke`. So the local stack can start real processes, and a test can just record the calls.

use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;

use crate::faults::Caller;

/// Runs Lambda functions on behalf of the Scheduler.
#[async_trait]
pub trait Invoke: Send + Sync {
    /// Runs the function and returns its response.
    ///
    /// # Errors
    /// Any error is a failed delivery. The schedule's retry policy then applies.
    async fn invoke(&self, function_arn: &str, payload: Vec<u8>) -> Result<Vec<u8>, InvokeError>;

    /// Waits until no event source has messages to deliver and no function runs. Batch windows end immediately during the wait.
    async fn settle(&self);

    /// Kills the process of an execution environment with `SIGKILL`, and returns when it has ended. Does nothing if there is
    /// no such environment, or if functions do not run as processes.
    async fn kill(&self, _caller: &Caller) {}
}

/// Holds the runner of functions, once [`crate::Aws::set_invoker`] was called.
#[derive(Clone, Default)]
pub(crate) struct InvokerSlot(Arc<RwLock<Option<Arc<dyn Invoke>>>>);

impl InvokerSlot {
    pub(crate) fn get(&self) -> Option<Arc<dyn Invoke>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set(&self, invoker: Arc<dyn Invoke>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(invoker);
    }
}

/// The reason why a function returned no response.
#[derive(Debug, Clone, thiserror::Error)]
pub enum InvokeError {
    /// The function ran and failed: an exception, a time-out, or a process that died.
    #[error("function {function} failed: {message}")]
    Failed {
        /// Name or ARN of the function.
        function: String,
        /// The error that the function reported.
        message: String,
    },
    /// The function has reached its concurrency limit.
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
    /// The error code of AWS, as in `ERROR_CODE` of a dead letter.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Failed { .. } => "FunctionError",
            Self::Throttled { .. } => "TooManyRequestsException",
            Self::NotFound { .. } => "ResourceNotFoundException",
        }
    }
}
