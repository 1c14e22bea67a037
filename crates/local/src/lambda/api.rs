//! The Lambda Runtime API, which function processes call.
//!
//! In Lambda each execution environment has its own address. Here all environments share one listener, and the first path
//! segment names the environment: `AWS_LAMBDA_RUNTIME_API=http://127.0.0.1:PORT/<environment>`. The Rust runtime accepts
//! such a prefix if the scheme is included.

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
use super::invocation::{InvocationError, InvocationResult};
use super::settings::MAX_PAYLOAD_BYTES;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The running environments by their id.
#[derive(Clone, Default)]
pub(super) struct Registry(Arc<Mutex<HashMap<String, Weak<Environment>>>>);

impl Registry {
    pub(super) fn add(&self, environment: &Arc<Environment>) {
        let mut environments = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        environments.retain(|_, environment| environment.strong_count() > 0);
        environments.insert(environment.id.clone(), Arc::downgrade(environment));
    }

    fn get(&self, id: &str) -> Result<Arc<Environment>, ApiError> {
        let environments = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        environments.get(id).and_then(Weak::upgrade).ok_or(ApiError::NoEnvironment)
    }
}

/// Stops the server when dropped.
pub(super) struct Server(AbortHandle);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Starts the server on a free loopback port and returns its address.
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

/// An invalid call of a process.
#[derive(Debug)]
enum ApiError {
    NoEnvironment,
    UnknownRequest,
    TooLarge,
}

impl From<UnknownRequest> for ApiError {
    fn from(UnknownRequest: UnknownRequest) -> Self {
        Self::UnknownRequest
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, kind, message) = match self {
            Self::NoEnvironment => (StatusCode::FORBIDDEN, "NoSuchEnvironment", "this environment has ended"),
            Self::UnknownRequest => (StatusCode::BAD_REQUEST, "InvalidRequestID", "no invocation of this id is open"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", "the response exceeds 6 MB"),
        };
        let body = json!({ "errorType": kind, "errorMessage": message }).to_string();
        (status, [(header::CONTENT_TYPE, JSON)], body).into_response()
    }
}

async fn next(State(registry): State<Registry>, Path(environment): Path<String>) -> Result<Response, ApiError> {
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
) -> Result<StatusCode, ApiError> {
    let environment = registry.get(&environment)?;
    if body.len() > MAX_PAYLOAD_BYTES {
        let message =
            format!("Response payload size exceeded maximum allowed payload size ({MAX_PAYLOAD_BYTES} bytes).");
        environment.complete(&request, Err(InvocationError::new("Function.ResponseSizeTooLarge", message)))?;
        return Err(ApiError::TooLarge);
    }
    complete(&environment, &request, Ok(body))
}

async fn error(
    State(registry): State<Registry>,
    Path((environment, request)): Path<(String, String)>,
    body: Bytes,
) -> Result<StatusCode, ApiError> {
    complete(&*registry.get(&environment)?, &request, Err(InvocationError::reported(body)))
}

fn complete(environment: &Environment, request: &str, result: InvocationResult) -> Result<StatusCode, ApiError> {
    environment.complete(request, result)?;
    Ok(StatusCode::ACCEPTED)
}

async fn init_error(
    State(registry): State<Registry>,
    Path(environment): Path<String>,
    body: Bytes,
) -> Result<StatusCode, ApiError> {
    registry.get(&environment)?.init_failed(body);
    Ok(StatusCode::ACCEPTED)
}
