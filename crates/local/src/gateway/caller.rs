//! Who calls, as the route's rule finds it, and what a function is told of it.

use axum::http::{HeaderMap, header};
use serde_json::{Map, Value, json};

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Caller {
    /// Nobody asked.
    Anybody,
    /// An IAM identity. Nothing is checked here, but functions are told of one as they would be.
    Iam,
    /// Whoever a token speaks of.
    Token(Bearer),
}

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bearer {
    pub(super) claims: Map<String, Value>,
    /// The route's scopes that the token has.
    pub(super) scopes: Vec<String>,
}

impl Caller {
    /// `requestContext.authorizer`; `None` where nobody asked.
    pub(super) fn authorizer(&self, headers: &HeaderMap, account: &str) -> Option<Value> {
        match self {
            Self::Anybody => None,
            Self::Iam => Some(json!({ "iam": iam(headers, account) })),
            Self::Token(bearer) => Some(json!({ "jwt": bearer.context() })),
        }
    }
}

impl Bearer {
    /// Claims are text here, whatever they were in the token. A route that asks for no scope tells of none.
    fn context(&self) -> Value {
        let claims: Map<_, _> = self.claims.iter().map(|(name, claim)| (name.clone(), text(claim).into())).collect();
        let scopes = if self.scopes.is_empty() { Value::Null } else { self.scopes.clone().into() };
        json!({ "claims": claims, "scopes": scopes })
    }
}

/// A list is written as `[a b]`.
fn text(claim: &Value) -> String {
    match claim {
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(text).collect::<Vec<_>>().join(" ")),
        other => other.to_string(),
    }
}

/// The user is called after the access key that signed the request, if any.
fn iam(headers: &HeaderMap, account: &str) -> Value {
    let key = access_key(headers).unwrap_or("local");
    json!({
        "accessKey": key,
        "accountId": account,
        "callerId": key,
        "cognitoIdentity": null,
        "principalOrgId": null,
        "userArn": format!("arn:aws:iam::{account}:user/{key}"),
        "userId": key,
    })
}

/// From `AWS4-HMAC-SHA256 Credential=<key>/…`.
fn access_key(headers: &HeaderMap) -> Option<&str> {
    let signature = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("AWS4-HMAC-SHA256")?;
    let (_, credential) = signature.split_once("Credential=")?;
    credential.split('/').next().filter(|key| !key.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    const ACCOUNT: &str = "000000000000";

    #[test]
    fn an_identity_is_known_by_the_key_that_signed() {
        let arn = |headers: &HeaderMap| Caller::Iam.authorizer(headers, ACCOUNT).unwrap()["iam"]["userArn"].clone();
        let signature = "AWS4-HMAC-SHA256 Credential=alice/20261120/eu-west-1/execute-api/aws4_request, Signature=0";
        let signed = HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_static(signature))]);
        assert_eq!(arn(&signed), "arn:aws:iam::000000000000:user/alice");
        assert_eq!(arn(&HeaderMap::new()), "arn:aws:iam::000000000000:user/local");
    }

    #[test]
    fn claims_are_told_as_text_and_scopes_as_a_list() {
        let claims = json!({ "sub": "alice", "exp": 1_795_187_106, "aud": ["a", "b"], "admin": true });
        let claims = claims.as_object().unwrap().clone();
        let told = |scopes: &[&str]| {
            let scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
            let caller = Caller::Token(Bearer { claims: claims.clone(), scopes });
            caller.authorizer(&HeaderMap::new(), ACCOUNT).unwrap()
        };
        let text = json!({ "sub": "alice", "exp": "1795187106", "aud": "[a b]", "admin": "true" });
        assert_eq!(told(&["read"]), json!({ "jwt": { "claims": text, "scopes": ["read"] } }));
        assert_eq!(told(&[]), json!({ "jwt": { "claims": text, "scopes": null } }));
    }

    #[test]
    fn where_nobody_asks_nothing_is_told() {
        assert_eq!(Caller::Anybody.authorizer(&HeaderMap::new(), ACCOUNT), None);
    }
}
