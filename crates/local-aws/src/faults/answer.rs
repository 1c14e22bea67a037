//! Refusals, worded as the services word them, so that SDKs take them for what they are.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::arrival::Arrival;
use super::rule::is_transaction;
use crate::http;
use crate::meter::Service;

const EXCEEDED: &str = "The level of configured provisioned throughput for the table was exceeded. Consider increasing your \
                        provisioning level with the UpdateTable API.";
const THROUGHPUT: &str = "Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling \
                          your table or index so please try again shortly. If exceptions persist, check if you have a hot \
                          key: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html";
const INTERNAL: &str = "The request processing has failed because of an unknown error, exception or failure.";
const ONGOING: &str = "Transaction is ongoing for the item";

/// Refused for its rate. What DynamoDB says takes turns.
pub(crate) fn throttled(call: &Arrival, turn: u64) -> Response {
    match call.seen.service {
        Service::DynamoDb if is_transaction(&call.seen.operation) && turn % 3 == 2 => {
            cancelled(call, ("ThrottlingError", THROUGHPUT), Affected::First)
        }
        Service::DynamoDb if turn.is_multiple_of(2) => {
            dynamodb("com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException", EXCEEDED)
        }
        Service::DynamoDb => dynamodb("com.amazonaws.dynamodb.v20120810#ThrottlingException", THROUGHPUT),
        Service::Sqs => http::sqs_error(
            StatusCode::BAD_REQUEST,
            "com.amazonaws.sqs#RequestThrottled",
            "RequestThrottled;Sender",
            "Request is throttled.",
        ),
        Service::Scheduler => {
            http::scheduler_error(StatusCode::TOO_MANY_REQUESTS, "ThrottlingException", "Rate exceeded")
        }
    }
}

/// Another transaction is in the way. For a batch of statements the conflicts are in its answer: see [`super::Split`].
pub(crate) fn conflict(call: &Arrival, turn: u64) -> Response {
    if is_transaction(&call.seen.operation) {
        let affected = if turn.is_multiple_of(2) { Affected::First } else { Affected::All };
        return cancelled(call, ("TransactionConflict", ONGOING), affected);
    }
    dynamodb(
        "com.amazonaws.dynamodb.v20120810#TransactionConflictException",
        "Operation was rejected because there is an ongoing transaction for the item",
    )
}

/// The transaction of this token is being worked on.
pub(crate) fn in_progress() -> Response {
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionInProgressException",
        "Message": "The transaction with the given request token is already in progress.",
    });
    http::respond(StatusCode::BAD_REQUEST, http::AWS_JSON, body.to_string())
}

/// 500.
pub(crate) fn server_error(service: Service) -> Response {
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    match service {
        Service::DynamoDb => {
            let body = json!({ "__type": "com.amazonaws.dynamodb.v20120810#InternalServerError", "message": INTERNAL });
            http::respond(status, http::AWS_JSON, body.to_string())
        }
        Service::Sqs => {
            http::sqs_error(status, "com.amazon.coral.service#InternalFailure", "InternalFailure;Receiver", INTERNAL)
        }
        Service::Scheduler => http::scheduler_error(status, "InternalServerException", INTERNAL),
    }
}

/// Which actions of a transaction are the reason.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Affected {
    First,
    All,
}

fn cancelled(call: &Arrival, (code, message): (&str, &str), affected: Affected) -> Response {
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
    http::respond(StatusCode::BAD_REQUEST, http::AWS_JSON, body.to_string())
}

fn dynamodb(kind: &str, message: &str) -> Response {
    let body = json!({ "__type": kind, "message": message });
    http::respond(StatusCode::BAD_REQUEST, http::AWS_JSON, body.to_string())
}

/// What is wrong with one statement of a batch.
pub(super) fn statement_error(conflicts: bool, turn: u64) -> Value {
    let (code, message) = match turn {
        _ if conflicts => ("TransactionConflict", ONGOING),
        turn if turn.is_multiple_of(2) => ("ProvisionedThroughputExceeded", EXCEEDED),
        _ => ("ThrottlingError", THROUGHPUT),
    };
    json!({ "Error": { "Code": code, "Message": message } })
}
