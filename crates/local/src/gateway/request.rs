//! Builds the event of an HTTP request for a function, in API Gateway's payload format 2.0.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::caller::Caller;
use super::routes::{RouteMatch, percent_decode};

/// A request whose route was found and whose caller was checked.
pub(super) struct RoutedRequest<'a> {
    pub(super) id: String,
    pub(super) at: Timestamp,
    pub(super) client: SocketAddr,
    pub(super) account: &'a str,
    pub(super) caller: Caller,
    pub(super) matched: RouteMatch<'a>,
}

impl RoutedRequest<'_> {
    /// The whole event. Like API Gateway, it leaves empty fields out.
    pub(super) fn event(&self, head: &Parts, body: &[u8]) -> Value {
        let path = percent_decode(head.uri.path());
        let query = head.uri.query().unwrap_or_default();
        let route = self.matched.route.key();
        let headers = headers(&head.headers);
        let mut event = json!({
            "version": "2.0",
            "routeKey": route,
            "rawPath": path,
            "rawQueryString": query,
            "headers": headers,
            "requestContext": self.context(head, &path, &route),
            "isBase64Encoded": false,
        });
        let cookies = cookies(&head.headers);
        if !cookies.is_empty() {
            event["cookies"] = Value::from(cookies);
        }
        let parameters = query_parameters(query);
        if !parameters.is_empty() {
            event["queryStringParameters"] = Value::from(parameters);
        }
        if !self.matched.parameters.is_empty() {
            event["pathParameters"] = Value::from_iter(self.matched.parameters.clone());
        }
        if !body.is_empty() {
            match text_body(&head.headers, body) {
                Some(text) => event["body"] = Value::from(text),
                None => {
                    event["body"] = Value::from(STANDARD.encode(body));
                    event["isBase64Encoded"] = Value::from(true);
                }
            }
        }
        event
    }

    fn context(&self, head: &Parts, path: &str, route: &str) -> Value {
        let host = head.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
        let agent = head.headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
        let mut context = json!({
            "accountId": self.account,
            "apiId": "local",
            "domainName": host,
            "domainPrefix": "local",
            "http": {
                "method": head.method.as_str(),
                "path": path,
                "protocol": format!("{:?}", head.version),
                "sourceIp": self.client.ip().to_string(),
                "userAgent": agent,
            },
            "requestId": self.id,
            "routeKey": route,
            "stage": "$default",
            "time": self.at.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
            "timeEpoch": self.at.as_millisecond(),
        });
        if let Some(authorizer) = self.caller.authorizer(&head.headers, self.account) {
            context["authorizer"] = authorizer;
        }
        context
    }
}

/// The headers by lower-case name, without cookies. Several values of one name are joined with commas.
fn headers(headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut joined: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in headers.iter().filter(|(name, _)| *name != header::COOKIE) {
        let value = String::from_utf8_lossy(value.as_bytes());
        joined
            .entry(name.as_str().to_owned())
            .and_modify(|so_far| {
                so_far.push(',');
                so_far.push_str(&value);
            })
            .or_insert_with(|| value.clone().into_owned());
    }
    joined
}

fn cookies(headers: &HeaderMap) -> Vec<String> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    lines
        .flat_map(|line| line.split(';'))
        .map(|cookie| cookie.trim().to_owned())
        .filter(|cookie| !cookie.is_empty())
        .collect()
}

/// The decoded query parameters. Several values of one name are joined with commas.
fn query_parameters(query: &str) -> Map<String, Value> {
    let mut parameters: BTreeMap<String, String> = BTreeMap::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let [name, value] = [name, value].map(|text| percent_decode(&text.replace('+', " ")));
        parameters
            .entry(name)
            .and_modify(|so_far| {
                so_far.push(',');
                so_far.push_str(&value);
            })
            .or_insert(value);
    }
    parameters.into_iter().map(|(name, value)| (name, Value::from(value))).collect()
}

