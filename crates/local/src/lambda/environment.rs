//! One execution environment: what its process has been handed and what it answered.
//!
//! Three parties meet here. The function hands in an invocation; the process, through the Runtime API, takes it and
//! answers; the process's end answers for it when it cannot. Whoever comes first settles the invocation, once.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::Bytes;
use tokio::sync::{Notify, oneshot, watch};
use uuid::Uuid;

use super::{Failure, Outcome};

/// How long a process may take to ask for its first invocation, as Lambda allows.
const INIT_LIMIT: Duration = Duration::from_secs(10);

/// An execution environment, seen from both sides of the Runtime API.
pub(super) struct Environment {
    /// The path segment its process speaks to the Runtime API under.
    pub(super) id: String,
    pub(super) arn: String,
    state: Mutex<State>,
    work: Notify,
    kill: Notify,
    stage: watch::Sender<Stage>,
}

#[derive(Default)]
struct State {
    pending: Option<Invocation>,
    current: Option<Answer>,
    /// What the process said about why it could not start.
    init_error: Option<Bytes>,
}

/// An invocation as the process gets it.
pub(super) struct Invocation {
    pub(super) request_id: String,
    pub(super) payload: Bytes,
    /// In Unix milliseconds of the real clock.
    pub(super) deadline: u128,
    answer: Answer,
}

struct Answer {
    request_id: String,
    sender: oneshot::Sender<Outcome>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Stage {
    Starting,
    /// Has asked for an invocation at least once.
    Started,
    /// Its process is gone, for this reason.
    Ended(String),
}

/// What the process says belongs to no invocation it has.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct UnknownRequest;

impl Environment {
    pub(super) fn new(arn: String) -> Self {
        Self {
            id: Uuid::new_v4().simple().to_string(),
            arn,
            state: Mutex::default(),
            work: Notify::new(),
            kill: Notify::new(),
            stage: watch::Sender::new(Stage::Starting),
        }
    }

    /// Has the process handle one event. Only one invocation runs in an environment at a time.
    pub(super) async fn run(&self, payload: Bytes, timeout: Duration) -> Outcome {
        self.started().await?;
        let request_id = Uuid::new_v4().to_string();
        let answer = self.hand_in(request_id.clone(), payload, timeout);
        match tokio::time::timeout(timeout, answer).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(self.exit_failure(&request_id)),
            Err(_) => {
                self.end().await;
                let message =
                    format!("RequestId: {request_id} Error: Task timed out after {:.2} seconds", timeout.as_secs_f64());
                Err(Failure::new("Sandbox.Timedout", message))
            }
        }
    }

    async fn started(&self) -> Result<(), Failure> {
        let mut stage = self.stage.subscribe();
        let started = async { stage.wait_for(|stage| *stage != Stage::Starting).await.is_ok() };
        match tokio::time::timeout(INIT_LIMIT, started).await {
            Ok(_) if self.is_alive() => Ok(()),
            Ok(_) => match self.state().init_error.take() {
                Some(report) => Err(Failure::reported(report)),
                None => Err(self.exit_failure("init")),
            },
            Err(_) => {
                self.end().await;
                Err(Failure::new("Sandbox.Timedout", format!("init took more than {} seconds", INIT_LIMIT.as_secs())))
            }
        }
    }

    fn hand_in(&self, request_id: String, payload: Bytes, timeout: Duration) -> oneshot::Receiver<Outcome> {
        let (sender, receiver) = oneshot::channel();
        let deadline = SystemTime::now() + timeout;
        let deadline = deadline.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let answer = Answer { request_id: request_id.clone(), sender };
        let mut state = self.state();
        // Looked at under the lock that `ended` takes after it changed the stage: an invocation is never left behind.
        if self.is_alive() {
            state.pending = Some(Invocation { request_id, payload, deadline, answer });
            self.work.notify_one();
        }
        receiver
    }

    /// The next invocation, when there is one: the process asks for it.
    pub(super) async fn next(&self) -> (String, Bytes, u128) {
        self.stage.send_if_modified(|stage| {
            let first = *stage == Stage::Starting;
            if first {
                *stage = Stage::Started;
            }
            first
        });
        loop {
            if let Some(invocation) = self.take_pending() {
                return invocation;
            }
            self.work.notified().await;
        }
    }

    fn take_pending(&self) -> Option<(String, Bytes, u128)> {
        let mut state = self.state();
        let Invocation { request_id, payload, deadline, answer } = state.pending.take()?;
        state.current = Some(answer);
        Some((request_id, payload, deadline))
    }

    /// The process has dealt with the invocation it was handed last.
    pub(super) fn answer(&self, request_id: &str, outcome: Outcome) -> Result<(), UnknownRequest> {
        let answer = self.state().current.take_if(|answer| answer.request_id == request_id).ok_or(UnknownRequest)?;
        // Nobody listens when the time-out came first; the process is about to be killed then.
        let _ = answer.sender.send(outcome);
        Ok(())
    }

    /// The process could not start, and says why before it exits.
    pub(super) fn init_failed(&self, report: Bytes) {
        self.state().init_error = Some(report);
    }

    pub(super) fn is_alive(&self) -> bool {
        !matches!(*self.stage.borrow(), Stage::Ended(_))
    }

    /// Kills the process; resolves when it is gone.
    pub(super) async fn end(&self) {
        self.kill.notify_one();
        let mut stage = self.stage.subscribe();
        let _ = stage.wait_for(|stage| matches!(stage, Stage::Ended(_))).await;
    }

    /// Resolves when the process is to be killed.
    pub(super) async fn to_be_killed(&self) {
        self.kill.notified().await;
    }

    /// The process is gone, for `reason`. What it had not answered has failed.
    pub(super) fn ended(&self, reason: String) {
        self.stage.send_replace(Stage::Ended(reason));
        let mut state = self.state();
        state.pending = None;
        state.current = None;
    }

    fn exit_failure(&self, request_id: &str) -> Failure {
        let reason = match &*self.stage.borrow() {
            Stage::Ended(reason) => reason.clone(),
            Stage::Starting | Stage::Started => "unknown".to_owned(),
        };
        Failure::new("Runtime.ExitError", format!("RequestId: {request_id} Error: Runtime exited with error: {reason}"))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
