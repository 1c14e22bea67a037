//! Error responses of injected faults, in the format of the services, so that SDKs recognize them.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::endpoint::respond;
use super::{schedules, sqs};
use crate::faults::messages::{EXCEEDED, INTERNAL, ONGOING, THROUGHPUT};
use crate::faults::{IncomingCall, is_transaction};
use crate::meter::Service;

/// A throttling error. DynamoDB alternates between its errors by `turn`.
pub(super) fn throttled(call: &IncomingCall, turn: u64) -> Response {
    match call.seen.service {
        Service::DynamoDb if is_transaction(&call.seen.operation) && turn % 3 == 2 => {
            cancelled(call, ("ThrottlingError", THROUGHPUT), Affected::First)
        }
        Service::DynamoDb if turn.is_multiple_of(2) => {
            dynamodb("com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException", EXCEEDED)
        }
        Service::DynamoDb => dynamodb("com.amazonaws.dynamodb.v20120810#ThrottlingException", THROUGHPUT),
        Service::Sqs => sqs::error(
            StatusCode::BAD_REQUEST,
            "com.amazonaws.sqs#RequestThrottled",
            "RequestThrottled;Sender",
            "Request is throttled.",
        ),
        Service::Scheduler => schedules::error(StatusCode::TOO_MANY_REQUESTS, "ThrottlingException", "Rate exceeded"),
    }
}

/// A conflict with another transaction. A batch of statements has its conflicts in a successful response: see
/// [`crate::faults::Split`].
pub(super) fn conflict(call: &IncomingCall, turn: u64) -> Response {
    if is_transaction(&call.seen.operation) {
        let affected = if turn.is_multiple_of(2) { Affected::First } else { Affected::All };
        return cancelled(call, ("TransactionConflict", ONGOING), affected);
    }
    dynamodb(
        "com.amazonaws.dynamodb.v20120810#TransactionConflictException",
        "Operation was rejected because there is an ongoing transaction for the item",
    )
}

/// The transaction with this token is still in progress.
pub(super) fn in_progress() -> Response {
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionInProgressException",
        "Message": "The transaction with the given request token is already in progress.",
    });
    respond(StatusCode::BAD_REQUEST, sqs::JSON, body.to_string())
}

/// An internal error, status 500.
pub(super) fn server_error(service: Service) -> Response {
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    match service {
        Service::DynamoDb => {
            let body = json!({ "__type": "com.amazonaws.dynamodb.v20120810#InternalServerError", "message": INTERNAL });
            respond(status, sqs::JSON, body.to_string())
        }
        Service::Sqs => {
            sqs::error(status, "com.amazon.coral.service#InternalFailure", "InternalFailure;Receiver", INTERNAL)
        }
        Service::Scheduler => schedules::error(status, "InternalServerException", INTERNAL),
    }
}

/// Which actions of a transaction have the error.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Affected {
    First,
    All,
}

fn cancelled(call: &IncomingCall, (code, message): (&str, &str), affected: Affected) -> Response {
    let actions = call.body["TransactItems"].as_array().or(call.body["TransactStatements"].as_array());
    let reasons = (0..actions.map_or(1, Vec::len)).map(|position| {
        let is_affected = position == 0 || affected == Affected::All;
        if is_affected { json!({ "Code": code, "Message": message }) } else { json!({ "Code": "None" }) }
    });
    let reasons: Vec<Value> = reasons.collect();
    let codes: Vec<&str> = reasons.iter().filter_map(|reason| reason["Code"].as_str()).collect();
    let message =
        format!("Transaction cancelled, please refer cancellation reasons for specific reasons [{}]", codes.join(", "));
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": message,
        "CancellationReasons": reasons,
    });
    respond(StatusCode::BAD_REQUEST, sqs::JSON, body.to_string())
}

fn dynamodb(kind: &str, message: &str) -> Response {
    let body = json!({ "__type": kind, "message": message });
    respond(StatusCode::BAD_REQUEST, sqs::JSON, body.to_string())
}
