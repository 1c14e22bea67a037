//! The pages that people see: plain HTML, no script, and everything that comes from a request written as text.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

const STYLE: &str = include_str!("page.css");

const HEADERS: [(HeaderName, HeaderValue); 4] = [
    // No form-action: browsers hold the way back to it, too.
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"),
    ),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
];

const NOTE: &str = "<p class=\"note\">This is the test issuer of a Reprise that runs on this machine. It asks for no password: \
                    whoever opens this page is who they say they are.</p>";

/// Asks for a name, for what it may do and, where tokens limit that, to which flows.
pub(crate) fn sign_in(destination: &str, scopes: &[String], flows_claim: Option<&str>, request: &str) -> Response {
    let flows = flows_claim.map(|claim| flows(&escaped(claim))).unwrap_or_default();
    let boxes: String = scopes.iter().map(|scope| tick(&escaped(scope))).collect();
    show(
        StatusCode::OK,
        "Sign in",
        &format!(
            "{NOTE}<form method=\"post\" action=\"/authorize\">\
             <input type=\"hidden\" name=\"request\" value=\"{request}\">\
             <label class=\"name\">Name <input name=\"name\" value=\"operator\" required maxlength=\"100\" autofocus></label>\
             <fieldset><legend>May do</legend>{boxes}</fieldset>{flows}\
             <p><button name=\"decision\" value=\"allow\">Sign in</button> \
             <button name=\"decision\" value=\"deny\" formnovalidate>Refuse</button></p></form>\
             <p class=\"note\">Then back to {destination}</p>",
            request = escaped(request),
            destination = escaped(destination),
        ),
    )
}

fn flows(claim: &str) -> String {
    format!("<label class=\"name\">Flows (<code>{claim}</code>) <input name=\"flows\" value=\"*\"></label>")
}

fn tick(scope: &str) -> String {
    format!("<label><input type=\"checkbox\" name=\"scope\" value=\"{scope}\" checked> {scope}</label>")
}

/// Says why nothing can be done.
pub(crate) fn refusal(reason: &str) -> Response {
    show(StatusCode::BAD_REQUEST, "That does not work", &format!("<p>{}</p>{NOTE}", escaped(reason)))
}

pub(crate) fn signed_out() -> Response {
    show(StatusCode::OK, "Signed out", NOTE)
}

pub(crate) async fn about() -> Response {
    show(StatusCode::OK, "Test issuer", &format!("{NOTE}<p>Nobody signs in here directly: open the console.</p>"))
}

pub(crate) async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE).into_response()
}

fn show(status: StatusCode, title: &str, body: &str) -> Response {
    let page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title} · Test issuer</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><link rel=\"stylesheet\" href=\"/page.css\"></head>\
         <body><main><h1>{title}</h1>{body}</main></body></html>\n"
    );
    (status, HEADERS, Html(page)).into_response()
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
