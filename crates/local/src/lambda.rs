//! Lambda on this machine: runs the production binaries and invokes them through the Runtime API.
//!
//! Each execution environment is a child process. As in production, an environment is started when none is idle, reused
//! while it runs, killed when an invocation exceeds its time-out, and replaced when it exits.

mod api;
mod environment;
mod function;
mod invocation;
mod log;
mod process;
mod settings;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;

use crate::activity::Activity;
use crate::template;
use api::Registry;
use function::Function;
pub use invocation::{InvocationError, InvocationResult};
pub(crate) use settings::{MAX_ENVIRONMENTS, MAX_PAYLOAD_BYTES, ProcessSettings};

/// All functions of the stack.
pub(crate) struct Lambda {
    functions: BTreeMap<String, Arc<Function>>,
    log_listener: log::LogListener,
}

/// No function has this name or ARN.
#[derive(Debug, thiserror::Error)]
#[error("no function {0}")]
pub struct NoSuchFunction(pub String);

impl Lambda {
    /// Starts the Runtime API on a free port. Processes start when they are first needed.
    pub(crate) async fn start(
        functions: &[template::Function],
        settings: ProcessSettings,
        activity: &Activity,
    ) -> std::io::Result<Self> {
        let registry = Registry::default();
        let (address, server) = api::serve(registry.clone()).await?;
        let server = Arc::new(server);
        let settings = Arc::new(settings);
        let log_listener = log::LogListener::default();
        let functions = functions.iter().map(|definition| {
            let shared = function::Shared {
                settings: settings.clone(),
                registry: registry.clone(),
                runtime_api: address,
                activity: activity.clone(),
                log_listener: log_listener.clone(),
                server: server.clone(),
            };
            (definition.name.clone(), Arc::new(Function::new(definition.clone(), shared)))
        });
        Ok(Self { functions: functions.collect(), log_listener })
    }

    /// Calls `listener` with the function's name and the line for every line that a function writes from now on.
    pub(crate) fn on_log_line(&self, listener: impl Fn(&str, &str) + Send + Sync + 'static) {
        self.log_listener.set(listener);
    }

    /// Invokes a function by its name or ARN. The invocation continues even if the caller stops waiting.
    pub(crate) async fn invoke(&self, name: &str, payload: Bytes) -> Result<InvocationResult, NoSuchFunction> {
        Ok(self.function(name)?.clone().invoke(payload).await)
    }

    /// The process ids of a function's running environments.
    pub(crate) fn pids(&self, name: &str) -> Result<Vec<u32>, NoSuchFunction> {
        Ok(self.function(name)?.pids())
    }

    /// Kills the processes of a function and returns their number when they have ended.
    pub(crate) async fn kill(&self, name: &str) -> Result<usize, NoSuchFunction> {
        Ok(self.function(name)?.kill().await)
    }

    /// Kills the process of the environment whose id starts with `id`. Resolves when it has ended.
    pub(crate) async fn kill_environment(&self, name: &str, id: &str) -> Result<(), NoSuchFunction> {
        self.function(name)?.kill_environment(id).await;
        Ok(())
    }

    /// Kills every process and starts no more. Resolves when all have ended.
    pub(crate) async fn stop(&self) {
        for function in self.functions.values() {
            function.stop();
        }
        for function in self.functions.values() {
            function.kill().await;
        }
    }

    /// Like [`Lambda::stop`], without waiting: for `drop`, which cannot await.
    pub(crate) fn stop_now(&self) {
        for function in self.functions.values() {
            function.stop_now();
        }
    }

    fn function(&self, name: &str) -> Result<&Arc<Function>, NoSuchFunction> {
        let short = name.rsplit(":function:").next().unwrap_or(name);
        self.functions.get(short).ok_or_else(|| NoSuchFunction(name.to_owned()))
    }
}
