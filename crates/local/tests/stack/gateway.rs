//! The HTTP API, over a real socket.

use serde_json::{Value, json};

use crate::support::{request, start};

#[tokio::test]
async fn a_request_reaches_the_function_of_its_route() {
    let stack = start().await;
    let head = "POST /items/a%3A1?x=1 HTTP/1.1\r\ncontent-type: application/json";
    let (status, body) = request(&stack.http_url(), head, br#"{"a":1}"#).await;
    let event: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(status, 200);
    assert_eq!(event["routeKey"], "POST /items/{id}");
    assert_eq!(event["pathParameters"], json!({ "id": "a:1" }));
    assert_eq!(event["body"], r#"{"a":1}"#);
    assert_eq!(event["requestContext"]["timeEpoch"], 1_795_183_200_000_i64);
}

#[tokio::test]
async fn an_unknown_route_is_not_found() {
    let stack = start().await;
    let answer = request(&stack.http_url(), "GET /items/1 HTTP/1.1", b"").await;
    assert_eq!(answer, (404, r#"{"message":"Not Found"}"#.to_owned()));
}

#[tokio::test]
async fn a_body_over_ten_megabytes_is_refused() {
    let stack = start().await;
    let body = vec![b' '; 10 * 1024 * 1024 + 1];
    let (status, body) = request(&stack.http_url(), "POST /items/1 HTTP/1.1", &body).await;
    assert_eq!((status, body.as_str()), (413, r#"{"message":"Request Entity Too Large"}"#));
}
