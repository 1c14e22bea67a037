//! SQS over AWS JSON 1.0.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::json;

use super::respond;
use crate::aws::Aws;
use crate::sqs::SqsError;

pub(crate) const JSON: &str = "application/x-amz-json-1.0";
const QUERY_ERROR: HeaderName = HeaderName::from_static("x-amzn-query-error");

/// How the ids of roles and users begin.
const IDENTITIES: [&str; 2] = ["AROA", "AIDA"];

pub(super) async fn answer(aws: &Aws, sender: Option<&str>, operation: &str, body: &[u8]) -> Response {
    match aws.sqs().handle(sender, operation, body).await {
        Ok(answer) => respond(StatusCode::OK, JSON, answer),
        Err(error) => refuse(operation, &error),
    }
}

/// Who sends: the access key that signed the request, where it is called as a role's session or a user would be in `SenderId`
/// (`AROAEXAMPLE:session`), so that a test can choose its identity. Any other key is the account's.
pub(super) fn sender(headers: &HeaderMap) -> Option<&str> {
    let signature = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (_, credential) = signature.split_once("Credential=")?;
    let key = credential.split('/').next()?;
    IDENTITIES.iter().any(|identity| key.starts_with(identity)).then_some(key)
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
