//! The one thing here AWS does not have: `GET /_local/clock` tells the clock, `POST {"advance":"24h"}` moves it.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;

use super::{Endpoint, respond};
use crate::aws::Aws;
use crate::duration::parse_duration;

const JSON: &str = "application/json";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance: String,
}

pub(super) async fn read(State(endpoint): State<Endpoint>) -> Response {
    told(&endpoint.aws)
}

/// Answers when all that falls due on the way has been dealt with. It goes on when the caller hangs up.
pub(super) async fn advance(State(endpoint): State<Endpoint>, body: Bytes) -> Response {
    let by = serde_json::from_slice::<Advance>(&body)
        .map_err(|error| format!("{error}; expected {{\"advance\":\"24h\"}}"))
        .and_then(|asked| parse_duration(&asked.advance).map_err(|error| error.to_string()));
    let by = match by {
        Ok(by) => by,
        Err(message) => return refused(StatusCode::BAD_REQUEST, &message),
    };
    let aws = endpoint.aws.clone();
    match tokio::spawn(async move { aws.advance(by).await }).await {
        Ok(Ok(())) => told(&endpoint.aws),
        Ok(Err(error)) => {
            tracing::error!(?error, "the clock was not advanced");
            refused(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string())
        }
        Err(error) => refused(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

fn told(aws: &Aws) -> Response {
    respond(StatusCode::OK, JSON, json!({ "now": aws.clock().now().to_string() }).to_string())
}

fn refused(status: StatusCode, message: &str) -> Response {
    respond(status, JSON, json!({ "message": message }).to_string())
}
