//! Tests the HTTP protocol, which the SDK hides.

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use crate::fixture::Fixture;

async fn post(url: &str, headers: &[(&str, &str)], body: &'static str) -> (StatusCode, HeaderMap, String) {
    let mut request = Request::post(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let client = Client::builder(TokioExecutor::new()).build_http();
    let response = client.request(request.body(Body::from(body)).expect("a request")).await.expect("an answer");
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(Body::new(body), usize::MAX).await.expect("a body");
    (parts.status, parts.headers, String::from_utf8(bytes.to_vec()).expect("text"))
}

#[tokio::test]
async fn an_error_of_sqs_has_both_names() {
    let fixture = Fixture::new().await;
    let headers = [("x-amz-target", "AmazonSQS.GetQueueUrl"), ("content-type", "application/x-amz-json-1.0")];
    let (status, headers, body) = post(&fixture.aws.url(), &headers, r#"{"QueueName":"nowhere"}"#).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(headers["x-amzn-query-error"], "AWS.SimpleQueueService.NonExistentQueue;Sender");
    assert_eq!(headers["content-type"], "application/x-amz-json-1.0");
    assert!(headers.contains_key("x-amzn-requestid"));
    let body: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(body["__type"], "com.amazonaws.sqs#QueueDoesNotExist");
    assert_eq!(body["message"], "The specified queue does not exist.");
}

#[tokio::test]
async fn invalid_json_and_unknown_operations_are_refused() {
    let fixture = Fixture::new().await;
    let (status, _, body) = post(&fixture.aws.url(), &[("x-amz-target", "AmazonSQS.SendMessage")], "{").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(body.contains("SerializationException"), "{body}");
    let (status, _, body) = post(&fixture.aws.url(), &[("x-amz-target", "AmazonSQS.Juggle")], "{}").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(body.contains("UnknownOperationException"), "{body}");
}

#[tokio::test]
async fn a_request_can_be_sent_to_the_url_of_the_queue() {
    let fixture = Fixture::new().await;
    let url = fixture.queue("orders", &[]).await;
    let headers = [("x-amz-target", "AmazonSQS.SendMessage")];
    let (status, _, body) =
        post(&url, &headers, r#"{"QueueUrl":"http://elsewhere/000000000000/orders","MessageBody":"x"}"#).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    assert_eq!(fixture.bodies(&url).await, ["x"]);
}

#[tokio::test]
async fn an_error_of_the_scheduler_has_its_type_in_a_header() {
    let fixture = Fixture::new().await;
    let (status, headers, body) = post(&format!("{}/schedules/x", fixture.aws.url()), &[], "{}").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(headers["x-amzn-errortype"], "ValidationException");
    assert!(body.contains("Value null at 'target'"), "{body}");
}

#[tokio::test]
async fn get_caller_identity_returns_the_account() {
    let fixture = Fixture::new().await;
    let (status, _, body) = post(&fixture.aws.url(), &[], "Action=GetCallerIdentity&Version=2011-06-15").await;
    assert_eq!(status, StatusCode::OK);
    assert!(body.contains("<Account>000000000000</Account>"), "{body}");
    let (status, _, body) = post(&fixture.aws.url(), &[], "Action=AssumeRole").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(body.contains("InvalidAction"), "{body}");
}

#[tokio::test]
async fn the_clock_is_advanced_over_http() {
    let fixture = Fixture::new().await;
    let url = format!("{}/_local/clock", fixture.aws.url());
    let (status, _, body) = post(&url, &[], r#"{"advance":"24h"}"#).await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, r#"{"now":"2026-11-21T14:00:00Z"}"#));
    assert_eq!(fixture.now(), "2026-11-21T14:00:00Z");
    for body in ["", "{}", r#"{"advance":"tomorrow"}"#, r#"{"advance":"-1h"}"#, r#"{"advance":"1h","by":1}"#] {
        assert_eq!(post(&url, &[], body).await.0, StatusCode::BAD_REQUEST, "{body}");
    }
    let client = Client::builder(TokioExecutor::new()).build_http();
    let response = client.request(Request::get(&url).body(Body::empty()).expect("a request")).await.expect("an answer");
    let bytes = axum::body::to_bytes(Body::new(response.into_body()), usize::MAX).await.expect("a body");
    assert_eq!(&bytes[..], br#"{"now":"2026-11-21T14:00:00Z"}"#);
}
