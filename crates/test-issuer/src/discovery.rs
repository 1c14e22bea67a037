//! The discovery document with the end points, and the public key. Clients and APIs read them first.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::state::Issuer;

pub(crate) fn routes() -> Router<Arc<Issuer>> {
    Router::new().route("/.well-known/openid-configuration", get(configuration)).route("/jwks", get(keys))
}

async fn configuration(State(issuer): State<Arc<Issuer>>) -> Json<Value> {
    let url = &issuer.url;
    let mut scopes = vec!["openid".to_owned()];
    scopes.extend(issuer.settings.scopes.clone());
    Json(json!({
        "issuer": url,
        "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": format!("{url}/token"),
        "jwks_uri": format!("{url}/jwks"),
        "end_session_endpoint": format!("{url}/end-session"),
        "scopes_supported": scopes,
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "code_challenge_methods_supported": ["S256"],
    }))
}

async fn keys(State(issuer): State<Arc<Issuer>>) -> Json<Value> {
    Json(json!({ "keys": [issuer.key.jwk()] }))
}
