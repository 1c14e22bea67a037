//! A test fixture: an issuer and a client.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use reqwest::{Client, Response, Url};
use serde_json::Value;
use test_issuer::{IssuerListener, Settings, TestIssuer};

pub(crate) const START: i64 = 1_795_183_200;

/// A verifier and its S256 challenge, from RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

const BACK: &str = "http://127.0.0.1:3000/back";

/// An issuer, a clock, and an HTTP client that does not follow redirects.
pub(crate) struct Fixture {
    pub(crate) issuer: TestIssuer,
    pub(crate) clock: Arc<AtomicI64>,
    pub(crate) http: Client,
}

pub(crate) async fn start() -> Fixture {
    let clock = Arc::new(AtomicI64::new(START));
    let clock_value = clock.clone();
    let listener = IssuerListener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let scopes = ["shop/read", "shop/write"].map(str::to_owned).to_vec();
    let settings =
        Settings { client_id: "page".into(), audience: "shop".into(), scopes, flows_claim: Some("groups".into()) };
    let issuer = listener.serve(settings, move || Timestamp::from_second(clock_value.load(Ordering::SeqCst)).unwrap());
    let http = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    Fixture { issuer, clock, http }
}

impl Fixture {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.issuer.url())
    }

    /// The query of a valid authorization request, with `changes`. An empty value removes a field.
    pub(crate) fn request(&self, changes: &[(&str, &str)]) -> String {
        let mut fields = vec![
            ("response_type", "code"),
            ("client_id", "page"),
            ("redirect_uri", BACK),
            ("scope", "openid shop/read shop/write"),
            ("state", "s"),
            ("nonce", "n"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        for (name, value) in changes {
            fields.retain(|(field, _)| field != name);
            if !value.is_empty() {
                fields.push((name, value));
            }
        }
        form(&fields)
    }

    pub(crate) async fn authorize(&self, changes: &[(&str, &str)]) -> Response {
        self.http.get(self.url(&format!("/authorize?{}", self.request(changes)))).send().await.unwrap()
    }

    pub(crate) async fn submit(&self, request: &str, fields: &[(&str, &str)]) -> Response {
        let fields = [&[("request", request)], fields].concat();
        self.http.post(self.url("/authorize")).body(form(&fields)).send().await.unwrap()
    }

    /// An authorization code for both scopes.
    pub(crate) async fn code(&self) -> String {
        let fields = [("name", "operator"), ("scope", "shop/read"), ("scope", "shop/write")];
        redirect_fields(&self.submit(&self.request(&[]), &fields).await)["code"].clone()
    }

    pub(crate) async fn token(&self, fields: &[(&str, &str)]) -> (u16, Value) {
        let response = self.http.post(self.url("/token")).body(form(fields)).send().await.unwrap();
        assert_eq!(response.headers()["access-control-allow-origin"], "*");
        assert_eq!(response.headers()["cache-control"], "no-store");
        (response.status().as_u16(), response.json().await.unwrap())
    }

    pub(crate) async fn exchange(&self, code: &str, changes: &[(&str, &str)]) -> (u16, Value) {
        let mut fields = HashMap::from([
            ("grant_type", "authorization_code"),
            ("client_id", "page"),
            ("redirect_uri", BACK),
            ("code_verifier", VERIFIER),
            ("code", code),
        ]);
        fields.extend(changes.iter().copied());
        self.token(&fields.into_iter().collect::<Vec<_>>()).await
    }
}

pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    Url::parse_with_params("form:", fields).unwrap().query().unwrap_or_default().to_owned()
}

/// The query fields of the redirect to the client.
pub(crate) fn redirect_fields(response: &Response) -> HashMap<String, String> {
    assert_eq!(response.status(), 303);
    let location = response.headers()["location"].to_str().unwrap();
    let query = location.strip_prefix(BACK).unwrap_or_else(|| panic!("redirected to {location}"));
    Url::parse(&format!("http://x/{query}")).unwrap().query_pairs().into_owned().collect()
}

pub(crate) fn claims(token: &Value) -> Value {
    let claims = token.as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
}
