//! Answers: JSON, problems and payload bytes.

use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use aws_lambda_events::encodings::Body;
use aws_lambda_events::http::{HeaderName, HeaderValue, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::problem::Problem;

/// An answer as API Gateway takes it.
pub type Response = ApiGatewayV2httpResponse;

pub(crate) fn json(status: u16, body: &Value) -> Response {
    text(status, "application/json", body.to_string())
}

/// JSON that is text already.
pub(crate) fn json_text(status: u16, body: String) -> Response {
    text(status, "application/json", body)
}

pub(crate) fn problem(problem: &Problem) -> Response {
    text(problem.status, "application/problem+json", problem.body().to_string())
}

/// Bytes exactly as they are. A media type that is no valid header is told as unknown.
pub(crate) fn bytes(content_type: Option<&str>, bytes: &[u8]) -> Response {
    let unknown = HeaderValue::from_static("application/octet-stream");
    let content_type = content_type.and_then(|t| HeaderValue::from_str(t).ok()).unwrap_or(unknown);
    let mut response = Response::default();
    response.status_code = 200;
    response.headers.insert(header::CONTENT_TYPE, content_type);
    // A payload is somebody else's content: a browser must neither guess at it nor run it.
    response.headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response.headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));
    response.body = Some(Body::Text(STANDARD.encode(bytes)));
    response.is_base64_encoded = true;
    response
}

pub(crate) fn with(mut response: Response, name: HeaderName, value: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers.insert(name, value);
    }
    response
}

fn text(status: u16, content_type: &'static str, body: String) -> Response {
    let mut response = Response::default();
    response.status_code = i64::from(status);
    response.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.body = Some(Body::Text(body));
    response
}
