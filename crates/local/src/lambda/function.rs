//! One function and its execution environments.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::api::{Registry, Server};
use super::environment::Environment;
use super::invocation::{InvocationError, InvocationResult};
use super::log::LogListener;
use super::process;
use super::settings::{MAX_ENVIRONMENTS, ProcessSettings};
use crate::activity::Activity;
use crate::template;

/// The parts that all functions of a stack share.
pub(super) struct Shared {
    pub(super) settings: Arc<ProcessSettings>,
    pub(super) registry: Registry,
    /// The address of the Runtime API.
    pub(super) runtime_api: SocketAddr,
    pub(super) activity: Activity,
    pub(super) log_listener: LogListener,
    /// Keeps the Runtime API running while a function exists.
    #[expect(dead_code, reason = "held for its drop")]
    pub(super) server: Arc<Server>,
}

pub(super) struct Function {
    definition: template::Function,
    shared: Shared,
    /// One permit for each environment that may run.
    permits: Semaphore,
    environments: Mutex<Vec<Running>>,
    /// The tasks that wait for the processes to end.
    watchers: Mutex<JoinSet<()>>,
    stopped: AtomicBool,
}

/// An environment whose process was started.
struct Running {
    environment: Arc<Environment>,
    pid: u32,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    Busy,
}

impl Function {
    pub(super) fn new(definition: template::Function, shared: Shared) -> Self {
        let environments = definition.reserved_concurrency.unwrap_or(MAX_ENVIRONMENTS).clamp(1, MAX_ENVIRONMENTS);
        Self {
            definition,
            shared,
            permits: Semaphore::new(environments),
            environments: Mutex::default(),
            watchers: Mutex::default(),
            stopped: AtomicBool::new(false),
        }
    }

    /// Runs one invocation. If every environment is busy, it waits its turn.
    pub(super) async fn invoke(self: Arc<Self>, payload: Bytes) -> InvocationResult {
        let activity = self.shared.activity.begin();
        activity.found_work();
        // Runs in its own task, so that the invocation finishes and releases its environment even if the caller goes away.
        let invocation = tokio::spawn(async move {
            let result = self.run(payload).await;
            if let Err(error) = &result {
                tracing::warn!(function = self.definition.name, "{error}");
            }
            drop(activity);
            result
        });
        invocation.await.unwrap_or_else(|_| Err(stack_stopped()))
    }

    async fn run(&self, payload: Bytes) -> InvocationResult {
        let _permit = self.permits.acquire().await.map_err(|_| stack_stopped())?;
        let environment = match self.take_idle() {
            Some(environment) => environment,
            None => self.start()?,
        };
        let result = environment.invoke(payload, self.definition.timeout).await;
        self.release(&environment);
        result
    }

    /// The idle environment that was used last. Environments that a burst started are then no longer used.
    fn take_idle(&self) -> Option<Arc<Environment>> {
        let mut environments = self.environments();
        environments.retain(|running| running.environment.is_alive());
        let idle = environments.iter().rposition(|running| running.state == State::Idle)?;
        let mut running = environments.remove(idle);
        running.state = State::Busy;
        let environment = running.environment.clone();
        environments.push(running);
        Some(environment)
    }

    fn release(&self, environment: &Arc<Environment>) {
        let mut environments = self.environments();
        environments.retain(|running| running.environment.is_alive());
        if let Some(running) = environments.iter_mut().find(|running| Arc::ptr_eq(&running.environment, environment)) {
            running.state = State::Idle;
        }
    }

    fn start(&self) -> Result<Arc<Environment>, InvocationError> {
        let Shared { settings, registry, runtime_api, .. } = &self.shared;
        let environment = Arc::new(Environment::new(self.definition.arn.clone()));
        registry.add(&environment);
        // `stop_now` takes the same lock, so no process starts after it.
        let mut watchers = self.watchers.lock().unwrap_or_else(PoisonError::into_inner);
        if self.stopped.load(Ordering::SeqCst) {
            return Err(stack_stopped());
        }
        let child = process::start(&self.definition, &environment, settings, *runtime_api).map_err(|error| {
            let binary = settings.binaries.join(&self.definition.binary);
            InvocationError::new("Runtime.InvalidEntrypoint", format!("{} cannot be run: {error}", binary.display()))
        })?;
        let pid = child.id().unwrap_or_default();
        while watchers.try_join_next().is_some() {}
        let listener = self.shared.log_listener.clone();
        watchers.spawn(process::watch(child, self.definition.name.clone(), environment.clone(), listener));
        self.environments().push(Running { environment: environment.clone(), pid, state: State::Busy });
        Ok(environment)
    }

    pub(super) fn pids(&self) -> Vec<u32> {
        self.environments().iter().filter(|running| running.environment.is_alive()).map(|running| running.pid).collect()
    }

    /// Kills all processes of the function and returns their number when they have ended.
    pub(super) async fn kill(&self) -> usize {
        let environments: Vec<_> = self.environments().iter().map(|running| running.environment.clone()).collect();
        let alive: Vec<_> = environments.into_iter().filter(|environment| environment.is_alive()).collect();
        for environment in &alive {
            environment.kill().await;
        }
        alive.len()
    }

    /// Kills the process of the environment whose id starts with `id`, if it runs. Resolves when it has ended.
    pub(super) async fn kill_environment(&self, id: &str) {
        let found =
            self.environments().iter().map(|running| &running.environment).find(|it| it.id.starts_with(id)).cloned();
        if let Some(environment) = found.filter(|environment| environment.is_alive()) {
            environment.kill().await;
        }
    }

    /// Starts no process from now on.
    pub(super) fn stop(&self) {
        self.permits.close();
        let _watchers = self.watchers.lock().unwrap_or_else(PoisonError::into_inner);
        self.stopped.store(true, Ordering::SeqCst);
    }

    /// Stops, and drops every child process, which kills it.
    pub(super) fn stop_now(&self) {
        self.stop();
        self.watchers.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }

    fn environments(&self) -> MutexGuard<'_, Vec<Running>> {
        self.environments.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn stack_stopped() -> InvocationError {
    InvocationError::new("ServiceException", "the stack has stopped")
}
