//! The running parts of a stack that both the stack and the Scheduler call.

use std::sync::Arc;

use local_aws::Aws;

use crate::consumers::{ExternalConsumers, WaitResult};
use crate::lambda::Lambda;
use crate::sources::Sources;

/// The AWS endpoint, the functions and their event sources.
pub(crate) struct Services {
    pub(crate) aws: Aws,
    pub(crate) lambda: Arc<Lambda>,
    pub(crate) sources: Sources,
    pub(crate) consumers: ExternalConsumers,
}

impl Services {
    /// Resolves when every event source is drained, nothing runs, and the external consumers are done.
    pub(crate) async fn settle(&self) {
        loop {
            self.sources.settle().await;
            match self.consumers.wait_until_done(self.aws.sqs()).await {
                WaitResult::DidNotWait => return,
                WaitResult::Waited => {}
            }
        }
    }
}
