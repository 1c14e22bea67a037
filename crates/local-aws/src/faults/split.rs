//! Batches of which a part is done. Every other entry, from the first on, is held back; the rest goes on as a request of its own,
//! and what was held back is added to its answer.

use serde_json::{Map, Value, json};

use super::arrival::Arrival;
use super::rule::Fault;

/// A batch in two parts.
pub(crate) struct Split {
    /// What is to be done, when there is any.
    pub(crate) passed: Option<Value>,
    refused: Refused,
}

enum Refused {
    /// `UnprocessedKeys` or `UnprocessedItems`, by table.
    Unprocessed { member: &'static str, by_table: Map<String, Value> },
    /// The statements in all, and what is said of each that was held back.
    Statements { all: usize, error: Value },
    /// Ids of an SQS batch.
    Entries(Vec<Value>),
}

impl Split {
    /// `None` when the call is no such batch.
    pub(crate) fn of(call: &Arrival, fault: Fault, turn: u64) -> Option<Self> {
        let body = &call.body;
        match call.seen.operation.as_str() {
            "BatchGetItem" => Some(tables(body, "UnprocessedKeys")),
            "BatchWriteItem" => Some(tables(body, "UnprocessedItems")),
            "BatchExecuteStatement" => {
                let statements = body["Statements"].as_array()?;
                let (_, passed) = every_other(statements, &mut 0);
                let passed = with(body, "Statements", passed);
                let error = super::answer::statement_error(fault == Fault::TransactionConflict, turn);
                Some(Self { passed, refused: Refused::Statements { all: statements.len(), error } })
            }
            _ => {
                let (refused, passed) = every_other(body["Entries"].as_array()?, &mut 0);
                let ids = refused.into_iter().map(|entry| entry["Id"].clone()).collect();
                Some(Self { passed: with(body, "Entries", passed), refused: Refused::Entries(ids) })
            }
        }
    }

    /// Whether AWS would throttle the call as a whole, having done nothing of it.
    pub(crate) fn is_refused(&self) -> bool {
        self.passed.is_none() && matches!(self.refused, Refused::Unprocessed { .. })
    }

    /// The answer to the whole, from that to the part that was done, or from `{}`.
    pub(crate) fn merge(self, mut answer: Value) -> Value {
        match self.refused {
            Refused::Unprocessed { member, by_table } => {
                for (table, held) in by_table {
                    join(&mut answer[member][table], held);
                }
            }
            Refused::Statements { all, error } => {
                let mut done = answer["Responses"].as_array().cloned().unwrap_or_default().into_iter();
                let one = |position: usize| if is_refused(position) { Some(error.clone()) } else { done.next() };
                answer["Responses"] = (0..all).filter_map(one).collect();
            }
            Refused::Entries(ids) => {
                let message = "We encountered an internal error. Please try again.";
                let failed =
                    |id| json!({ "Id": id, "SenderFault": false, "Code": "InternalError", "Message": message });
                join(&mut answer["Failed"], ids.into_iter().map(failed).collect());
                if answer["Successful"].is_null() {
                    answer["Successful"] = json!([]);
                }
            }
        }
        answer
    }
}

fn is_refused(position: usize) -> bool {
    position.is_multiple_of(2)
}

/// Held back and passed on, with positions counted across lists.
fn every_other(list: &[Value], position: &mut usize) -> (Vec<Value>, Vec<Value>) {
    list.iter().cloned().partition(|_| {
        *position += 1;
        is_refused(*position - 1)
    })
}

/// The request with another list, unless that is empty.
fn with(request: &Value, member: &str, list: Vec<Value>) -> Option<Value> {
    if list.is_empty() {
        return None;
    }
    let mut part = request.clone();
    part[member] = Value::Array(list);
    Some(part)
}

/// `RequestItems` of either operation: a list of writes, or an object with a list of keys, by table.
fn tables(request: &Value, member: &'static str) -> Split {
    let (mut by_table, mut passed) = (Map::new(), Map::new());
    let mut position = 0;
    for (table, all) in request["RequestItems"].as_object().into_iter().flatten() {
        let (refused, kept) = match &all["Keys"] {
            Value::Array(keys) => {
                let (refused, kept) = every_other(keys, &mut position);
                (with(all, "Keys", refused), with(all, "Keys", kept))
            }
            _ => {
                let (refused, kept) = every_other(all.as_array().map_or(&[][..], Vec::as_slice), &mut position);
                (list_of(refused), list_of(kept))
            }
        };
        by_table.extend(refused.map(|refused| (table.clone(), refused)));
        passed.extend(kept.map(|kept| (table.clone(), kept)));
    }
    let passed = (!passed.is_empty()).then(|| {
        let mut part = request.clone();
        part["RequestItems"] = Value::Object(passed);
        part
    });
    Split { passed, refused: Refused::Unprocessed { member, by_table } }
}

fn list_of(list: Vec<Value>) -> Option<Value> {
    (!list.is_empty()).then_some(Value::Array(list))
}

/// Adds what was held back to what the answer has already: lists, or objects with a list of keys.
fn join(into: &mut Value, more: Value) {
    match (into, more) {
        (Value::Array(list), Value::Array(more)) => list.extend(more),
        (Value::Object(keys), mut more) if keys.contains_key("Keys") => join(&mut keys["Keys"], more["Keys"].take()),
        (into, more) => *into = more,
    }
}
