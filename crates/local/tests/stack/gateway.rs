//! Tests of the HTTP API over a real socket.

use serde_json::{Value, json};

use crate::support::{request, start, start_guarded};

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
    let response = request(&stack.http_url(), "GET /items/1 HTTP/1.1", b"").await;
    assert_eq!(response, (404, r#"{"message":"Not Found"}"#.to_owned()));
}

#[tokio::test]
async fn a_body_over_ten_megabytes_is_refused() {
    let stack = start().await;
    let body = vec![b' '; 10 * 1024 * 1024 + 1];
    let (status, body) = request(&stack.http_url(), "POST /items/1 HTTP/1.1", &body).await;
    assert_eq!((status, body.as_str()), (413, r#"{"message":"Request Entity Too Large"}"#));
}

#[tokio::test]
async fn the_event_has_the_claims_of_the_token_and_its_scopes_of_the_route() {
    let stack = start_guarded().await;
    let issuer = stack.issuer().unwrap();
    let token = issuer.token("operator", &["other", "items/read"]);
    // The scheme `Bearer` is optional and its case does not matter.
    for authorization in [format!("Bearer {token}"), format!("bearer {token}"), token.clone()] {
        let head = format!("GET /guarded/a/b HTTP/1.1\r\nauthorization: {authorization}");
        let (status, body) = request(&stack.http_url(), &head, b"").await;
        let event: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(status, 200);
        assert_eq!(event["pathParameters"], json!({ "path": "a/b" }));
        let mut jwt = event["requestContext"]["authorizer"]["jwt"].clone();
        assert!(jwt["claims"]["jti"].is_string());
        jwt["claims"]["jti"] = Value::Null;
        let claims = json!({
            "iss": issuer.url(), "sub": "operator", "aud": "reprise", "client_id": "reprise-console",
            "scope": "other items/read", "iat": "1795183200", "nbf": "1795183200", "exp": "1795186800", "jti": null,
        });
        assert_eq!(jwt, json!({ "claims": claims, "scopes": ["items/read"] }));
    }
}

#[tokio::test]
async fn the_issuer_offers_the_scopes_that_routes_require() {
    let stack = start_guarded().await;
    assert_eq!(stack.issuer().unwrap().settings().scopes, ["items/read", "items/write"]);
}

#[tokio::test]
async fn without_an_issuer_every_caller_is_allowed_and_the_event_has_an_iam_identity() {
    let stack = start().await;
    let (status, body) = request(&stack.http_url(), "GET /guarded/a HTTP/1.1", b"").await;
    let event: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(status, 200);
    assert_eq!(event["requestContext"]["authorizer"]["iam"]["userArn"], "arn:aws:iam::000000000000:user/local");
}
