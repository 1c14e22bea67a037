//! `/_local/faults`: `POST` adds rules and redeliveries, `GET` returns them and their effects, `DELETE` removes them.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::endpoint::{Endpoint, respond};
use crate::clock::Clock;
use crate::duration::parse_duration;
use crate::faults::{Recording, Redelivery, Rule};

const JSON: &str = "application/json";

/// The body of `POST`. A plain list of rules is accepted too.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AddRequest {
    #[serde(default)]
    rules: Vec<Rule>,
    #[serde(default)]
    redeliveries: Vec<Redelivery>,
    record: Option<bool>,
}

pub(super) async fn show(State(endpoint): State<Endpoint>) -> Response {
    let faults = &endpoint.services.faults;
    let shown = json!({
        "rules": faults.rules(),
        "redeliveries": faults.redeliveries(),
        "redelivered": faults.redelivered(),
        "fired": faults.fired(),
        "record": faults.recording() == Recording::On,
        "calls": faults.calls(),
    });
    respond(StatusCode::OK, JSON, shown.to_string())
}

pub(super) async fn add(State(endpoint): State<Endpoint>, body: Bytes) -> Response {
    let request = match read(&body, &endpoint.services.clock) {
        Ok(request) => request,
        Err(message) => return respond(StatusCode::BAD_REQUEST, JSON, json!({ "message": message }).to_string()),
    };
    let faults = &endpoint.services.faults;
    if let Some(record) = request.record {
        faults.record(if record { Recording::On } else { Recording::Off });
    }
    request.redeliveries.into_iter().for_each(|redelivery| faults.redeliver(redelivery));
    let ids: Vec<u64> = request.rules.into_iter().map(|rule| faults.add(rule)).collect();
    respond(StatusCode::OK, JSON, json!({ "ids": ids }).to_string())
}

pub(super) async fn clear(State(endpoint): State<Endpoint>) -> Response {
    endpoint.services.faults.clear();
    respond(StatusCode::OK, JSON, "{}")
}

fn read(body: &[u8], clock: &Clock) -> Result<AddRequest, String> {
    let request: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let mut request = if request.is_array() { json!({ "rules": request }) } else { request };
    for rule in request.get_mut("rules").and_then(Value::as_array_mut).into_iter().flatten() {
        resolve_duration(rule, clock)?;
    }
    serde_json::from_value(request).map_err(|error| error.to_string())
}

/// Replaces `"for": "15m"` of a rule: sets `until` to that much later than now, and `times` to unlimited if it is missing.
fn resolve_duration(rule: &mut Value, clock: &Clock) -> Result<(), String> {
    let Some(rule) = rule.as_object_mut() else { return Ok(()) };
    let Some(duration) = rule.remove("for") else { return Ok(()) };
    let duration = duration.as_str().ok_or("for: expected a duration like 15m")?;
    let duration = parse_duration(duration).map_err(|error| error.to_string())?;
    let until = clock.now().checked_add(duration).map_err(|error| error.to_string())?;
    rule.insert("until".to_owned(), until.to_string().into());
    rule.entry("times").or_insert(Rule::ALWAYS.into());
    Ok(())
}
