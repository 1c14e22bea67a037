//! The HTML pages, without scripts. All values from a request are escaped.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

const STYLE: &str = include_str!("page.css");

const HEADERS: [(HeaderName, HeaderValue); 4] = [
    // Without form-action: browsers would also apply it to the redirect after the form.
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"),
    ),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
];

const NOTICE: &str = "<p class=\"note\">This is the test issuer of a Reprise that runs on this machine. It asks for no password: \
                    you can sign in under any name.</p>";

/// The sign-in form: a name, the scopes, and the flows if the issuer has a claim for them.
pub(crate) fn sign_in(destination: &str, scopes: &[String], flows_claim: Option<&str>, request: &str) -> Response {
    let flows = flows_claim.map(|claim| flows_field(&escape(claim))).unwrap_or_default();
    let boxes: String = scopes.iter().map(|scope| checkbox(&escape(scope))).collect();
    render(
        StatusCode::OK,
        "Sign in",
        &format!(
            "{NOTICE}<form method=\"post\" action=\"/authorize\">\
             <input type=\"hidden\" name=\"request\" value=\"{request}\">\
             <label class=\"name\">Name <input name=\"name\" value=\"operator\" required maxlength=\"100\" autofocus></label>\
             <fieldset><legend>May do</legend>{boxes}</fieldset>{flows}\
             <p><button name=\"decision\" value=\"allow\">Sign in</button> \
             <button name=\"decision\" value=\"deny\" formnovalidate>Refuse</button></p></form>\
             <p class=\"note\">Then back to {destination}</p>",
            request = escape(request),
            destination = escape(destination),
        ),
    )
}

fn flows_field(claim: &str) -> String {
    format!("<label class=\"name\">Flows (<code>{claim}</code>) <input name=\"flows\" value=\"*\"></label>")
}

fn checkbox(scope: &str) -> String {
    format!("<label><input type=\"checkbox\" name=\"scope\" value=\"{scope}\" checked> {scope}</label>")
}

/// The error page, with status 400.
pub(crate) fn error(reason: &str) -> Response {
    render(StatusCode::BAD_REQUEST, "Invalid request", &format!("<p>{}</p>{NOTICE}", escape(reason)))
}

pub(crate) fn signed_out() -> Response {
    render(StatusCode::OK, "Signed out", NOTICE)
}

pub(crate) async fn start() -> Response {
    render(StatusCode::OK, "Test issuer", &format!("{NOTICE}<p>To sign in, open the console.</p>"))
}

pub(crate) async fn stylesheet() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE).into_response()
}

fn render(status: StatusCode, title: &str, body: &str) -> Response {
    let page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title} · Test issuer</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><link rel=\"stylesheet\" href=\"/page.css\"></head>\
         <body><main><h1>{title}</h1>{body}</main></body></html>\n"
    );
    (status, HEADERS, Html(page)).into_response()
}

fn escape(text: &str) -> String {
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
