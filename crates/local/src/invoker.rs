//! Lets the Scheduler invoke functions.

use std::sync::Weak;

use async_trait::async_trait;
use local_aws::{Caller, Invoke, InvokeError};

use crate::lambda::NoSuchFunction;
use crate::services::Services;

/// The Scheduler's access to the services. The reference is weak, because the services own the endpoint and the endpoint
/// owns the Scheduler.
pub(crate) struct Invoker(pub(crate) Weak<Services>);

#[async_trait]
impl Invoke for Invoker {
    async fn invoke(&self, function_arn: &str, payload: Vec<u8>) -> Result<Vec<u8>, InvokeError> {
        let function = function_arn.to_owned();
        let Some(services) = self.0.upgrade() else { return Err(InvokeError::NotFound { function }) };
        match services.lambda.invoke(function_arn, payload.into()).await {
            Ok(Ok(response)) => Ok(response.into()),
            Ok(Err(error)) => Err(InvokeError::Failed { function, message: error.to_string() }),
            Err(NoSuchFunction(function)) => Err(InvokeError::NotFound { function }),
        }
    }

    async fn settle(&self) {
        if let Some(services) = self.0.upgrade() {
            services.settle().await;
        }
    }

    async fn kill(&self, caller: &Caller) {
        let Some(services) = self.0.upgrade() else { return };
        if let Err(error) = services.lambda.kill_environment(&caller.function, &caller.environment).await {
            tracing::warn!(%error, "the function to kill does not exist");
        }
    }
}
