//! The token end point: exchanges a code, a refresh token or nothing but a name for an access token.

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

use crate::authorize::is_name;
use crate::fields::Fields;
use crate::grants::{Code, Grant};
use crate::issuer::{Issuer, LIFETIME, every_flow};

/// Whose token it is when a client asks for one without saying.
const NOBODY_IN_PARTICULAR: &str = "operator";

pub(crate) fn routes() -> Router<Arc<Issuer>> {
    Router::new().route("/token", post(token))
}

/// Why there is no token: OAuth's word for it, and ours.
struct Refused(&'static str, &'static str);

async fn token(State(issuer): State<Arc<Issuer>>, body: Bytes) -> Response {
    let answer = match answer(&issuer, &Fields::of(&body)) {
        Ok(answer) => (StatusCode::OK, Json(answer)),
        Err(Refused(error, description)) => {
            (StatusCode::BAD_REQUEST, Json(json!({ "error": error, "error_description": description })))
        }
    };
    ([(header::CACHE_CONTROL, "no-store")], answer).into_response()
}

fn answer(issuer: &Issuer, form: &Fields) -> Result<Value, Refused> {
    match form.get("grant_type") {
        Some("authorization_code") => {
            of_the_client(issuer, form)?;
            let code = exchanged(issuer, form)?;
            let mut answer = access(issuer, &code.grant);
            answer["refresh_token"] = issuer.grants.keep_refreshable(code.grant.clone()).into();
            if code.grant.openid {
                answer["id_token"] = id_token(issuer, &code).into();
            }
            Ok(answer)
        }
        Some("refresh_token") => {
            of_the_client(issuer, form)?;
            let grant = form.get("refresh_token").and_then(|name| issuer.grants.refreshable(name));
            Ok(access(issuer, &grant.ok_or(Refused("invalid_grant", "no such refresh token"))?))
        }
        Some("client_credentials") => Ok(access(issuer, &told(issuer, form)?)),
        Some(_) => Err(Refused("unsupported_grant_type", "authorization_code, refresh_token or client_credentials")),
        None => Err(Refused("invalid_request", "grant_type is missing: the body is a form")),
    }
}

fn of_the_client(issuer: &Issuer, form: &Fields) -> Result<(), Refused> {
    match form.get("client_id") == Some(&issuer.settings.client_id) {
        true => Ok(()),
        false => Err(Refused("invalid_client", "no client of this name is known here")),
    }
}

/// The code, if whoever brings it is who asked for it.
fn exchanged(issuer: &Issuer, form: &Fields) -> Result<Code, Refused> {
    let refused = |reason| Refused("invalid_grant", reason);
    let code = form.get("code").and_then(|name| issuer.grants.take_code(name)).ok_or(refused("no such code"))?;
    if code.expires < issuer.now() {
        return Err(refused("the code has expired"));
    }
    if form.get("redirect_uri") != Some(&code.redirect_uri) {
        return Err(refused("the code was asked for from elsewhere"));
    }
    let verifier = form.get("code_verifier").unwrap_or_default();
    if URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) != code.challenge {
        return Err(refused("code_verifier does not fit code_challenge"));
    }
    Ok(code)
}

/// What somebody on this machine says of themselves. Without scopes it is all of them, and without flows too.
fn told(issuer: &Issuer, form: &Fields) -> Result<Grant, Refused> {
    let subject = form.get("sub").unwrap_or(NOBODY_IN_PARTICULAR);
    if !is_name(subject) {
        return Err(Refused("invalid_request", "sub has 1 to 100 characters"));
    }
    let every = &issuer.settings.scopes;
    let asked = form.words("scope");
    if asked.iter().any(|scope| !every.contains(scope)) {
        return Err(Refused("invalid_scope", "there is no such scope"));
    }
    let scopes = if asked.is_empty() { every.clone() } else { asked };
    let flows = form.get("flows").map_or_else(every_flow, |_| form.words("flows"));
    Ok(Grant { subject: subject.to_owned(), scopes, flows, openid: false })
}

fn access(issuer: &Issuer, grant: &Grant) -> Value {
    json!({
        "access_token": issuer.key.sign(&issuer.access_claims(grant)),
        "token_type": "Bearer",
        "expires_in": LIFETIME,
        "scope": grant.scopes.join(" "),
    })
}

/// It tells the client who signed in. Its audience is the client, so no API takes it for an access token.
fn id_token(issuer: &Issuer, code: &Code) -> String {
    let now = issuer.now();
    let mut claims = json!({
        "iss": issuer.url,
        "sub": code.grant.subject,
        "name": code.grant.subject,
        "aud": issuer.settings.client_id,
        "iat": now,
        "exp": now + LIFETIME,
    });
    if let Some(nonce) = &code.nonce {
        claims["nonce"] = nonce.as_str().into();
    }
    issuer.key.sign(&claims)
}
