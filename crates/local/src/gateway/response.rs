//! The HTTP response that a function's answer stands for: API Gateway's payload format 2.0.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// The answer is none that API Gateway understands.
#[derive(Debug, thiserror::Error)]
pub(super) enum Malformed {
    #[error("not JSON")]
    Json(#[from] serde_json::Error),
    #[error("{0} is no status code")]
    Status(Value),
    #[error("header {0} is none")]
    Header(String),
    #[error("body is no base64")]
    Base64(#[from] base64::DecodeError),
    #[error("{0} has the wrong type")]
    Type(&'static str),
}

/// Reads a function's answer. One without `statusCode` is the body itself: 200, as JSON.
pub(super) fn read(answer: &[u8]) -> Result<Response, Malformed> {
    let answer: Value = serde_json::from_slice(answer)?;
    let Some(status) = answer.get("statusCode") else {
        let body = answer.as_str().map_or_else(|| answer.to_string(), str::to_owned);
        return Ok(with_type(StatusCode::OK, HeaderValue::from_static("application/json"), Body::from(body)));
    };
    let number =
        status.as_u64().or_else(|| status.as_str()?.parse().ok()).and_then(|number| u16::try_from(number).ok());
    let code = number.and_then(|number| StatusCode::from_u16(number).ok());
    let code = code.ok_or_else(|| Malformed::Status(status.clone()))?;
    let mut response = Response::new(Body::from(body(&answer)?));
    *response.status_mut() = code;
    add_headers(&mut response, &answer)?;
    Ok(response)
}

fn body(answer: &Value) -> Result<Vec<u8>, Malformed> {
    let text = match &answer["body"] {
        Value::Null => return Ok(Vec::new()),
        body => body.as_str().ok_or(Malformed::Type("body"))?,
    };
    match answer["isBase64Encoded"].as_bool() {
        Some(true) => Ok(STANDARD.decode(text)?),
        Some(false) | None => Ok(text.as_bytes().to_vec()),
    }
}

/// Headers have one value each in this format; several cookies have a list of their own.
fn add_headers(response: &mut Response, answer: &Value) -> Result<(), Malformed> {
    for (name, value) in answer["headers"].as_object().into_iter().flatten() {
        let malformed = || Malformed::Header(name.clone());
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            _ => return Err(malformed()),
        };
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| malformed())?;
        let text = HeaderValue::from_bytes(text.as_bytes()).map_err(|_| malformed())?;
        // The length is that of the body that is sent.
        if header != header::CONTENT_LENGTH {
            response.headers_mut().insert(header, text);
        }
    }
    for cookie in answer["cookies"].as_array().into_iter().flatten() {
        let cookie = cookie.as_str().and_then(|cookie| HeaderValue::from_str(cookie).ok());
        response.headers_mut().append(header::SET_COOKIE, cookie.ok_or(Malformed::Type("cookies"))?);
    }
    if !response.headers().contains_key(header::CONTENT_TYPE) && !answer["body"].is_null() {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain;charset=utf-8"));
    }
    Ok(())
}

/// What API Gateway says itself.
pub(super) fn message(status: StatusCode, text: &str) -> Response {
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

    async fn parts(answer: Value) -> (u16, Vec<(String, String)>, Vec<u8>) {
        let (head, body) = read(answer.to_string().as_bytes()).unwrap().into_parts();
        let headers = head.headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        (head.status.as_u16(), headers.collect(), body.to_vec())
    }

    fn header(name: &str, value: &str) -> (String, String) {
        (name.into(), value.into())
    }

    #[tokio::test]
    async fn status_headers_cookies_and_body_are_taken_over() {
        let answer = json!({
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
        assert_eq!(parts(answer).await, (409, headers, b"{}".to_vec()));
    }

    #[tokio::test]
    async fn a_body_in_base64_is_decoded() {
        let answer =
            json!({ "statusCode": 200, "body": "AP8=", "isBase64Encoded": true, "headers": { "content-type": "x/y" } });
        assert_eq!(parts(answer).await, (200, vec![header("content-type", "x/y")], vec![0, 255]));
    }

    #[tokio::test]
    async fn an_answer_without_a_status_is_the_body() {
        let headers = vec![header("content-type", "application/json")];
        assert_eq!(parts(json!({ "a": 1 })).await, (200, headers.clone(), br#"{"a":1}"#.to_vec()));
        assert_eq!(parts(json!("plain")).await, (200, headers, b"plain".to_vec()));
    }

    #[test]
    fn what_is_no_response_is_refused() {
        for answer in [
            json!({ "statusCode": 42 }),
            json!({ "statusCode": "many" }),
            json!({ "statusCode": 200, "headers": { "a": [] } }),
            json!({ "statusCode": 200, "headers": { "a b": "c" } }),
            json!({ "statusCode": 200, "body": {} }),
            json!({ "statusCode": 200, "body": "%", "isBase64Encoded": true }),
        ] {
            assert!(read(answer.to_string().as_bytes()).is_err(), "{answer}");
        }
        assert!(read(b"not JSON").is_err());
    }
}
