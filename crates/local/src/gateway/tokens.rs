//! The JWT authorizer of an HTTP API: accepts a token or returns the reason why not.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use serde_json::{Map, Value};

use super::caller::Bearer;
use super::keys::{KeyCache, KeyError};
use super::{claims, response};
use crate::template::Authorizer;

/// The reason why a request is denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Denied {
    /// The request has no token.
    NoToken,
    /// The token is not valid, for this reason.
    InvalidToken(&'static str),
    /// The token is valid but has none of the route's scopes.
    MissingScope,
}

/// Verifies tokens against the keys of their issuer.
pub(super) struct TokenVerifier {
    keys: KeyCache,
}

impl TokenVerifier {
    pub(super) fn new() -> Result<Self, reqwest::Error> {
        Ok(Self { keys: KeyCache::new()? })
    }

    /// Verifies the token in `headers` and returns its bearer. The token needs at least one of the `wanted` scopes; if
    /// `wanted` is empty, it needs none.
    ///
    /// # Errors
    /// The reason why the request is denied.
    pub(super) async fn verify(
        &self,
        headers: &HeaderMap,
        authorizer: &Authorizer,
        wanted: &[String],
        now: Timestamp,
    ) -> Result<Bearer, Denied> {
        let token = bearer_token(headers).ok_or(Denied::NoToken)?;
        let claims = self.verify_signature(token, &authorizer.issuer).await?;
        claims::check(&claims, authorizer, now.as_second()).map_err(Denied::InvalidToken)?;
        let scopes = claims::scopes(&claims, wanted);
        if scopes.is_empty() && !wanted.is_empty() {
            return Err(Denied::MissingScope);
        }
        Ok(Bearer { claims, scopes })
    }

    /// The claims of a token that the issuer has signed. The key comes from the issuer. The algorithm is always RS256: the
    /// token cannot choose it.
    async fn verify_signature(&self, token: &str, issuer: &str) -> Result<Map<String, Value>, Denied> {
        let header = decode_header(token).map_err(|_| Denied::InvalidToken("the token is malformed"))?;
        if header.alg != Algorithm::RS256 {
            return Err(Denied::InvalidToken("the token is not signed by RS256"));
        }
        let id = header.kid.ok_or(Denied::InvalidToken("the token does not name its key"))?;
        let key = self.keys.find(issuer, &id).await.map_err(|error| match error {
            KeyError::Unknown => Denied::InvalidToken("the issuer does not have the token's key"),
            error => {
                tracing::warn!(issuer, "{:#}", anyhow::Error::from(error));
                Denied::InvalidToken("OIDC discovery endpoint communication error")
            }
        })?;
        // The library checks the signature only. `claims::check` checks the claims, because it uses the movable clock.
        let mut signature_only = Validation::new(Algorithm::RS256);
        signature_only.required_spec_claims.clear();
        signature_only.validate_exp = false;
        signature_only.validate_aud = false;
        let token = decode(token, &key, &signature_only);
        token.map(|token| token.claims).map_err(|_| Denied::InvalidToken("the token's signature is not valid"))
    }
}

/// The token of the header `authorization`, with or without the scheme `Bearer`.
fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?.trim();
    let (scheme, rest) = text.split_once(' ').unwrap_or((text, ""));
    let token = if scheme.eq_ignore_ascii_case("bearer") { rest.trim() } else { text };
    (!token.is_empty()).then_some(token)
}

impl Denied {
    /// API Gateway's response. The reason is in the header `www-authenticate`.
    pub(super) fn response(self, wanted: &[String]) -> Response {
        let scope = wanted.join(" ");
        let (status, text, challenge) = match self {
            Self::NoToken => (StatusCode::UNAUTHORIZED, "Unauthorized", "Bearer".to_owned()),
            Self::InvalidToken(reason) => {
                let challenge =
                    format!("Bearer scope=\"{scope}\" error=\"invalid_token\" error_description=\"{reason}\"");
                (StatusCode::UNAUTHORIZED, "Unauthorized", challenge)
            }
            Self::MissingScope => {
                let reason = "the token does not have a scope of the route";
                let challenge =
                    format!("Bearer scope=\"{scope}\" error=\"insufficient_scope\" error_description=\"{reason}\"");
                (StatusCode::FORBIDDEN, "Forbidden", challenge)
            }
        };
        let mut response = response::error_response(status, text);
        if let Ok(challenge) = HeaderValue::try_from(challenge) {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
