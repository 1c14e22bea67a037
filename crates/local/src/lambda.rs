//! Lambda on this machine: runs the production binaries and hands them invocations through the Runtime API.
//!
//! Each execution environment is a child process. Environments are started when none is idle, used again while they live,
//! killed when an invocation takes too long, and replaced when they die: what the functions meet in production.

mod api;
mod environment;
mod function;
mod log;
mod process;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::body::Bytes;
use serde_json::json;

use crate::activity::Activity;
use crate::template;
use api::Registry;
use function::Function;

/// How many environments of a function run side by side at most; more invocations wait for one. A laptop is not a region.
pub(crate) const ENVIRONMENTS: usize = 4;

/// The most bytes an invocation's event, or its answer, may have.
pub(crate) const PAYLOAD_LIMIT: usize = 6 * 1024 * 1024;

/// Where the Runtime API listens.
type RuntimeApi = SocketAddr;

/// What an invocation came to.
pub type Outcome = Result<Bytes, Failure>;

/// Why an invocation has no result: what `X-Amz-Function-Error` stands for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {message}")]
pub struct Failure {
    /// Lambda's `errorType`: `Runtime.ExitError`, `Sandbox.Timedout`, or what the function calls it.
    pub kind: String,
    /// Lambda's `errorMessage`.
    pub message: String,
    /// The answer that a caller of `Invoke` sees.
    pub payload: Bytes,
}

impl Failure {
    pub(crate) fn new(kind: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        let payload = json!({ "errorType": kind, "errorMessage": message }).to_string().into();
        Self { kind: kind.to_owned(), message, payload }
    }

    /// What a function reported itself.
    fn reported(payload: Bytes) -> Self {
        let report: serde_json::Value = serde_json::from_slice(&payload).unwrap_or_default();
        let text = |name: &str| report[name].as_str().unwrap_or_default().to_owned();
        Self { kind: text("errorType"), message: text("errorMessage"), payload }
    }
}

/// What every function process is told beside its own variables.
#[derive(Debug, Clone)]
pub(crate) struct Surroundings {
    /// Where the function binaries are.
    pub(crate) binaries: PathBuf,
    pub(crate) region: String,
    /// Variables of the stack: endpoints and the clock.
    pub(crate) variables: BTreeMap<String, String>,
}

/// All functions of the stack.
pub(crate) struct Lambda {
    functions: BTreeMap<String, Arc<Function>>,
    readers: log::Readers,
}

/// There is no function of this name or ARN.
#[derive(Debug, thiserror::Error)]
#[error("no function {0}")]
pub struct NoSuchFunction(pub String);

impl Lambda {
    /// Serves the Runtime API on a free port; processes are started when they are first needed.
    pub(crate) async fn start(
        functions: &[template::Function],
        surroundings: Surroundings,
        activity: &Activity,
    ) -> std::io::Result<Self> {
        let registry = Registry::default();
        let (address, server) = api::serve(registry.clone()).await?;
        let server = Arc::new(server);
        let surroundings = Arc::new(surroundings);
        let readers = log::Readers::default();
        let functions = functions.iter().map(|definition| {
            let place = function::Place {
                surroundings: surroundings.clone(),
                registry: registry.clone(),
                runtime_api: address,
                activity: activity.clone(),
                readers: readers.clone(),
                server: server.clone(),
            };
            (definition.name.clone(), Arc::new(Function::new(definition.clone(), place)))
        });
        Ok(Self { functions: functions.collect(), readers })
    }

    /// Tells `reader` of every line that a function writes from now on, with the function's name.
    pub(crate) fn read_along(&self, reader: impl Fn(&str, &str) + Send + Sync + 'static) {
        self.readers.add(reader);
    }

    /// Runs the function called `name`, or of this ARN, to its end. It runs to its end even if the caller does not wait.
    pub(crate) async fn invoke(&self, name: &str, payload: Bytes) -> Result<Outcome, NoSuchFunction> {
        Ok(self.function(name)?.clone().invoke(payload).await)
    }

    /// The processes of a function that live.
    pub(crate) fn pids(&self, name: &str) -> Result<Vec<u32>, NoSuchFunction> {
        Ok(self.function(name)?.pids())
    }

    /// Kills the processes of a function; resolves when they are gone.
    pub(crate) async fn kill(&self, name: &str) -> Result<usize, NoSuchFunction> {
        Ok(self.function(name)?.kill().await)
    }

    /// Kills the process of one environment, told by the beginning of its id; resolves when it is gone.
    pub(crate) async fn kill_environment(&self, name: &str, id: &str) -> Result<(), NoSuchFunction> {
        self.function(name)?.kill_environment(id).await;
        Ok(())
    }

    /// Kills every process and starts no other; resolves when they are gone.
    pub(crate) async fn stop(&self) {
        for function in self.functions.values() {
            function.stop();
        }
        for function in self.functions.values() {
            function.kill().await;
        }
    }

    /// As [`Lambda::stop`], for where nothing can be awaited.
    pub(crate) fn abandon(&self) {
        for function in self.functions.values() {
            function.abandon();
        }
    }

    fn function(&self, name: &str) -> Result<&Arc<Function>, NoSuchFunction> {
        let short = name.rsplit(":function:").next().unwrap_or(name);
        self.functions.get(short).ok_or_else(|| NoSuchFunction(name.to_owned()))
    }
}
