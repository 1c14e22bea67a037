//! `/_local/faults`: `POST` puts rules and redeliveries into use, `GET` shows them and what they did, `DELETE` removes them.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Endpoint, respond};
use crate::clock::Clock;
use crate::duration::parse_duration;
use crate::faults::{Recording, Redelivery, Rule};

const JSON: &str = "application/json";

/// A list of rules alone is taken, too.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    #[serde(default)]
    rules: Vec<Rule>,
    #[serde(default)]
    redeliveries: Vec<Redelivery>,
    record: Option<bool>,
}

pub(super) async fn show(State(endpoint): State<Endpoint>) -> Response {
    let faults = endpoint.aws.faults();
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
    let asked = match read(&body, endpoint.aws.clock()) {
        Ok(asked) => asked,
        Err(message) => return respond(StatusCode::BAD_REQUEST, JSON, json!({ "message": message }).to_string()),
    };
    let faults = endpoint.aws.faults();
    if let Some(record) = asked.record {
        faults.record(if record { Recording::On } else { Recording::Off });
    }
    asked.redeliveries.into_iter().for_each(|redelivery| faults.redeliver(redelivery));
    let ids: Vec<u64> = asked.rules.into_iter().map(|rule| faults.add(rule)).collect();
    respond(StatusCode::OK, JSON, json!({ "ids": ids }).to_string())
}

pub(super) async fn clear(State(endpoint): State<Endpoint>) -> Response {
    endpoint.aws.faults().clear();
    respond(StatusCode::OK, JSON, "{}")
}

fn read(body: &[u8], clock: &Clock) -> Result<Asked, String> {
    let asked: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let mut asked = if asked.is_array() { json!({ "rules": asked }) } else { asked };
    for rule in asked.get_mut("rules").and_then(Value::as_array_mut).into_iter().flatten() {
        end(rule, clock)?;
    }
    serde_json::from_value(asked).map_err(|error| error.to_string())
}

/// `"for": "15m"` of a rule stands for `until` in so long by the clock, and for `times` without end unless it is given.
fn end(rule: &mut Value, clock: &Clock) -> Result<(), String> {
    let Some(rule) = rule.as_object_mut() else { return Ok(()) };
    let Some(lasts) = rule.remove("for") else { return Ok(()) };
    let lasts = lasts.as_str().ok_or("for: expected a duration like 15m")?;
    let lasts = parse_duration(lasts).map_err(|error| error.to_string())?;
    let until = clock.now().checked_add(lasts).map_err(|error| error.to_string())?;
    rule.insert("until".to_owned(), until.to_string().into());
    rule.entry("times").or_insert(Rule::ALWAYS.into());
    Ok(())
}
