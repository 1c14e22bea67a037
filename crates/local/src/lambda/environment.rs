//! One execution environment: its current invocation and the state of its process.
//!
//! The function submits an invocation, the process takes it through the Runtime API and responds. A time-out or the end of
//! the process completes the invocation too. Only the first of these completes it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::Bytes;
use tokio::sync::{Notify, oneshot, watch};
use uuid::Uuid;

use super::invocation::{InvocationError, InvocationResult};

/// How long a process may take to ask for its first invocation. Lambda has the same limit.
const MAX_INIT_TIME: Duration = Duration::from_secs(10);

/// An execution environment. The function and the Runtime API share it.
pub(super) struct Environment {
    /// The path segment of its process in the Runtime API.
    pub(super) id: String,
    pub(super) arn: String,
    state: Mutex<State>,
    work: Notify,
    kill: Notify,
    process: watch::Sender<ProcessState>,
}

#[derive(Default)]
struct State {
    pending: Option<Invocation>,
    current: Option<PendingResponse>,
    /// The report of the process about a failed start.
    init_error: Option<Bytes>,
}

/// An invocation that the process has not taken yet.
pub(super) struct Invocation {
    pub(super) request_id: String,
    pub(super) payload: Bytes,
    /// In Unix milliseconds of the real clock.
    pub(super) deadline: u128,
    response: PendingResponse,
}

/// Where the result of an invocation is sent.
struct PendingResponse {
    request_id: String,
    sender: oneshot::Sender<InvocationResult>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum ProcessState {
    Starting,
    /// The process has asked for an invocation at least once.
    Started,
    /// The process has ended, for this reason.
    Ended(String),
}

/// The process named an invocation that is not its current one.
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
            process: watch::Sender::new(ProcessState::Starting),
        }
    }

    /// Runs one invocation. The caller must not run another one in this environment at the same time.
    pub(super) async fn invoke(&self, payload: Bytes, timeout: Duration) -> InvocationResult {
        self.wait_started().await?;
        let request_id = Uuid::new_v4().to_string();
        let response = self.submit(request_id.clone(), payload, timeout);
        match tokio::time::timeout(timeout, response).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(self.exit_error(&request_id)),
            Err(_) => {
                self.kill().await;
                let message =
                    format!("RequestId: {request_id} Error: Task timed out after {:.2} seconds", timeout.as_secs_f64());
                Err(InvocationError::new("Sandbox.Timedout", message))
            }
        }
    }

    async fn wait_started(&self) -> Result<(), InvocationError> {
        let mut process = self.process.subscribe();
        let started = async { process.wait_for(|state| *state != ProcessState::Starting).await.is_ok() };
        match tokio::time::timeout(MAX_INIT_TIME, started).await {
            Ok(_) if self.is_alive() => Ok(()),
            Ok(_) => match self.state().init_error.take() {
                Some(report) => Err(InvocationError::reported(report)),
                None => Err(self.exit_error("init")),
            },
            Err(_) => {
                self.kill().await;
                Err(InvocationError::new(
                    "Sandbox.Timedout",
                    format!("init took more than {} seconds", MAX_INIT_TIME.as_secs()),
                ))
            }
        }
    }

    fn submit(&self, request_id: String, payload: Bytes, timeout: Duration) -> oneshot::Receiver<InvocationResult> {
        let (sender, receiver) = oneshot::channel();
        let deadline = SystemTime::now() + timeout;
        let deadline = deadline.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let response = PendingResponse { request_id: request_id.clone(), sender };
        let mut state = self.state();
        // `process_ended` sets the state and then takes the same lock, so it sees every invocation that is submitted here.
        if self.is_alive() {
            state.pending = Some(Invocation { request_id, payload, deadline, response });
            self.work.notify_one();
        }
        receiver
    }

    /// Waits for the next invocation and gives it to the process: request id, payload and deadline.
    pub(super) async fn next(&self) -> (String, Bytes, u128) {
        self.process.send_if_modified(|state| {
            let first = *state == ProcessState::Starting;
            if first {
                *state = ProcessState::Started;
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
        let Invocation { request_id, payload, deadline, response } = state.pending.take()?;
        state.current = Some(response);
        Some((request_id, payload, deadline))
    }

    /// Completes the current invocation with the result that the process reported.
    pub(super) fn complete(&self, request_id: &str, result: InvocationResult) -> Result<(), UnknownRequest> {
        let current = self.state().current.take_if(|current| current.request_id == request_id);
        // The receiver is gone if the time-out came first. The process is being killed then.
        let _ = current.ok_or(UnknownRequest)?.sender.send(result);
        Ok(())
    }

    /// Stores the reason why the process could not start. The process exits next.
    pub(super) fn init_failed(&self, report: Bytes) {
        self.state().init_error = Some(report);
    }

    pub(super) fn is_alive(&self) -> bool {
        !matches!(*self.process.borrow(), ProcessState::Ended(_))
    }

    /// Kills the process. Resolves when it has ended.
    pub(super) async fn kill(&self) {
        self.kill.notify_one();
        let mut process = self.process.subscribe();
        let _ = process.wait_for(|state| matches!(state, ProcessState::Ended(_))).await;
    }

    /// Resolves when [`Self::kill`] is called.
    pub(super) async fn kill_requested(&self) {
        self.kill.notified().await;
    }

    /// Records that the process has ended, and fails the invocation that it has not completed.
    pub(super) fn process_ended(&self, reason: String) {
        self.process.send_replace(ProcessState::Ended(reason));
        let mut state = self.state();
        state.pending = None;
        state.current = None;
    }

    fn exit_error(&self, request_id: &str) -> InvocationError {
        let reason = match &*self.process.borrow() {
            ProcessState::Ended(reason) => reason.clone(),
            ProcessState::Starting | ProcessState::Started => "unknown".to_owned(),
        };
        InvocationError::new(
            "Runtime.ExitError",
            format!("RequestId: {request_id} Error: Runtime exited with error: {reason}"),
        )
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
