//! The browser's end points: shows the sign-in page, handles its form, and redirects back to the client.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use axum::routing::get;

use crate::fields::Fields;
use crate::grants::{Code, Grant, is_valid_name};
use crate::page;
use crate::redirect::Destination;
use crate::state::Issuer;

/// How long an authorization code is valid, in seconds.
const CODE_LIFETIME: i64 = 300;

pub(crate) fn routes() -> Router<Arc<Issuer>> {
    Router::new()
        .route("/authorize", get(show_form).post(submit_form))
        .route("/end-session", get(end_session))
        .route("/", get(page::start))
        .route("/page.css", get(page::stylesheet))
}

/// An authorization request with a known client and a valid redirect URI.
struct Request {
    destination: Destination,
    state: Option<String>,
    fields: Fields,
}

impl Request {
    /// # Errors
    /// The message for the page, if the client is unknown or the redirect URI is not allowed: then there is no address to
    /// redirect to.
    fn read(issuer: &Issuer, fields: Fields) -> Result<Self, &'static str> {
        if fields.get("client_id") != Some(&issuer.settings.client_id) {
            return Err("This client id is unknown.");
        }
        let destination = fields.get("redirect_uri").and_then(Destination::of);
        let destination = destination.ok_or("redirect_uri is missing or not an address on this machine.")?;
        Ok(Self { destination, state: fields.get("state").map(str::to_owned), fields })
    }

    /// Returns the OAuth error code and description of an invalid request; `None` if it is valid.
    fn validate(&self) -> Option<(&'static str, &'static str)> {
        let challenge = (self.fields.get("code_challenge_method"), self.fields.get("code_challenge"));
        if self.fields.get("response_type") != Some("code") {
            return Some(("unsupported_response_type", "response_type must be code"));
        }
        if !matches!(challenge, (Some("S256"), Some(_))) {
            return Some(("invalid_request", "code_challenge with the method S256 is required"));
        }
        if self.fields.get("prompt") == Some("none") {
            return Some(("login_required", "this issuer keeps no sessions"));
        }
        None
    }

    fn redirect_error(&self, error: &str, description: &str) -> Response {
        let fields =
            [("error", Some(error)), ("error_description", Some(description)), ("state", self.state.as_deref())];
        self.destination.redirect(&fields)
    }

    /// The scopes on the page: the requested scopes that the issuer knows, or all scopes if it knows none of them.
    fn scopes(&self, issuer: &Issuer) -> Vec<String> {
        let requested = self.fields.words("scope");
        let all = &issuer.settings.scopes;
        let offered: Vec<_> = all.iter().filter(|scope| requested.contains(scope)).cloned().collect();
        if offered.is_empty() { all.clone() } else { offered }
    }
}

async fn show_form(State(issuer): State<Arc<Issuer>>, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let request = match Request::read(&issuer, Fields::of(query.as_bytes())) {
        Ok(request) => request,
        Err(reason) => return page::error(reason),
    };
    match request.validate() {
        Some((error, description)) => request.redirect_error(error, description),
        None => {
            let claim = issuer.settings.flows_claim.as_deref();
            page::sign_in(request.destination.text(), &request.scopes(&issuer), claim, &query)
        }
    }
}

/// Handles the form. Its field `request` contains the original query of the authorization request.
async fn submit_form(State(issuer): State<Arc<Issuer>>, body: Bytes) -> Response {
    let form = Fields::of(&body);
    let original = Fields::of(form.get("request").unwrap_or_default().as_bytes());
    let request = match Request::read(&issuer, original) {
        Ok(request) => request,
        Err(reason) => return page::error(reason),
    };
    if let Some((error, description)) = request.validate() {
        return request.redirect_error(error, description);
    }
    if form.get("decision") == Some("deny") {
        return request.redirect_error("access_denied", "the user refused");
    }
    let Some(subject) = form.get("name").map(str::trim).filter(|name| is_valid_name(name)) else {
        return page::error("A name has 1 to 100 characters.");
    };
    let ticked = form.words("scope");
    let scopes = request.scopes(&issuer).into_iter().filter(|scope| ticked.contains(scope)).collect();
    let openid = request.fields.words("scope").iter().any(|scope| scope == "openid");
    let code = issuer.grants.insert_code(Code {
        grant: Grant { subject: subject.to_owned(), scopes, flows: form.words("flows"), openid },
        redirect_uri: request.destination.text().to_owned(),
        challenge: request.fields.get("code_challenge").unwrap_or_default().to_owned(),
        nonce: request.fields.get("nonce").map(str::to_owned),
        expires: issuer.now() + CODE_LIFETIME,
    });
    request.destination.redirect(&[("code", Some(&code)), ("state", request.state.as_deref())])
}

/// Redirects to `post_logout_redirect_uri`. There is no session to end.
async fn end_session(RawQuery(query): RawQuery) -> Response {
    let fields = Fields::of(query.unwrap_or_default().as_bytes());
    match fields.get("post_logout_redirect_uri").map(Destination::of) {
        Some(Some(destination)) => destination.redirect(&[("state", fields.get("state"))]),
        Some(None) => page::error("post_logout_redirect_uri is not an address on this machine."),
        None => page::signed_out(),
    }
}
