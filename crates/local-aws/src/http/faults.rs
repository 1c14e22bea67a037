//! Faults on their way through the listener: what happens to a call that meets one.

use std::io;

use axum::body::{Body, Bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::{AWS_JSON, Endpoint, LARGEST, TARGET, respond, schedules};
use crate::faults::{self, Arrival, Fault, Meeting, Split};
use crate::meter::Service;

const CHECKSUM: HeaderName = HeaderName::from_static("x-amz-crc32");

/// Looks at every call, when there are rules or calls are recorded.
pub(super) async fn meet(
    State(endpoint): State<Endpoint>,
    path: MatchedPath,
    request: Request,
    next: Next,
) -> Response {
    let faults = endpoint.aws.faults();
    let called = if faults.are_idle() { None } else { called(&request, path.as_str()) };
    let Some(called) = called else { return next.run(request).await };
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, LARGEST).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let asked = (parts.uri.path(), &parts.headers, &body);
    let call = Arrival::of(called, asked, (endpoint.aws.dynamodb(), &endpoint.schemas)).await;
    let met = faults.meet(&call);
    let passing = Passing { parts, body, next };
    match met {
        Some(meeting) => apply(&endpoint, call, meeting, passing).await,
        None => passing.on().await,
    }
}

/// The service and operation of a request, unless it is for something else.
fn called(request: &Request, path: &str) -> Option<(Service, String)> {
    let target = request.headers().get(TARGET).and_then(|target| target.to_str().ok()).unwrap_or_default();
    match target.split_once('.') {
        Some(("AmazonSQS", operation)) => Some((Service::Sqs, operation.to_owned())),
        Some((service, operation)) if service.starts_with("DynamoDB") => {
            Some((Service::DynamoDb, operation.to_owned()))
        }
        _ => {
            let schedules = ["/schedules", "/schedule-groups", "/tags"].iter().any(|start| path.starts_with(start));
            schedules.then(|| (Service::Scheduler, schedules::operation(request.method(), path).to_owned()))
        }
    }
}

/// A request that can still be passed on.
struct Passing {
    parts: Parts,
    body: Bytes,
    next: Next,
}

impl Passing {
    async fn on(self) -> Response {
        self.next.run(Request::from_parts(self.parts, Body::from(self.body))).await
    }

    /// Passes another body on.
    async fn on_with(mut self, body: &Value) -> Response {
        self.parts.headers.remove(header::CONTENT_LENGTH);
        self.body = Bytes::from(body.to_string());
        self.on().await
    }
}

async fn apply(endpoint: &Endpoint, call: Arrival, mut meeting: Meeting, passing: Passing) -> Response {
    let turn = meeting.turn;
    let service = call.seen.service;
    match meeting.fault {
        Fault::Throttle => faults::throttled(&call, turn),
        Fault::TransactionInProgress => faults::in_progress(),
        Fault::TransactionConflict if call.seen.operation != "BatchExecuteStatement" => faults::conflict(&call, turn),
        fault @ (Fault::TransactionConflict | Fault::Unprocessed | Fault::PartialFailure) => {
            match Split::of(&call, fault, turn) {
                Some(split) if split.is_refused() => faults::throttled(&call, turn),
                Some(split) => do_part(split, passing).await,
                // Not the request that the operation takes: it is refused anyhow.
                None => passing.on().await,
            }
        }
        Fault::ServerError => faults::server_error(service),
        Fault::ServerErrorAfter => {
            passing.on().await;
            faults::server_error(service)
        }
        Fault::Hang => {
            meeting.released().await;
            reset()
        }
        Fault::HangAfter => {
            passing.on().await;
            meeting.released().await;
            reset()
        }
        Fault::ResetBefore => reset(),
        Fault::ResetAfter => {
            passing.on().await;
            reset()
        }
        Fault::KillBefore => kill(endpoint, call).await,
        Fault::KillAfter => {
            passing.on().await;
            kill(endpoint, call).await
        }
    }
}

/// Kills the caller. In a task of its own: the connection goes with the caller, and this with the connection.
async fn kill(endpoint: &Endpoint, call: Arrival) -> Response {
    if let (Some(invoker), Some(caller)) = (endpoint.aws.invoker(), call.caller) {
        let killing = tokio::spawn(async move { invoker.kill(&caller).await });
        if let Err(error) = killing.await {
            tracing::error!(%error, "the caller was not killed");
        }
    }
    reset()
}

/// Has the one part done, and says of the other that it was not.
async fn do_part(split: Split, passing: Passing) -> Response {
    let Some(passed) = &split.passed else {
        return respond(StatusCode::OK, AWS_JSON, split.merge(json!({})).to_string());
    };
    let (mut parts, body) = passing.on_with(passed).await.into_parts();
    let Ok(body) = axum::body::to_bytes(body, usize::MAX).await else { return reset() };
    if !parts.status.is_success() {
        return Response::from_parts(parts, Body::from(body));
    }
    let answer = serde_json::from_slice(&body).unwrap_or_default();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.remove(CHECKSUM);
    Response::from_parts(parts, Body::from(split.merge(answer).to_string()))
}

/// An answer whose body cannot be read: the server closes the connection before it has written any of it.
fn reset() -> Response {
    let broken = futures::stream::once(async { Err::<Bytes, io::Error>(io::ErrorKind::ConnectionReset.into()) });
    Response::new(Body::from_stream(broken))
}
