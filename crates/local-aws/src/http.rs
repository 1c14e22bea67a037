//! The HTTP listener of all services. It selects the service by the target header, the path or the form, never by the
//! host, because all services share one address. It accepts any credentials.

mod clock;
mod endpoint;
mod fault_middleware;
mod fault_responses;
mod faults_api;
mod schedules;
mod sqs;
mod sts;

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio::sync::watch;

use self::endpoint::{Endpoint, TARGET};
use crate::meter::{self, Service};
use crate::proxy::{MAX_BODY_BYTES, Proxy};
use crate::services::Services;

/// Serves until `stopped` becomes true.
pub(crate) async fn serve(listener: TcpListener, services: Arc<Services>, mut stopped: watch::Receiver<bool>) {
    let dynamodb = Proxy::new(services.dynamodb.url());
    let endpoint = Endpoint { services, dynamodb, schemas: Arc::default() };
    let router = Router::new()
        .route("/", post(by_target))
        .route("/_local/clock", get(clock::read).post(clock::advance))
        .route("/_local/faults", get(faults_api::show).post(faults_api::add).delete(faults_api::clear))
        // Some clients send requests to the URL of the queue.
        .route("/{account}/{queue}", post(by_target))
        .merge(schedules::routes(&endpoint))
        .layer(from_fn_with_state(endpoint.clone(), fault_middleware::inject))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(endpoint);
    let stop = async move {
        let _ = stopped.wait_for(|stop| *stop).await;
    };
    if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stop).await {
        tracing::error!(%error, "the endpoint stopped");
    }
}

/// Handles the services that use one path for all operations: SQS, DynamoDB and STS.
async fn by_target(State(endpoint): State<Endpoint>, request: Request) -> Response {
    let target = request.headers().get(TARGET).and_then(|target| target.to_str().ok()).unwrap_or_default();
    match target.split_once('.') {
        Some(("AmazonSQS", operation)) => {
            let operation = operation.to_owned();
            let sender = sqs::sender(request.headers()).map(str::to_owned);
            match body(request).await {
                Ok(body) => {
                    let began = Instant::now();
                    let response = sqs::handle(&endpoint.services.sqs, sender.as_deref(), &operation, &body).await;
                    endpoint.services.meter.note(Service::Sqs, &operation, response.status().as_u16(), began);
                    response
                }
                Err(refused) => refused,
            }
        }
        Some((service, operation)) if service.starts_with("DynamoDB") => {
            let (services, operation) = (&endpoint.services, operation.to_owned());
            meter::forward(&services.meter, services.dynamodb.database(), &endpoint.dynamodb, &operation, request).await
        }
        _ => match body(request).await {
            Ok(body) => sts::handle(&body),
            Err(refused) => refused,
        },
    }
}

async fn body(request: Request) -> Result<Bytes, Response> {
    axum::body::to_bytes(request.into_body(), MAX_BODY_BYTES)
        .await
        .map_err(|error| (StatusCode::PAYLOAD_TOO_LARGE, error.to_string()).into_response())
}
