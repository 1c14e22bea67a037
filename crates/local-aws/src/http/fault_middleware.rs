//! The middleware that injects faults into calls.

use std::io;

use axum::body::{Body, Bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::endpoint::{Endpoint, TARGET, respond};
use super::{fault_responses, schedules, sqs};
use crate::faults::{Fault, IncomingCall, InjectedFault, Split};
use crate::meter::Service;
use crate::proxy::MAX_BODY_BYTES;

const CHECKSUM: HeaderName = HeaderName::from_static("x-amz-crc32");

/// Checks each call against the rules, if there are rules or calls are recorded.
pub(super) async fn inject(
    State(endpoint): State<Endpoint>,
    path: MatchedPath,
    request: Request,
    next: Next,
) -> Response {
    let faults = &endpoint.services.faults;
    let target = if faults.is_idle() { None } else { target(&request, path.as_str()) };
    let Some(target) = target else { return next.run(request).await };
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, MAX_BODY_BYTES).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let http_request = (parts.uri.path(), &parts.headers, &body);
    let call =
        IncomingCall::new(target, http_request, (endpoint.services.dynamodb.database(), &endpoint.schemas)).await;
    let injected = faults.select(&call);
    let request = PendingRequest { parts, body, next };
    match injected {
        Some(injected) => apply(&endpoint, call, injected, request).await,
        None => request.forward().await,
    }
}

/// The service and operation of a request. `None` if it is not for DynamoDB, SQS or the Scheduler.
fn target(request: &Request, path: &str) -> Option<(Service, String)> {
    let header = request.headers().get(TARGET).and_then(|target| target.to_str().ok()).unwrap_or_default();
    match header.split_once('.') {
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

/// A request that was not forwarded yet.
struct PendingRequest {
    parts: Parts,
    body: Bytes,
    next: Next,
}

impl PendingRequest {
    async fn forward(self) -> Response {
        self.next.run(Request::from_parts(self.parts, Body::from(self.body))).await
    }

    /// Forwards the request with another body.
    async fn forward_body(mut self, body: &Value) -> Response {
        self.parts.headers.remove(header::CONTENT_LENGTH);
        self.body = Bytes::from(body.to_string());
        self.forward().await
    }
}

async fn apply(
    endpoint: &Endpoint,
    call: IncomingCall,
    mut injected: InjectedFault,
    request: PendingRequest,
) -> Response {
    let turn = injected.turn;
    let service = call.seen.service;
    match injected.fault {
        Fault::Throttle => fault_responses::throttled(&call, turn),
        Fault::TransactionInProgress => fault_responses::in_progress(),
        Fault::TransactionConflict if call.seen.operation != "BatchExecuteStatement" => {
            fault_responses::conflict(&call, turn)
        }
        fault @ (Fault::TransactionConflict | Fault::Unprocessed | Fault::PartialFailure) => {
            match Split::of(&call, fault, turn) {
                Some(split) if split.is_throttled() => fault_responses::throttled(&call, turn),
                Some(split) => forward_part(split, request).await,
                // The request is invalid for its operation, and the service refuses it.
                None => request.forward().await,
            }
        }
        Fault::ServerError => fault_responses::server_error(service),
        Fault::ServerErrorAfter => {
            request.forward().await;
            fault_responses::server_error(service)
        }
        Fault::Hang => {
            injected.released().await;
            reset()
        }
        Fault::HangAfter => {
            request.forward().await;
            injected.released().await;
            reset()
        }
        Fault::ResetBefore => reset(),
        Fault::ResetAfter => {
            request.forward().await;
            reset()
        }
        Fault::KillBefore => kill(endpoint, call).await,
        Fault::KillAfter => {
            request.forward().await;
            kill(endpoint, call).await
        }
    }
}

/// Kills the caller, in its own task: when the caller dies, its connection closes and this future is dropped.
async fn kill(endpoint: &Endpoint, call: IncomingCall) -> Response {
    if let (Some(invoker), Some(caller)) = (endpoint.services.invoker(), call.caller) {
        let killing = tokio::spawn(async move { invoker.kill(&caller).await });
        if let Err(error) = killing.await {
            tracing::error!(%error, "the caller was not killed");
        }
    }
    reset()
}

/// Forwards one part of a batch, and adds the held-back part to the response.
async fn forward_part(split: Split, request: PendingRequest) -> Response {
    let Some(forwarded) = &split.forwarded else {
        return respond(StatusCode::OK, sqs::JSON, split.merge(json!({})).to_string());
    };
    let (mut parts, body) = request.forward_body(forwarded).await.into_parts();
    let Ok(body) = axum::body::to_bytes(body, usize::MAX).await else { return reset() };
    if !parts.status.is_success() {
        return Response::from_parts(parts, Body::from(body));
    }
    let response = serde_json::from_slice(&body).unwrap_or_default();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.remove(CHECKSUM);
    Response::from_parts(parts, Body::from(split.merge(response).to_string()))
}

/// A response whose body fails: the server closes the connection before it writes anything.
fn reset() -> Response {
    let broken = futures::stream::once(async { Err::<Bytes, io::Error>(io::ErrorKind::ConnectionReset.into()) });
    Response::new(Body::from_stream(broken))
}
