//! One function and its execution environments.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::api::{Registry, Server};
use super::environment::Environment;
use super::log::Readers;
use super::{ENVIRONMENTS, Failure, Outcome, RuntimeApi, Surroundings, process};
use crate::activity::Activity;
use crate::template;

/// What all functions of a stack share.
pub(super) struct Place {
    pub(super) surroundings: Arc<Surroundings>,
    pub(super) registry: Registry,
    pub(super) runtime_api: RuntimeApi,
    pub(super) activity: Activity,
    pub(super) readers: Readers,
    /// Held so that the Runtime API is served for as long as a function is there.
    #[expect(dead_code, reason = "held for its drop")]
    pub(super) server: Arc<Server>,
}

pub(super) struct Function {
    definition: template::Function,
    place: Place,
    /// One permit for each environment there may be.
    permits: Semaphore,
    environments: Mutex<Vec<Running>>,
    watchers: Mutex<JoinSet<()>>,
    stopped: AtomicBool,
}

struct Running {
    environment: Arc<Environment>,
    pid: u32,
    use_: Use,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    Idle,
    Invoked,
}

impl Function {
    pub(super) fn new(definition: template::Function, place: Place) -> Self {
        let most = definition.reserved_concurrency.unwrap_or(ENVIRONMENTS).clamp(1, ENVIRONMENTS);
        Self {
            definition,
            place,
            permits: Semaphore::new(most),
            environments: Mutex::default(),
            watchers: Mutex::default(),
            stopped: AtomicBool::new(false),
        }
    }

    /// Runs one invocation, after those that came before it when every environment is taken.
    pub(super) async fn invoke(self: Arc<Self>, payload: Bytes) -> Outcome {
        let busy = self.place.activity.begin();
        busy.found_work();
        // In a task of its own: a caller that goes away must not leave an environment behind half way.
        let invocation = tokio::spawn(async move {
            let outcome = self.run(payload).await;
            if let Err(failure) = &outcome {
                tracing::warn!(function = self.definition.name, "{failure}");
            }
            drop(busy);
            outcome
        });
        invocation.await.unwrap_or_else(|_| Err(stopped()))
    }

    async fn run(&self, payload: Bytes) -> Outcome {
        let _permit = self.permits.acquire().await.map_err(|_| stopped())?;
        let environment = match self.take_idle() {
            Some(environment) => environment,
            None => self.start()?,
        };
        let outcome = environment.run(payload, self.definition.timeout).await;
        self.give_back(&environment);
        outcome
    }

    /// The environment that was used last, so that those of a burst fall out of use.
    fn take_idle(&self) -> Option<Arc<Environment>> {
        let mut environments = self.environments();
        environments.retain(|running| running.environment.is_alive());
        let idle = environments.iter().rposition(|running| running.use_ == Use::Idle)?;
        let mut running = environments.remove(idle);
        running.use_ = Use::Invoked;
        let environment = running.environment.clone();
        environments.push(running);
        Some(environment)
    }

    fn give_back(&self, environment: &Arc<Environment>) {
        let mut environments = self.environments();
        environments.retain(|running| running.environment.is_alive());
        if let Some(running) = environments.iter_mut().find(|running| Arc::ptr_eq(&running.environment, environment)) {
            running.use_ = Use::Idle;
        }
    }

    fn start(&self) -> Result<Arc<Environment>, Failure> {
        let Place { surroundings, registry, runtime_api, .. } = &self.place;
        let environment = Arc::new(Environment::new(self.definition.arn.clone()));
        registry.add(&environment);
        // Under the lock that `abandon` takes: no process starts behind its back.
        let mut watchers = self.watchers.lock().unwrap_or_else(PoisonError::into_inner);
        if self.stopped.load(Ordering::SeqCst) {
            return Err(stopped());
        }
        let child = process::start(&self.definition, &environment, surroundings, *runtime_api).map_err(|error| {
            let binary = surroundings.binaries.join(&self.definition.binary);
            Failure::new("Runtime.InvalidEntrypoint", format!("{} cannot be run: {error}", binary.display()))
        })?;
        let pid = child.id().unwrap_or_default();
        while watchers.try_join_next().is_some() {}
        let readers = self.place.readers.clone();
        watchers.spawn(process::watch(child, self.definition.name.clone(), environment.clone(), readers));
        self.environments().push(Running { environment: environment.clone(), pid, use_: Use::Invoked });
        Ok(environment)
    }

    pub(super) fn pids(&self) -> Vec<u32> {
        self.environments().iter().filter(|running| running.environment.is_alive()).map(|running| running.pid).collect()
    }

    /// Kills every process there is, and says how many.
    pub(super) async fn kill(&self) -> usize {
        let environments: Vec<_> = self.environments().iter().map(|running| running.environment.clone()).collect();
        let alive: Vec<_> = environments.into_iter().filter(|environment| environment.is_alive()).collect();
        for environment in &alive {
            environment.end().await;
        }
        alive.len()
    }

    /// Kills the process of the environment whose id begins so, if it lives; resolves when it is gone.
    pub(super) async fn kill_environment(&self, id: &str) {
        let found =
            self.environments().iter().map(|running| &running.environment).find(|it| it.id.starts_with(id)).cloned();
        if let Some(environment) = found.filter(|environment| environment.is_alive()) {
            environment.end().await;
        }
    }

    /// No process is started from now on.
    pub(super) fn stop(&self) {
        self.permits.close();
        let _watchers = self.watchers.lock().unwrap_or_else(PoisonError::into_inner);
        self.stopped.store(true, Ordering::SeqCst);
    }

    /// Stops, and lets go of every process, which kills it.
    pub(super) fn abandon(&self) {
        self.stop();
        self.watchers.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }

    fn environments(&self) -> MutexGuard<'_, Vec<Running>> {
        self.environments.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn stopped() -> Failure {
    Failure::new("ServiceException", "the stack has stopped")
}
