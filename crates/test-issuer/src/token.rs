//! The token end point. It issues an access token for an authorization code, a refresh token, or just a name.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::fields::Fields;
use crate::grants::{Code, Grant, is_valid_name};
use crate::state::{Issuer, TOKEN_LIFETIME, all_flows};

/// The subject of a token of `client_credentials` without `sub`.
const DEFAULT_SUBJECT: &str = "operator";

pub(crate) fn routes() -> Router<Arc<Issuer>> {
    Router::new().route("/token", post(token))
}

/// OAuth's error code, and a description.
struct TokenError(&'static str, &'static str);

async fn token(State(issuer): State<Arc<Issuer>>, body: Bytes) -> Response {
    let answer = match respond(&issuer, &Fields::of(&body)) {
        Ok(answer) => (StatusCode::OK, Json(answer)),
        Err(TokenError(error, description)) => {
            (StatusCode::BAD_REQUEST, Json(json!({ "error": error, "error_description": description })))
        }
    };
    ([(header::CACHE_CONTROL, "no-store")], answer).into_response()
}

fn respond(issuer: &Issuer, form: &Fields) -> Result<Value, TokenError> {
    match form.get("grant_type") {
        Some("authorization_code") => {
            check_client(issuer, form)?;
            let code = redeem_code(issuer, form)?;
            let mut answer = access_response(issuer, &code.grant);
            answer["refresh_token"] = issuer.grants.insert_refresh_token(code.grant.clone()).into();
            if code.grant.openid {
                answer["id_token"] = id_token(issuer, &code).into();
            }
            Ok(answer)
        }
        Some("refresh_token") => {
            check_client(issuer, form)?;
            let grant = form.get("refresh_token").and_then(|name| issuer.grants.refresh_token(name));
            Ok(access_response(issuer, &grant.ok_or(TokenError("invalid_grant", "no such refresh token"))?))
        }
        Some("client_credentials") => Ok(access_response(issuer, &client_credentials(issuer, form)?)),
        Some(_) => Err(TokenError("unsupported_grant_type", "authorization_code, refresh_token or client_credentials")),
        None => Err(TokenError("invalid_request", "grant_type is missing: the body is a form")),
    }
}

fn check_client(issuer: &Issuer, form: &Fields) -> Result<(), TokenError> {
    match form.get("client_id") == Some(&issuer.settings.client_id) {
        true => Ok(()),
        false => Err(TokenError("invalid_client", "this client id is unknown")),
    }
}

/// Redeems an authorization code. Checks that it comes from the client that requested it.
fn redeem_code(issuer: &Issuer, form: &Fields) -> Result<Code, TokenError> {
    let invalid = |reason| TokenError("invalid_grant", reason);
    let code = form.get("code").and_then(|name| issuer.grants.take_code(name)).ok_or(invalid("no such code"))?;
    if code.expires < issuer.now() {
        return Err(invalid("the code has expired"));
    }
    if form.get("redirect_uri") != Some(&code.redirect_uri) {
        return Err(invalid("redirect_uri does not match the authorization request"));
    }
    let verifier = form.get("code_verifier").unwrap_or_default();
    if URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) != code.challenge {
        return Err(invalid("code_verifier does not match code_challenge"));
    }
    Ok(code)
}

/// The grant of `client_credentials`: the form may name the subject, scopes and flows. Without scopes or flows it grants all.
fn client_credentials(issuer: &Issuer, form: &Fields) -> Result<Grant, TokenError> {
    let subject = form.get("sub").unwrap_or(DEFAULT_SUBJECT);
    if !is_valid_name(subject) {
        return Err(TokenError("invalid_request", "sub has 1 to 100 characters"));
    }
    let all = &issuer.settings.scopes;
    let requested = form.words("scope");
    if requested.iter().any(|scope| !all.contains(scope)) {
        return Err(TokenError("invalid_scope", "unknown scope"));
    }
    let scopes = if requested.is_empty() { all.clone() } else { requested };
    let flows = form.get("flows").map_or_else(all_flows, |_| form.words("flows"));
    Ok(Grant { subject: subject.to_owned(), scopes, flows, openid: false })
}

fn access_response(issuer: &Issuer, grant: &Grant) -> Value {
    json!({
        "access_token": issuer.key.sign(&issuer.access_claims(grant)),
        "token_type": "Bearer",
        "expires_in": TOKEN_LIFETIME,
        "scope": grant.scopes.join(" "),
    })
}

/// The id token, which contains the name of the user. Its audience is the client, so an API does not accept it as an access token.
fn id_token(issuer: &Issuer, code: &Code) -> String {
    let now = issuer.now();
    let mut claims = json!({
        "iss": issuer.url,
        "sub": code.grant.subject,
        "name": code.grant.subject,
        "aud": issuer.settings.client_id,
        "iat": now,
        "exp": now + TOKEN_LIFETIME,
    });
    if let Some(nonce) = &code.nonce {
        claims["nonce"] = nonce.as_str().into();
    }
    issuer.key.sign(&claims)
}
