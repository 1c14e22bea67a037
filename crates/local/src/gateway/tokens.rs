//! The JWT authorizer of an HTTP API: takes a token or says why not.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use serde_json::{Map, Value};

use super::caller::Bearer;
use super::keys::{KeyError, Keys};
use super::{claims, response};
use crate::template::Authorizer;

/// Why a request goes no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Denied {
    /// Nobody said who they are.
    NoToken,
    /// The token is not to be believed, for this reason.
    Invalid(&'static str),
    /// It is, and does not allow this.
    Scope,
}

/// Judges tokens.
pub(super) struct Tokens {
    keys: Keys,
}

impl Tokens {
    pub(super) fn new() -> Result<Self, reqwest::Error> {
        Ok(Self { keys: Keys::new()? })
    }

    /// Who calls, by the token in `headers` and with one of `wanted` scopes at least. No wanted scopes is any token.
    ///
    /// # Errors
    /// Why the request is refused.
    pub(super) async fn judge(
        &self,
        headers: &HeaderMap,
        authorizer: &Authorizer,
        wanted: &[String],
        now: Timestamp,
    ) -> Result<Bearer, Denied> {
        let token = bearer(headers).ok_or(Denied::NoToken)?;
        let claims = self.signed(token, &authorizer.issuer).await?;
        claims::check(&claims, authorizer, now.as_second()).map_err(Denied::Invalid)?;
        let scopes = claims::scopes(&claims, wanted);
        if scopes.is_empty() && !wanted.is_empty() {
            return Err(Denied::Scope);
        }
        Ok(Bearer { claims, scopes })
    }

    /// The claims, if the issuer has signed them. The issuer says by which key; the algorithm is never the token's choice.
    async fn signed(&self, token: &str, issuer: &str) -> Result<Map<String, Value>, Denied> {
        let header = decode_header(token).map_err(|_| Denied::Invalid("the token is none that is understood"))?;
        if header.alg != Algorithm::RS256 {
            return Err(Denied::Invalid("the token is not signed by RS256"));
        }
        let id = header.kid.ok_or(Denied::Invalid("the token does not name its key"))?;
        let key = self.keys.find(issuer, &id).await.map_err(|error| match error {
            KeyError::Unknown => Denied::Invalid("the token's key is none of the issuer's"),
            error => {
                tracing::warn!(issuer, "{:#}", anyhow::Error::from(error));
                Denied::Invalid("OIDC discovery endpoint communication error")
            }
        })?;
        // Claims are held to their rules by the movable clock, which the library does not know.
        let mut signature_alone = Validation::new(Algorithm::RS256);
        signature_alone.required_spec_claims.clear();
        signature_alone.validate_exp = false;
        signature_alone.validate_aud = false;
        let token = decode(token, &key, &signature_alone);
        token.map(|token| token.claims).map_err(|_| Denied::Invalid("the token's signature is not valid"))
    }
}

/// The token, with or without `Bearer` before it.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?.trim();
    let (scheme, rest) = text.split_once(' ').unwrap_or((text, ""));
    let token = if scheme.eq_ignore_ascii_case("bearer") { rest.trim() } else { text };
    (!token.is_empty()).then_some(token)
}

impl Denied {
    /// What API Gateway says: the reason stands in a header.
    pub(super) fn response(self, wanted: &[String]) -> Response {
        let scope = wanted.join(" ");
        let (status, text, challenge) = match self {
            Self::NoToken => (StatusCode::UNAUTHORIZED, "Unauthorized", "Bearer".to_owned()),
            Self::Invalid(reason) => {
                let challenge =
                    format!("Bearer scope=\"{scope}\" error=\"invalid_token\" error_description=\"{reason}\"");
                (StatusCode::UNAUTHORIZED, "Unauthorized", challenge)
            }
            Self::Scope => {
                let reason = "the token does not have a scope of the route";
                let challenge =
                    format!("Bearer scope=\"{scope}\" error=\"insufficient_scope\" error_description=\"{reason}\"");
                (StatusCode::FORBIDDEN, "Forbidden", challenge)
            }
        };
        let mut response = response::message(status, text);
        if let Ok(challenge) = HeaderValue::try_from(challenge) {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
