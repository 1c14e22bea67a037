//! The caller of a request, and its form in the event of the function.

use axum::http::{HeaderMap, header};
use serde_json::{Map, Value, json};

/// The caller of a request. The route's authorization decides which kind it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Caller {
    /// The route is open.
    Anonymous,
    /// An IAM identity. The signature is not checked here, but the event contains an identity as on AWS.
    Iam,
    /// The bearer of a valid token.
    Bearer(Bearer),
}

/// The content of a verified token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bearer {
    pub(super) claims: Map<String, Value>,
    /// Those of the route's scopes that the token has.
    pub(super) scopes: Vec<String>,
}

impl Caller {
    /// The field `requestContext.authorizer` of the event. `None` for an open route.
    pub(super) fn authorizer(&self, headers: &HeaderMap, account: &str) -> Option<Value> {
        match self {
            Self::Anonymous => None,
            Self::Iam => Some(json!({ "iam": iam(headers, account) })),
            Self::Bearer(bearer) => Some(json!({ "jwt": bearer.context() })),
        }
    }
}

impl Bearer {
    /// The field `jwt`: every claim as text, whatever its type in the token. `scopes` is null if the route has no scopes.
    fn context(&self) -> Value {
        let claims: Map<_, _> = self.claims.iter().map(|(name, claim)| (name.clone(), text(claim).into())).collect();
        let scopes = if self.scopes.is_empty() { Value::Null } else { self.scopes.clone().into() };
        json!({ "claims": claims, "scopes": scopes })
    }
}

/// The claim as text. A list becomes `[a b]`.
fn text(claim: &Value) -> String {
    match claim {
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(text).collect::<Vec<_>>().join(" ")),
        other => other.to_string(),
    }
}

/// The field `iam`. The user's name is the access key that signed the request, or `local` without a signature.
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

/// The access key in `AWS4-HMAC-SHA256 Credential=<key>/…`.
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
    fn an_iam_identity_is_named_by_its_access_key() {
        let arn = |headers: &HeaderMap| Caller::Iam.authorizer(headers, ACCOUNT).unwrap()["iam"]["userArn"].clone();
        let signature = "AWS4-HMAC-SHA256 Credential=alice/20261120/eu-west-1/execute-api/aws4_request, Signature=0";
        let signed = HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_static(signature))]);
        assert_eq!(arn(&signed), "arn:aws:iam::000000000000:user/alice");
        assert_eq!(arn(&HeaderMap::new()), "arn:aws:iam::000000000000:user/local");
    }

    #[test]
    fn the_event_has_claims_as_text_and_scopes_as_a_list() {
        let claims = json!({ "sub": "alice", "exp": 1_795_187_106, "aud": ["a", "b"], "admin": true });
        let claims = claims.as_object().unwrap().clone();
        let authorizer = |scopes: &[&str]| {
            let scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
            let caller = Caller::Bearer(Bearer { claims: claims.clone(), scopes });
            caller.authorizer(&HeaderMap::new(), ACCOUNT).unwrap()
        };
        let text = json!({ "sub": "alice", "exp": "1795187106", "aud": "[a b]", "admin": "true" });
        assert_eq!(authorizer(&["read"]), json!({ "jwt": { "claims": text, "scopes": ["read"] } }));
        assert_eq!(authorizer(&[]), json!({ "jwt": { "claims": text, "scopes": null } }));
    }

    #[test]
    fn an_open_route_has_no_authorizer_in_the_event() {
        assert_eq!(Caller::Anonymous.authorizer(&HeaderMap::new(), ACCOUNT), None);
    }
}
