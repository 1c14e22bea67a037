//! Signing in and out, in a browser: the page, what it sends, and the way back.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use axum::routing::get;

use crate::fields::Fields;
use crate::grants::{Code, Grant};
use crate::issuer::Issuer;
use crate::page;
use crate::redirect::Destination;

/// How long a code waits to be exchanged, in seconds.
const PATIENCE: i64 = 300;

/// The longest name that may be signed in with.
const LONGEST_NAME: usize = 100;

pub(crate) fn routes() -> Router<Arc<Issuer>> {
    Router::new()
        .route("/authorize", get(ask).post(decide))
        .route("/end-session", get(end_session))
        .route("/", get(page::about))
        .route("/page.css", get(page::style))
}

/// A request to sign in that can be answered: where to is known, and whose it is.
struct Request {
    destination: Destination,
    state: Option<String>,
    fields: Fields,
}

impl Request {
    /// # Errors
    /// What the person is told, because there is nowhere to send them.
    fn read(issuer: &Issuer, fields: Fields) -> Result<Self, &'static str> {
        if fields.get("client_id") != Some(&issuer.settings.client_id) {
            return Err("No client of this name is known here.");
        }
        let destination = fields.get("redirect_uri").and_then(Destination::of);
        let destination = destination.ok_or("The address to go back to is missing, or not on this machine.")?;
        Ok(Self { destination, state: fields.get("state").map(str::to_owned), fields })
    }

    /// What is wrong with it, that the client is told.
    fn fault(&self) -> Option<(&'static str, &'static str)> {
        let challenge = (self.fields.get("code_challenge_method"), self.fields.get("code_challenge"));
        if self.fields.get("response_type") != Some("code") {
            return Some(("unsupported_response_type", "response_type is code"));
        }
        if !matches!(challenge, (Some("S256"), Some(_))) {
            return Some(("invalid_request", "code_challenge with the method S256 is required"));
        }
        if self.fields.get("prompt") == Some("none") {
            return Some(("login_required", "nobody stays signed in here"));
        }
        None
    }

    fn refuse(&self, error: &str, description: &str) -> Response {
        let fields =
            [("error", Some(error)), ("error_description", Some(description)), ("state", self.state.as_deref())];
        self.destination.answer(&fields)
    }

    /// What is offered: of the scopes that there are those that were asked for, or all.
    fn scopes(&self, issuer: &Issuer) -> Vec<String> {
        let asked = self.fields.words("scope");
        let every = &issuer.settings.scopes;
        let offered: Vec<_> = every.iter().filter(|scope| asked.contains(scope)).cloned().collect();
        if offered.is_empty() { every.clone() } else { offered }
    }
}

async fn ask(State(issuer): State<Arc<Issuer>>, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let request = match Request::read(&issuer, Fields::of(query.as_bytes())) {
        Ok(request) => request,
        Err(reason) => return page::refusal(reason),
    };
    match request.fault() {
        Some((error, description)) => request.refuse(error, description),
        None => {
            let claim = issuer.settings.flows_claim.as_deref();
            page::sign_in(request.destination.text(), &request.scopes(&issuer), claim, &query)
        }
    }
}

/// The form sends the request along as it came, in one field.
async fn decide(State(issuer): State<Arc<Issuer>>, body: Bytes) -> Response {
    let form = Fields::of(&body);
    let original = Fields::of(form.get("request").unwrap_or_default().as_bytes());
    let request = match Request::read(&issuer, original) {
        Ok(request) => request,
        Err(reason) => return page::refusal(reason),
    };
    if let Some((error, description)) = request.fault() {
        return request.refuse(error, description);
    }
    if form.get("decision") == Some("deny") {
        return request.refuse("access_denied", "the person would rather not");
    }
    let Some(subject) = form.get("name").map(str::trim).filter(|name| is_name(name)) else {
        return page::refusal("A name has 1 to 100 characters.");
    };
    let ticked = form.words("scope");
    let scopes = request.scopes(&issuer).into_iter().filter(|scope| ticked.contains(scope)).collect();
    let openid = request.fields.words("scope").iter().any(|scope| scope == "openid");
    let code = issuer.grants.keep_code(Code {
        grant: Grant { subject: subject.to_owned(), scopes, flows: form.words("flows"), openid },
        redirect_uri: request.destination.text().to_owned(),
        challenge: request.fields.get("code_challenge").unwrap_or_default().to_owned(),
        nonce: request.fields.get("nonce").map(str::to_owned),
        expires: issuer.now() + PATIENCE,
    });
    request.destination.answer(&[("code", Some(&code)), ("state", request.state.as_deref())])
}

pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().count() <= LONGEST_NAME && !name.chars().any(char::is_control)
}

/// There is no session, so all there is to do is to go back.
async fn end_session(RawQuery(query): RawQuery) -> Response {
    let fields = Fields::of(query.unwrap_or_default().as_bytes());
    match fields.get("post_logout_redirect_uri").map(Destination::of) {
        Some(Some(destination)) => destination.answer(&[("state", fields.get("state"))]),
        Some(None) => page::refusal("The address to go back to is not on this machine."),
        None => page::signed_out(),
    }
}
