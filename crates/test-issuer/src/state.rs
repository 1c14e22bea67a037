//! The state that the end points share: settings, key and grants.

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::grants::{Grant, Grants};
use crate::key::Key;

/// How long an access token is valid, in seconds.
pub(crate) const TOKEN_LIFETIME: i64 = 3600;

/// The client, audience and scopes of an issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The only client for signing in. It is a public client, so it has no secret.
    pub client_id: String,
    /// The `aud` claim of access tokens.
    pub audience: String,
    /// All scopes of the API.
    pub scopes: Vec<String>,
    /// The name of the claim that lists the flows a bearer may see. Without it, tokens have no such claim.
    pub flows_claim: Option<String>,
}

/// The shared state of all end points.
pub(crate) struct Issuer {
    pub(crate) url: String,
    pub(crate) settings: Settings,
    pub(crate) key: Key,
    pub(crate) now: Box<dyn Fn() -> Timestamp + Send + Sync>,
    pub(crate) grants: Grants,
}

impl Issuer {
    /// The current time in Unix seconds, as in the claims of tokens.
    pub(crate) fn now(&self) -> i64 {
        (self.now)().as_second()
    }

    pub(crate) fn access_claims(&self, grant: &Grant) -> Value {
        let now = self.now();
        let mut claims = json!({
            "iss": self.url,
            "sub": grant.subject,
            "aud": self.settings.audience,
            "client_id": self.settings.client_id,
            "scope": grant.scopes.join(" "),
            "iat": now,
            "nbf": now,
            "exp": now + TOKEN_LIFETIME,
            "jti": Uuid::new_v4().to_string(),
        });
        if let Some(name) = &self.settings.flows_claim {
            claims[name] = grant.flows.clone().into();
        }
        claims
    }
}

/// The value of the flows claim for access to all flows.
pub(crate) fn all_flows() -> Vec<String> {
    vec!["*".to_owned()]
}