/// The body as text if its content type is a text type, else `None`: the event then has it in base64. For API Gateway a form
/// and a body without a content type are not text.
fn text_body<'a>(headers: &HeaderMap, body: &'a [u8]) -> Option<&'a str> {
    let content_type = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_text = media_type.starts_with("text/")
        || matches!(media_type.as_str(), "application/json" | "application/xml" | "application/javascript");
    if is_text { std::str::from_utf8(body).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::{Authorization, Route};
    use axum::http::Request;
    use axum::http::request::Builder;

    fn event(request: Builder, body: &[u8]) -> Value {
        let (head, ()) = request.body(()).unwrap().into_parts();
        let route = Route {
            method: "POST".into(),
            path: "/flows/{flow}/retry".into(),
            function: "retry".into(),
            authorization: Authorization::None,
        };
        let request = RoutedRequest {
            id: "r-1".into(),
            at: "2026-11-20T14:05:06Z".parse().unwrap(),
            client: ([127, 0, 0, 1], 5000).into(),
            account: "000000000000",
            caller: Caller::Anonymous,
            matched: RouteMatch { route: &route, parameters: [("flow".to_owned(), "a:b".to_owned())].into() },
        };
        request.event(&head, body)
    }

    fn post() -> Builder {
        Request::post("/flows/a%3Ab/retry?plan=true&x=1&x=2%2C3&empty").header("host", "127.0.0.1:3000")
    }

    #[test]
    fn the_event_has_the_shape_of_payload_format_two() {
        let request = post().header("user-agent", "curl/8").header("content-type", "application/json; charset=utf-8");
        assert_eq!(
            event(request.header("x-a", "1").header("X-A", "2"), br#"{"reason":"x"}"#),
            json!({
                "version": "2.0",
                "routeKey": "POST /flows/{flow}/retry",
                "rawPath": "/flows/a:b/retry",
                "rawQueryString": "plan=true&x=1&x=2%2C3&empty",
                "headers": {
                    "host": "127.0.0.1:3000",
                    "user-agent": "curl/8",
                    "content-type": "application/json; charset=utf-8",
                    "x-a": "1,2",
                },
                "queryStringParameters": { "plan": "true", "x": "1,2,3", "empty": "" },
                "pathParameters": { "flow": "a:b" },
                "requestContext": {
                    "accountId": "000000000000",
                    "apiId": "local",
                    "domainName": "127.0.0.1:3000",
                    "domainPrefix": "local",
                    "http": {
                        "method": "POST",
                        "path": "/flows/a:b/retry",
                        "protocol": "HTTP/1.1",
                        "sourceIp": "127.0.0.1",
                        "userAgent": "curl/8",
                    },
                    "requestId": "r-1",
                    "routeKey": "POST /flows/{flow}/retry",
                    "stage": "$default",
                    "time": "20/Nov/2026:14:05:06 +0000",
                    "timeEpoch": 1_795_183_506_000_i64,
                },
                "body": r#"{"reason":"x"}"#,
                "isBase64Encoded": false,
            })
        );
    }

    #[test]
    fn cookies_are_a_field_of_their_own_and_not_headers() {
        let event = event(post().header("cookie", "a=1; b=2").header("cookie", "c=3"), b"");
        assert_eq!(event["cookies"], json!(["a=1", "b=2", "c=3"]));
        assert_eq!(event["headers"].get("cookie"), None);
        assert_eq!(event.get("body"), None);
    }

    #[test]
    fn a_body_is_text_in_the_event_only_if_its_content_type_is_text() {
        for textual in ["text/plain", "application/json", "Application/XML; charset=utf-8", "application/javascript"] {
            let event = event(post().header("content-type", textual), "grüß".as_bytes());
            assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("grüß"), &json!(false)), "{textual}");
        }
        for binary in ["application/octet-stream", "application/x-www-form-urlencoded", "application/edifact"] {
            let event = event(post().header("content-type", binary), b"abc");
            assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("YWJj"), &json!(true)), "{binary}");
        }
        assert_eq!(event(post(), b"abc")["isBase64Encoded"], json!(true));
        assert_eq!(event(post().header("content-type", "text/plain"), b"\xFF")["isBase64Encoded"], json!(true));
    }
}
