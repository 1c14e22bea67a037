//! SQS over AWS JSON 1.0.

use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::json;

use super::respond;
use crate::aws::Aws;
use crate::sqs::SqsError;

pub(crate) const JSON: &str = "application/x-amz-json-1.0";
const QUERY_ERROR: HeaderName = HeaderName::from_static("x-amzn-query-error");

pub(super) async fn answer(aws: &Aws, operation: &str, body: &[u8]) -> Response {
    match aws.sqs().handle(operation, body).await {
        Ok(answer) => respond(StatusCode::OK, JSON, answer),
        Err(error) => refuse(operation, &error),
    }
}

fn refuse(operation: &str, error: &SqsError) -> Response {
    let (status, fault) = if error.is_senders() {
        (StatusCode::BAD_REQUEST, "Sender")
    } else {
        tracing::error!(operation, ?error, "SQS failed");
        (StatusCode::INTERNAL_SERVER_ERROR, "Receiver")
    };
    self::error(status, error.shape(), &format!("{};{fault}", error.query_code()), &error.to_string())
}

/// A refusal by its names in the JSON protocol and in the query protocol: `RequestThrottled;Sender`.
pub(crate) fn error(status: StatusCode, shape: &str, query: &str, message: &str) -> Response {
    let body = json!({ "__type": shape, "message": message }).to_string();
    let mut response = respond(status, JSON, body);
    if let Ok(code) = HeaderValue::from_str(query) {
        response.headers_mut().insert(QUERY_ERROR, code);
    }
    response
}
