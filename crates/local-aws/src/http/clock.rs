//! `/_local/clock`, which AWS does not have: `GET` returns the time, `POST {"advance":"24h"}` advances the clock.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;

use super::endpoint::{Endpoint, respond};
use crate::advance;
use crate::clock::Clock;
use crate::duration::parse_duration;

const JSON: &str = "application/json";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance: String,
}

pub(super) async fn read(State(endpoint): State<Endpoint>) -> Response {
    current(&endpoint.services.clock)
}

/// Advances the clock, and responds when all resulting work is finished. The advance continues if the caller disconnects.
pub(super) async fn advance(State(endpoint): State<Endpoint>, body: Bytes) -> Response {
    let by = serde_json::from_slice::<Advance>(&body)
        .map_err(|error| format!("{error}; expected {{\"advance\":\"24h\"}}"))
        .and_then(|request| parse_duration(&request.advance).map_err(|error| error.to_string()));
    let by = match by {
        Ok(by) => by,
        Err(message) => return refused(StatusCode::BAD_REQUEST, &message),
    };
    let services = endpoint.services.clone();
    match tokio::spawn(async move { advance::advance(&services, by).await }).await {
        Ok(Ok(())) => current(&endpoint.services.clock),
        Ok(Err(error)) => {
            tracing::error!(?error, "the clock was not advanced");
            refused(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string())
        }
        Err(error) => refused(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

fn current(clock: &Clock) -> Response {
    respond(StatusCode::OK, JSON, json!({ "now": clock.now().to_string() }).to_string())
}

fn refused(status: StatusCode, message: &str) -> Response {
    respond(status, JSON, json!({ "message": message }).to_string())
}
