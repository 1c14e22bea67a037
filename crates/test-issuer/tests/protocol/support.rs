//! An issuer, and a client of it.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use reqwest::{Client, Response, Url};
use serde_json::Value;
use test_issuer::{Listening, Settings, TestIssuer};

pub(crate) const START: i64 = 1_795_183_200;

/// From RFC 7636, appendix B: a verifier, and its S256 challenge.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

const BACK: &str = "http://127.0.0.1:3000/back";

/// An issuer, a clock, and a browser that tells where it is sent instead of going there.
pub(crate) struct Fixture {
    pub(crate) issuer: TestIssuer,
    pub(crate) clock: Arc<AtomicI64>,
    pub(crate) http: Client,
}

pub(crate) async fn start() -> Fixture {
    let clock = Arc::new(AtomicI64::new(START));
    let reading = clock.clone();
    let listening = Listening::on("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let scopes = ["shop/read", "shop/write"].map(str::to_owned).to_vec();
    let settings =
        Settings { client_id: "page".into(), audience: "shop".into(), scopes, flows_claim: Some("groups".into()) };
    let issuer = listening.serve(settings, move || Timestamp::from_second(reading.load(Ordering::SeqCst)).unwrap());
    let http = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    Fixture { issuer, clock, http }
}

impl Fixture {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.issuer.url())
    }

    /// The query of a request to sign in that is as it should be, but for `changes`; an empty value takes a field away.
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

    pub(crate) async fn ask(&self, changes: &[(&str, &str)]) -> Response {
        self.http.get(self.url(&format!("/authorize?{}", self.request(changes)))).send().await.unwrap()
    }

    pub(crate) async fn decide(&self, request: &str, fields: &[(&str, &str)]) -> Response {
        let fields = [&[("request", request)], fields].concat();
        self.http.post(self.url("/authorize")).body(form(&fields)).send().await.unwrap()
    }

    /// A code for somebody who ticked both boxes.
    pub(crate) async fn code(&self) -> String {
        let fields = [("name", "operator"), ("scope", "shop/read"), ("scope", "shop/write")];
        sent_back(&self.decide(&self.request(&[]), &fields).await)["code"].clone()
    }

    pub(crate) async fn token(&self, fields: &[(&str, &str)]) -> (u16, Value) {
        let answer = self.http.post(self.url("/token")).body(form(fields)).send().await.unwrap();
        assert_eq!(answer.headers()["access-control-allow-origin"], "*");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        (answer.status().as_u16(), answer.json().await.unwrap())
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

/// What the browser takes back with it.
pub(crate) fn sent_back(answer: &Response) -> HashMap<String, String> {
    assert_eq!(answer.status(), 303);
    let location = answer.headers()["location"].to_str().unwrap();
    let told = location.strip_prefix(BACK).unwrap_or_else(|| panic!("sent to {location}"));
    Url::parse(&format!("http://x/{told}")).unwrap().query_pairs().into_owned().collect()
}

pub(crate) fn claims(token: &Value) -> Value {
    let claims = token.as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
}
