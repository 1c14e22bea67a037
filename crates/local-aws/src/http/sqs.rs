//! SQS over AWS JSON 1.0.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::json;

use super::endpoint::respond;
use crate::sqs::{Sqs, SqsError};

pub(super) const JSON: &str = "application/x-amz-json-1.0";
const QUERY_ERROR: HeaderName = HeaderName::from_static("x-amzn-query-error");

/// The prefixes of the unique ids of roles and users.
const IDENTITY_PREFIXES: [&str; 2] = ["AROA", "AIDA"];

pub(super) async fn handle(sqs: &Sqs, sender: Option<&str>, operation: &str, body: &[u8]) -> Response {
    match sqs.handle(sender, operation, body).await {
        Ok(response) => respond(StatusCode::OK, JSON, response),
        Err(error) => refuse(operation, &error),
    }
}

/// The sender: the access key that signed the request, if it has the form of a role's session or a user in `SenderId`
/// (`AROAEXAMPLE:session`). So a test can choose its identity. `None` for any other key, which means the account.
pub(super) fn sender(headers: &HeaderMap) -> Option<&str> {
    let signature = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (_, credential) = signature.split_once("Credential=")?;
    let key = credential.split('/').next()?;
    IDENTITY_PREFIXES.iter().any(|identity| key.starts_with(identity)).then_some(key)
}

fn refuse(operation: &str, error: &SqsError) -> Response {
    let (status, fault) = if error.is_client_error() {
        (StatusCode::BAD_REQUEST, "Sender")
    } else {
        tracing::error!(operation, ?error, "SQS failed");
        (StatusCode::INTERNAL_SERVER_ERROR, "Receiver")
    };
    self::error(status, error.shape(), &format!("{};{fault}", error.query_code()), &error.to_string())
}

/// An error response with the error's names in the JSON protocol and in the query protocol (`RequestThrottled;Sender`).
pub(super) fn error(status: StatusCode, shape: &str, query: &str, message: &str) -> Response {
    let body = json!({ "__type": shape, "message": message }).to_string();
    let mut response = respond(status, JSON, body);
    if let Ok(code) = HeaderValue::from_str(query) {
        response.headers_mut().insert(QUERY_ERROR, code);
    }
    response
}
