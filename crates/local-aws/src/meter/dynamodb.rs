//! Measures a DynamoDB call. For writes it calculates the units by AWS's rules, from the items before and after the call. For
//! reads, statements and repeated transactions it uses the consumed capacity that dynoxide reports; dynoxide's figures are
//! captured from AWS. For that it adds `ReturnConsumedCapacity` to the request, so the response has a `ConsumedCapacity`
//! that the client did not request.

use std::collections::HashMap;
use std::time::Instant;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use dynoxide::{Database, Item};
use serde_json::Value;

use super::items::{Target, tables, targets};
use super::units::{Table, larger, units};
use super::{Call, Meter, Service, Write};
use crate::proxy::{MAX_BODY_BYTES, Proxy};

/// A transaction prepares and commits, so the table charges each item twice. An index charges it once.
const TRANSACTION_FACTOR: u64 = 2;

/// Forwards a call to DynamoDB and records its cost.
pub(crate) async fn forward(
    meter: &Meter,
    database: &Database,
    proxy: &Proxy,
    operation: &str,
    request: Request,
) -> Response {
    let began = Instant::now();
    let Some(counting) = &meter.0 else { return proxy.forward(request).await };
    counting.note_request();
    let (mut parts, body) = request.into_parts();
    let Ok(mut body) = axum::body::to_bytes(body, MAX_BODY_BYTES).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let mut request_json: Value = serde_json::from_slice(&body).unwrap_or_default();
    let targets = targets(operation, &request_json);
    if consumes(operation) && request_json.is_object() {
        request_json["ReturnConsumedCapacity"] = Value::from("INDEXES");
        body = Bytes::from(request_json.to_string());
        parts.headers.remove(header::CONTENT_LENGTH);
    }

    let turn = counting.turn.lock().await;
    let database = database.clone();
    let (database, writing) = blocking(move || {
        let writing = Writing::of(&database, targets);
        (database, writing)
    })
    .await;
    let response = proxy.forward(Request::from_parts(parts, Body::from(body))).await;
    let (parts, body) = response.into_parts();
    let response_body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    let response_json: Value = serde_json::from_slice(&response_body).unwrap_or_default();
    let outcome = Outcome::of(parts.status, &response_json);
    let operation = operation.to_owned();
    let call = Call { status: parts.status.as_u16(), ..Call::new(Service::DynamoDb, &operation, began) };
    let mut call = blocking(move || match outcome {
        Outcome::Free => call,
        _ if !writing.items.is_empty() && !repeated(&response_json) => {
            let writes = writing.costs(&database, &operation, outcome);
            let units: u64 = writes.iter().map(|write| write.table_units + write.index_units).sum();
            #[expect(clippy::cast_precision_loss, reason = "sums of units are far below 2^52")]
            Call { write_units: units as f64, writes, ..call }
        }
        _ => consumed(&operation, &request_json, &response_json, call),
    })
    .await;
    drop(turn);
    counting.wait_until_idle().await;
    call.ended = Instant::now();
    meter.add(|| call);
    Response::from_parts(parts, Body::from(response_body))
}

/// The result of a call, as far as it affects the cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Done,
    /// A condition failed. DynamoDB charges for the checked item (developer guide, "Working with items"). AWS does not document
    /// the cost of a cancelled transaction; we assume the same for each item, twice.
    ConditionFailed,
    /// The call was refused before it read or wrote anything.
    Free,
}

impl Outcome {
    fn of(status: StatusCode, response: &Value) -> Self {
        if status.is_success() {
            return Self::Done;
        }
        let kind = response["__type"].as_str().and_then(|kind| kind.rsplit('#').next()).unwrap_or_default();
        let failed = |reason: &Value| reason["Code"] == "ConditionalCheckFailed";
        let reasons = response["CancellationReasons"].as_array().map_or(&[][..], Vec::as_slice);
        match kind {
            "ConditionalCheckFailedException" => Self::ConditionFailed,
            "TransactionCanceledException" if reasons.iter().any(failed) => Self::ConditionFailed,
            _ => Self::Free,
        }
    }
}

/// The items of a write before the call.
struct Writing {
    tables: HashMap<String, Table>,
    items: Vec<(Target, Option<Item>)>,
}

impl Writing {
    fn of(database: &Database, targets: Vec<Target>) -> Self {
        let tables = tables(database, &targets);
        let image = |target: &Target| target.image(database, tables.get(&target.table)?);
        let items = targets.into_iter().map(|target| (image(&target), target)).map(|(before, t)| (t, before)).collect();
        Self { tables, items }
    }

    fn costs(self, database: &Database, operation: &str, outcome: Outcome) -> Vec<Write> {
        let factor = if operation == "TransactWriteItems" { TRANSACTION_FACTOR } else { 1 };
        let Self { tables, items } = self;
        let cost = |(target, before): (Target, Option<Item>)| {
            let table = tables.get(&target.table)?;
            let after = match outcome {
                Outcome::Done => target.image(database, table),
                Outcome::ConditionFailed | Outcome::Free => before.clone(),
            };
            let (before, after) = (before.as_ref(), after.as_ref());
            let bytes = larger(before, after);
            Some(Write {
                key: target.key_texts(table),
                bytes,
                table_units: factor * units(bytes),
                index_units: table.indexes.iter().map(|index| index.units(before, after)).sum(),
                table: target.table,
            })
        };
        items.into_iter().filter_map(cost).collect()
    }
}

/// Whether the operation can return its consumed capacity.
fn consumes(operation: &str) -> bool {
    matches!(
        operation,
        "GetItem"
            | "BatchGetItem"
            | "TransactGetItems"
            | "TransactWriteItems"
            | "Query"
            | "Scan"
            | "ExecuteStatement"
            | "BatchExecuteStatement"
            | "ExecuteTransaction"
    )
}

/// Whether the response is that of an earlier transaction with the same token. DynamoDB charges this as a read.
fn repeated(response: &Value) -> bool {
    let tables = response["ConsumedCapacity"].as_array();
    tables.is_some_and(|tables| tables.iter().any(|table| table["ReadCapacityUnits"].is_number()))
}

/// Adds the consumed capacity in the response to the call: of one table, or of a list of tables.
fn consumed(operation: &str, request_json: &Value, response: &Value, call: Call) -> Call {
    let units = match &response["ConsumedCapacity"] {
        Value::Array(tables) => tables.iter().filter_map(|table| table["CapacityUnits"].as_f64()).sum(),
        table => table["CapacityUnits"].as_f64().unwrap_or_default(),
    };
    if operation.contains("Execute") && writes(request_json) {
        Call { write_units: units, ..call }
    } else {
        Call { read_units: units, ..call }
    }
}

/// Whether the statements write. DynamoDB does not accept reads and writes in one call.
fn writes(request_json: &Value) -> bool {
    let of_many = request_json["Statements"].as_array().or(request_json["TransactStatements"].as_array());
    let statement =
        of_many.and_then(|all| all.first()).unwrap_or(request_json)["Statement"].as_str().unwrap_or_default();
    !statement.trim_start().get(..6).is_some_and(|verb| verb.eq_ignore_ascii_case("select"))
}

/// Runs `work` on a thread for blocking calls, because the embedded database blocks its thread.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
