//! A DynamoDB call on its way through the meter. Writes are charged by our own reading of the rules, on the items as
//! they were before and are after. Reads, statements and repeated transactions are charged what dynoxide says they consumed,
//! whose figures are captured from AWS: the request is made to ask for them, so the answer has a `ConsumedCapacity` more.

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
use crate::http::Proxy;

/// A transaction prepares and commits: the table charges each item twice, an index once.
const TRANSACTION: u64 = 2;

/// Hands a call on to DynamoDB and notes what it cost.
pub(crate) async fn forward(
    meter: &Meter,
    database: &Database,
    proxy: &Proxy,
    operation: &str,
    request: Request,
) -> Response {
    let began = Instant::now();
    let Some(counting) = &meter.0 else { return proxy.forward(request).await };
    counting.asked();
    let (mut parts, body) = request.into_parts();
    let Ok(mut body) = axum::body::to_bytes(body, crate::http::LARGEST).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let mut asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let targets = targets(operation, &asked);
    if consumes(operation) && asked.is_object() {
        asked["ReturnConsumedCapacity"] = Value::from("INDEXES");
        body = Bytes::from(asked.to_string());
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
    let answer = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    let told: Value = serde_json::from_slice(&answer).unwrap_or_default();
    let outcome = Outcome::of(parts.status, &told);
    let operation = operation.to_owned();
    let call = Call { status: parts.status.as_u16(), ..Call::new(Service::DynamoDb, &operation, began) };
    let mut call = blocking(move || match outcome {
        Outcome::Free => call,
        _ if !writing.items.is_empty() && !repeated(&told) => {
            let writes = writing.costs(&database, &operation, outcome);
            let units: u64 = writes.iter().map(|write| write.table_units + write.index_units).sum();
            #[expect(clippy::cast_precision_loss, reason = "sums of units are far below 2^52")]
            Call { write_units: units as f64, writes, ..call }
        }
        _ => consumed(&operation, &asked, &told, call),
    })
    .await;
    drop(turn);
    counting.quiet().await;
    call.ended = Instant::now();
    meter.add(|| call);
    Response::from_parts(parts, Body::from(answer))
}

/// How a call ended, as far as it costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Done,
    /// A condition was not met. DynamoDB charges for the item that it checked (developer guide, "Working with items");
    /// what a cancelled transaction costs it does not say, so we take the same of each item, twice.
    ConditionFailed,
    /// Refused before anything was read or written.
    Free,
}

impl Outcome {
    fn of(status: StatusCode, answer: &Value) -> Self {
        if status.is_success() {
            return Self::Done;
        }
        let kind = answer["__type"].as_str().and_then(|kind| kind.rsplit('#').next()).unwrap_or_default();
        let failed = |reason: &Value| reason["Code"] == "ConditionalCheckFailed";
        let reasons = answer["CancellationReasons"].as_array().map_or(&[][..], Vec::as_slice);
        match kind {
            "ConditionalCheckFailedException" => Self::ConditionFailed,
            "TransactionCanceledException" if reasons.iter().any(failed) => Self::ConditionFailed,
            _ => Self::Free,
        }
    }
}

/// The items of a write, as they were before it.
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
        let factor = if operation == "TransactWriteItems" { TRANSACTION } else { 1 };
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

/// Whether an operation can be asked for what it consumed.
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

/// Whether a transaction was answered from memory, because its token came before. DynamoDB charges that as a read.
fn repeated(answer: &Value) -> bool {
    let tables = answer["ConsumedCapacity"].as_array();
    tables.is_some_and(|tables| tables.iter().any(|table| table["ReadCapacityUnits"].is_number()))
}

/// The call with what the answer says it consumed: of one table, or of a list of them.
fn consumed(operation: &str, asked: &Value, answer: &Value, call: Call) -> Call {
    let units = match &answer["ConsumedCapacity"] {
        Value::Array(tables) => tables.iter().filter_map(|table| table["CapacityUnits"].as_f64()).sum(),
        table => table["CapacityUnits"].as_f64().unwrap_or_default(),
    };
    if operation.contains("Execute") && writes(asked) {
        Call { write_units: units, ..call }
    } else {
        Call { read_units: units, ..call }
    }
}

/// Whether statements write. DynamoDB takes no mix of reads and writes in one call.
fn writes(asked: &Value) -> bool {
    let of_many = asked["Statements"].as_array().or(asked["TransactStatements"].as_array());
    let statement = of_many.and_then(|all| all.first()).unwrap_or(asked)["Statement"].as_str().unwrap_or_default();
    !statement.trim_start().get(..6).is_some_and(|verb| verb.eq_ignore_ascii_case("select"))
}

/// The embedded database blocks the thread it works on.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
