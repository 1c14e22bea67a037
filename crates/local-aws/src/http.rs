//! The one listener. Which service a request is for is told by its target header, its path or its form, never by its
//! host: all of them share this address, and any credentials will do.

mod clock;
mod faults;
mod proxy;
mod rehearsal;
mod schedules;
mod sqs;
mod sts;

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio::sync::watch;
use uuid::Uuid;

pub(crate) use self::proxy::Proxy;
pub(crate) use self::schedules::error as scheduler_error;
pub(crate) use self::sqs::{JSON as AWS_JSON, error as sqs_error};
use crate::aws::Aws;
use crate::faults::Schemas;
use crate::meter::{self, Service};

/// DynamoDB takes 16 MB; nothing else takes more.
pub(crate) const LARGEST: usize = 16 * 1024 * 1024;
const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

#[derive(Clone)]
struct Endpoint {
    aws: Aws,
    dynamodb: Proxy,
    schemas: Arc<Schemas>,
}

/// Serves until `stopped`.
pub(crate) async fn serve(listener: TcpListener, aws: Aws, mut stopped: watch::Receiver<bool>) {
    let dynamodb = Proxy::to(aws.dynamodb_direct());
    let endpoint = Endpoint { aws, dynamodb, schemas: Arc::default() };
    let router = Router::new()
        .route("/", post(by_target))
        .route("/_local/clock", get(clock::read).post(clock::advance))
        .route("/_local/faults", get(rehearsal::show).post(rehearsal::add).delete(rehearsal::clear))
        // Some clients post to the URL of the queue.
        .route("/{account}/{queue}", post(by_target))
        .merge(schedules::routes(&endpoint))
        .layer(from_fn_with_state(endpoint.clone(), faults::meet))
        .layer(DefaultBodyLimit::max(LARGEST))
        .with_state(endpoint);
    let stop = async move {
        let _ = stopped.wait_for(|stop| *stop).await;
    };
    if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stop).await {
        tracing::error!(%error, "the endpoint stopped");
    }
}

/// The services that post everything to one path.
async fn by_target(State(endpoint): State<Endpoint>, request: Request) -> Response {
    let target = request.headers().get(TARGET).and_then(|target| target.to_str().ok()).unwrap_or_default();
    match target.split_once('.') {
        Some(("AmazonSQS", operation)) => {
            let operation = operation.to_owned();
            let sender = sqs::sender(request.headers()).map(str::to_owned);
            match body(request).await {
                Ok(body) => {
                    let began = Instant::now();
                    let answer = sqs::answer(&endpoint.aws, sender.as_deref(), &operation, &body).await;
                    endpoint.aws.meter().note(Service::Sqs, &operation, answer.status().as_u16(), began);
                    answer
                }
                Err(refused) => refused,
            }
        }
        Some((service, operation)) if service.starts_with("DynamoDB") => {
            let (aws, operation) = (&endpoint.aws, operation.to_owned());
            meter::forward(aws.meter(), aws.dynamodb(), &endpoint.dynamodb, &operation, request).await
        }
        _ => match body(request).await {
            Ok(body) => sts::answer(&body),
            Err(refused) => refused,
        },
    }
}

async fn body(request: Request) -> Result<Bytes, Response> {
    axum::body::to_bytes(request.into_body(), LARGEST)
        .await
        .map_err(|error| (StatusCode::PAYLOAD_TOO_LARGE, error.to_string()).into_response())
}

/// An answer of a service, with the request id every AWS answer carries.
pub(crate) fn respond(status: StatusCode, content_type: &'static str, body: impl Into<axum::body::Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers: &mut HeaderMap = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Ok(id) = HeaderValue::from_str(&Uuid::new_v4().to_string()) {
        headers.insert(REQUEST_ID, id);
    }
    response
}
