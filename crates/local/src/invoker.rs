//! How the Scheduler reaches the functions.

use std::sync::Weak;

use async_trait::async_trait;
use local_aws::{Caller, Invoke, InvokeError};

use crate::lambda::NoSuchFunction;
use crate::stack::Inner;

/// What the Scheduler calls. It holds the stack weakly: the stack holds the endpoint, and that the Scheduler.
pub(crate) struct Invoker(pub(crate) Weak<Inner>);

#[async_trait]
impl Invoke for Invoker {
    async fn invoke(&self, function_arn: &str, payload: Vec<u8>) -> Result<Vec<u8>, InvokeError> {
        let function = function_arn.to_owned();
        let Some(stack) = self.0.upgrade() else { return Err(InvokeError::NotFound { function }) };
        match stack.lambda.invoke(function_arn, payload.into()).await {
            Ok(Ok(answer)) => Ok(answer.into()),
            Ok(Err(failure)) => Err(InvokeError::Failed { function, message: failure.to_string() }),
            Err(NoSuchFunction(function)) => Err(InvokeError::NotFound { function }),
        }
    }

    async fn settle(&self) {
        if let Some(stack) = self.0.upgrade() {
            stack.settle().await;
        }
    }

    async fn kill(&self, caller: &Caller) {
        let Some(stack) = self.0.upgrade() else { return };
        if let Err(error) = stack.lambda.kill_environment(&caller.function, &caller.environment).await {
            tracing::warn!(%error, "there is nobody to kill");
        }
    }
}
