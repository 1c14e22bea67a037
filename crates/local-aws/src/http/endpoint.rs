//! The state of the listener, and the response format that all services share.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use uuid::Uuid;

use crate::faults::Schemas;
use crate::proxy::Proxy;
use crate::services::Services;

/// The header with service and operation, as in `AmazonSQS.SendMessage`.
pub(super) const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

#[derive(Clone)]
pub(super) struct Endpoint {
    pub(super) services: Arc<Services>,
    pub(super) dynamodb: Proxy,
    pub(super) schemas: Arc<Schemas>,
}

/// A response of a service, with a request id, as in every response of AWS.
pub(super) fn respond(status: StatusCode, content_type: &'static str, body: impl Into<axum::body::Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers: &mut HeaderMap = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Ok(id) = HeaderValue::from_str(&Uuid::new_v4().to_string()) {
        headers.insert(REQUEST_ID, id);
    }
    response
}
