//! Turns a function's output into an HTTP response, by API Gateway's payload format 2.0.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// The output is not a response that API Gateway accepts.
#[derive(Debug, thiserror::Error)]
pub(super) enum MalformedOutput {
    #[error("not JSON")]
    Json(#[from] serde_json::Error),
    #[error("{0} is not a status code")]
    Status(Value),
    #[error("header {0} is not valid")]
    Header(String),
    #[error("body is not base64")]
    Base64(#[from] base64::DecodeError),
    #[error("{0} has the wrong type")]
    Type(&'static str),
}

/// Parses a function's output. Output without `statusCode` is the body of a JSON response with status 200.
pub(super) fn parse(output: &[u8]) -> Result<Response, MalformedOutput> {
    let output: Value = serde_json::from_slice(output)?;
    let Some(status) = output.get("statusCode") else {
        let body = output.as_str().map_or_else(|| output.to_string(), str::to_owned);
        return Ok(with_type(StatusCode::OK, HeaderValue::from_static("application/json"), Body::from(body)));
    };
    let number =
        status.as_u64().or_else(|| status.as_str()?.parse().ok()).and_then(|number| u16::try_from(number).ok());
    let code = number.and_then(|number| StatusCode::from_u16(number).ok());
    let code = code.ok_or_else(|| MalformedOutput::Status(status.clone()))?;
    let mut response = Response::new(Body::from(body(&output)?));
    *response.status_mut() = code;
    add_headers(&mut response, &output)?;
    Ok(response)
}

fn body(output: &Value) -> Result<Vec<u8>, MalformedOutput> {
    let text = match &output["body"] {
        Value::Null => return Ok(Vec::new()),
        body => body.as_str().ok_or(MalformedOutput::Type("body"))?,
    };
    match output["isBase64Encoded"].as_bool() {
        Some(true) => Ok(STANDARD.decode(text)?),
        Some(false) | None => Ok(text.as_bytes().to_vec()),
    }
}

/// Adds headers and cookies. In this format a header has one value, and cookies are a list.
fn add_headers(response: &mut Response, output: &Value) -> Result<(), MalformedOutput> {
    for (name, value) in output["headers"].as_object().into_iter().flatten() {
        let malformed = || MalformedOutput::Header(name.clone());
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            _ => return Err(malformed()),
        };
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| malformed())?;
        let text = HeaderValue::from_bytes(text.as_bytes()).map_err(|_| malformed())?;
        // The server sets the length of the body that it sends.
        if header != header::CONTENT_LENGTH {
            response.headers_mut().insert(header, text);
        }
    }
    for cookie in output["cookies"].as_array().into_iter().flatten() {
        let cookie = cookie.as_str().and_then(|cookie| HeaderValue::from_str(cookie).ok());
        response.headers_mut().append(header::SET_COOKIE, cookie.ok_or(MalformedOutput::Type("cookies"))?);
    }
    if !response.headers().contains_key(header::CONTENT_TYPE) && !output["body"].is_null() {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain;charset=utf-8"));
    }
    Ok(())
}

/// A response of API Gateway itself.
pub(super) fn error_response(status: StatusCode, text: &str) -> Response {
    let body = json!({ "message": text }).to_string();
    with_type(status, HeaderValue::from_static("application/json"), Body::from(body))
}

fn with_type(status: StatusCode, content_type: HeaderValue, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn parts(output: Value) -> (u16, Vec<(String, String)>, Vec<u8>) {
        let (head, body) = parse(output.to_string().as_bytes()).unwrap().into_parts();
        let headers = head.headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        (head.status.as_u16(), headers.collect(), body.to_vec())
    }

    fn header(name: &str, value: &str) -> (String, String) {
        (name.into(), value.into())
    }

    #[tokio::test]
    async fn the_response_has_the_status_headers_cookies_and_body_of_the_output() {
        let output = json!({
            "statusCode": 409,
            "headers": { "Content-Type": "application/problem+json", "content-length": "1" },
            "cookies": ["a=1", "b=2"],
            "body": "{}",
            "isBase64Encoded": false,
        });
        let headers = vec![
            header("content-type", "application/problem+json"),
            header("set-cookie", "a=1"),
            header("set-cookie", "b=2"),
        ];
        assert_eq!(parts(output).await, (409, headers, b"{}".to_vec()));
    }

    #[tokio::test]
    async fn a_body_in_base64_is_decoded() {
        let output =
            json!({ "statusCode": 200, "body": "AP8=", "isBase64Encoded": true, "headers": { "content-type": "x/y" } });
        assert_eq!(parts(output).await, (200, vec![header("content-type", "x/y")], vec![0, 255]));
    }

    #[tokio::test]
    async fn output_without_a_status_is_the_body() {
        let headers = vec![header("content-type", "application/json")];
        assert_eq!(parts(json!({ "a": 1 })).await, (200, headers.clone(), br#"{"a":1}"#.to_vec()));
        assert_eq!(parts(json!("plain")).await, (200, headers, b"plain".to_vec()));
    }

    #[test]
    fn output_that_is_not_a_response_is_refused() {
        for output in [
            json!({ "statusCode": 42 }),
            json!({ "statusCode": "many" }),
            json!({ "statusCode": 200, "headers": { "a": [] } }),
            json!({ "statusCode": 200, "headers": { "a b": "c" } }),
            json!({ "statusCode": 200, "body": {} }),
            json!({ "statusCode": 200, "body": "%", "isBase64Encoded": true }),
        ] {
            assert!(parse(output.to_string().as_bytes()).is_err(), "{output}");
        }
        assert!(parse(b"not JSON").is_err());
    }
}
