//! Partial failures of batches. Holds back every other entry, beginning with the first. The rest becomes a request of its
//! own, and the held-back entries are then added to its response.

use serde_json::{Map, Value, json};

use super::incoming_call::IncomingCall;
use super::messages::{EXCEEDED, ONGOING, THROUGHPUT};
use super::rule::Fault;

/// A batch in two parts: the forwarded entries and the held-back entries.
pub(crate) struct Split {
    /// The request with the forwarded entries. `None` if there are none.
    pub(crate) forwarded: Option<Value>,
    held_back: HeldBack,
}

enum HeldBack {
    /// `UnprocessedKeys` or `UnprocessedItems`, by table.
    Unprocessed { member: &'static str, by_table: Map<String, Value> },
    /// The number of all statements, and the error of each held-back statement.
    Statements { all: usize, error: Value },
    /// The ids of the held-back entries of an SQS batch.
    Entries(Vec<Value>),
}

impl Split {
    /// Splits the batch. `None` if the call is not a batch.
    pub(crate) fn of(call: &IncomingCall, fault: Fault, turn: u64) -> Option<Self> {
        let body = &call.body;
        match call.seen.operation.as_str() {
            "BatchGetItem" => Some(tables(body, "UnprocessedKeys")),
            "BatchWriteItem" => Some(tables(body, "UnprocessedItems")),
            "BatchExecuteStatement" => {
                let statements = body["Statements"].as_array()?;
                let (_, forwarded) = every_other(statements, &mut 0);
                let forwarded = with(body, "Statements", forwarded);
                let error = statement_error(fault == Fault::TransactionConflict, turn);
                Some(Self { forwarded, held_back: HeldBack::Statements { all: statements.len(), error } })
            }
            _ => {
                let (held_back, forwarded) = every_other(body["Entries"].as_array()?, &mut 0);
                let ids = held_back.into_iter().map(|entry| entry["Id"].clone()).collect();
                Some(Self { forwarded: with(body, "Entries", forwarded), held_back: HeldBack::Entries(ids) })
            }
        }
    }

    /// Whether AWS would throttle the whole call, because no item is left.
    pub(crate) fn is_throttled(&self) -> bool {
        self.forwarded.is_none() && matches!(self.held_back, HeldBack::Unprocessed { .. })
    }

    /// The response to the whole batch, from the response to the forwarded part (`{}` if nothing was forwarded).
    pub(crate) fn merge(self, mut response: Value) -> Value {
        match self.held_back {
            HeldBack::Unprocessed { member, by_table } => {
                for (table, held) in by_table {
                    join(&mut response[member][table], held);
                }
            }
            HeldBack::Statements { all, error } => {
                let mut done = response["Responses"].as_array().cloned().unwrap_or_default().into_iter();
                let one = |position: usize| if is_held_back(position) { Some(error.clone()) } else { done.next() };
                response["Responses"] = (0..all).filter_map(one).collect();
            }
            HeldBack::Entries(ids) => {
                let message = "We encountered an internal error. Please try again.";
                let failed =
                    |id| json!({ "Id": id, "SenderFault": false, "Code": "InternalError", "Message": message });
                join(&mut response["Failed"], ids.into_iter().map(failed).collect());
                if response["Successful"].is_null() {
                    response["Successful"] = json!([]);
                }
            }
        }
        response
    }
}

fn is_held_back(position: usize) -> bool {
    position.is_multiple_of(2)
}

/// Splits a list into held-back and forwarded entries. `position` counts across lists.
fn every_other(list: &[Value], position: &mut usize) -> (Vec<Value>, Vec<Value>) {
    list.iter().cloned().partition(|_| {
        *position += 1;
        is_held_back(*position - 1)
    })
}

/// The request with `list` as its `member`. `None` if the list is empty.
fn with(request: &Value, member: &str, list: Vec<Value>) -> Option<Value> {
    if list.is_empty() {
        return None;
    }
    let mut part = request.clone();
    part[member] = Value::Array(list);
    Some(part)
}

/// Splits `RequestItems`: for each table a list of writes, or an object with a list of keys.
fn tables(request: &Value, member: &'static str) -> Split {
    let (mut by_table, mut forwarded_items) = (Map::new(), Map::new());
    let mut position = 0;
    for (table, all) in request["RequestItems"].as_object().into_iter().flatten() {
        let (held_back, forwarded) = match &all["Keys"] {
            Value::Array(keys) => {
                let (held_back, forwarded) = every_other(keys, &mut position);
                (with(all, "Keys", held_back), with(all, "Keys", forwarded))
            }
            _ => {
                let (held_back, forwarded) = every_other(all.as_array().map_or(&[][..], Vec::as_slice), &mut position);
                (list_of(held_back), list_of(forwarded))
            }
        };
        by_table.extend(held_back.map(|held| (table.clone(), held)));
        forwarded_items.extend(forwarded.map(|part| (table.clone(), part)));
    }
    let forwarded = (!forwarded_items.is_empty()).then(|| {
        let mut part = request.clone();
        part["RequestItems"] = Value::Object(forwarded_items);
        part
    });
    Split { forwarded, held_back: HeldBack::Unprocessed { member, by_table } }
}

fn list_of(list: Vec<Value>) -> Option<Value> {
    (!list.is_empty()).then_some(Value::Array(list))
}

/// Appends held-back entries to those in the response: lists, or objects with a list of keys.
fn join(into: &mut Value, more: Value) {
    match (into, more) {
        (Value::Array(list), Value::Array(more)) => list.extend(more),
        (Value::Object(keys), mut more) if keys.contains_key("Keys") => join(&mut keys["Keys"], more["Keys"].take()),
        (into, more) => *into = more,
    }
}

/// The error of one held-back statement of a batch.
fn statement_error(conflicts: bool, turn: u64) -> Value {
    let (code, message) = match turn {
        _ if conflicts => ("TransactionConflict", ONGOING),
        turn if turn.is_multiple_of(2) => ("ProvisionedThroughputExceeded", EXCEEDED),
        _ => ("ThrottlingError", THROUGHPUT),
    };
    json!({ "Error": { "Code": code, "Message": message } })
}
