//! The Lambda Runtime API, as function processes speak it.
//!
//! Lambda gives each execution environment an address of its own. Here all share one listener, and each has a path segment
//! of its own in front: `AWS_LAMBDA_RUNTIME_API=http://127.0.0.1:PORT/<environment>`. The Rust runtime keeps such a prefix
//! (and wants the scheme with it).

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use super::environment::{Environment, UnknownRequest};
use super::{Failure, Outcome, PAYLOAD_LIMIT};

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The environments that processes may speak for.
#[derive(Clone, Default)]
pub(super) struct Registry(Arc<Mutex<HashMap<String, Weak<Environment>>>>);

impl Registry {
    pub(super) fn add(&self, environment: &Arc<Environment>) {
        let mut environments = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        environments.retain(|_, environment| environment.strong_count() > 0);
        environments.insert(environment.id.clone(), Arc::downgrade(environment));
    }

    fn get(&self, id: &str) -> Result<Arc<Environment>, Refusal> {
        let environments = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        environments.get(id).and_then(Weak::upgrade).ok_or(Refusal::NoEnvironment)
    }
}

/// The server ends when this is dropped.
pub(super) struct Server(AbortHandle);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Serves on a free port of this machine.
pub(super) async fn serve(registry: Registry) -> std::io::Result<(SocketAddr, Server)> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let router = Router::new()
        .route("/{environment}/2018-06-01/runtime/invocation/next", get(next))
        .route("/{environment}/2018-06-01/runtime/invocation/{request}/response", post(response))
        .route("/{environment}/2018-06-01/runtime/invocation/{request}/error", post(error))
        .route("/{environment}/2018-06-01/runtime/init/error", post(init_error))
        .layer(DefaultBodyLimit::disable())
        .with_state(registry);
    let server = tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "the Runtime API has ended");
        }
    });
    Ok((address, Server(server.abort_handle())))
}

/// What the process asked for makes no sense.
#[derive(Debug)]
enum Refusal {
    NoEnvironment,
    UnknownRequest,
    TooLarge,
}

impl From<UnknownRequest> for Refusal {
    fn from(UnknownRequest: UnknownRequest) -> Self {
        Self::UnknownRequest
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, kind, message) = match self {
            Self::NoEnvironment => (StatusCode::FORBIDDEN, "NoSuchEnvironment", "this environment has ended"),
            Self::UnknownRequest => (StatusCode::BAD_REQUEST, "InvalidRequestID", "no invocation of this id is open"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", "the answer exceeds 6 MB"),
        };
        let body = json!({ "errorType": kind, "errorMessage": message }).to_string();
        (status, [(header::CONTENT_TYPE, JSON)], body).into_response()
    }
}

async fn next(State(registry): State<Registry>, Path(environment): Path<String>) -> Result<Response, Refusal> {
    let environment = registry.get(&environment)?;
    let (request_id, payload, deadline) = environment.next().await;
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("lambda-runtime-aws-request-id", request_id),
        ("lambda-runtime-deadline-ms", deadline.to_string()),
        ("lambda-runtime-invoked-function-arn", environment.arn.clone()),
        ("lambda-runtime-trace-id", format!("Root=1-{:08x}-{}", deadline / 1000, &environment.id[..24])),
    ];
    Ok((headers, payload).into_response())
}

async fn response(
    State(registry): State<Registry>,
    Path((environment, request)): Path<(String, String)>,
    body: Bytes,
) -> Result<StatusCode, Refusal> {
    let environment = registry.get(&environment)?;
    if body.len() > PAYLOAD_LIMIT {
        let message = format!("Response payload size exceeded maximum allowed payload size ({PAYLOAD_LIMIT} bytes).");
        environment.answer(&request, Err(Failure::new("Function.ResponseSizeTooLarge", message)))?;
        return Err(Refusal::TooLarge);
    }
    accept(&environment, &request, Ok(body))
}

async fn error(
    State(registry): State<Registry>,
    Path((environment, request)): Path<(String, String)>,
    body: Bytes,
) -> Result<StatusCode, Refusal> {
    accept(&*registry.get(&environment)?, &request, Err(Failure::reported(body)))
}

fn accept(environment: &Environment, request: &str, outcome: Outcome) -> Result<StatusCode, Refusal> {
    environment.answer(request, outcome)?;
    Ok(StatusCode::ACCEPTED)
}

async fn init_error(
    State(registry): State<Registry>,
    Path(environment): Path<String>,
    body: Bytes,
) -> Result<StatusCode, Refusal> {
    registry.get(&environment)?.init_failed(body);
    Ok(StatusCode::ACCEPTED)
}
