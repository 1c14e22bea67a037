//! Worlds whose API requires tokens, as a deployment with an issuer does.

use local::TestIssuer;
use local::template::Route;
use serde_json::Value;

use crate::{Answer, World};

impl World {
    /// Starts a stack in memory with access control and the test issuer.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_guarded() -> Self {
        let mut options = Self::options(None).await;
        options.issuer = Some("127.0.0.1:0".parse().expect("an address"));
        Self::with(local::Stack::start(options).await.expect("the stack starts")).await
    }

    /// Starts a stack in memory with access control in which the claim `cognito:groups` lists the flows that a token may see.
    /// Its AWS endpoint records the cost of each call.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_limited() -> Self {
        let mut options = Self::options(None).await;
        options.issuer = Some("127.0.0.1:0".parse().expect("an address"));
        options.flows_claim = Some("cognito:groups".to_owned());
        Self::with(local::Stack::start_metered(options).await.expect("the stack starts")).await
    }

    /// A token with every scope and with `flows` as its claim of flows: an array or a string. Null omits the claim.
    ///
    /// # Panics
    /// When the stack has no claim of flows.
    #[must_use]
    pub fn token_for(&self, subject: &str, flows: Value) -> String {
        let settings = self.issuer().settings();
        let claim = settings.flows_claim.as_deref().expect("the stack has a claim of flows");
        let mut claims = self.issuer().claims(subject, &settings.scopes);
        claims[claim] = flows;
        self.issuer().sign(&claims)
    }

    /// The issuer whose tokens the API accepts.
    ///
    /// # Panics
    /// When the stack has no issuer.
    #[must_use]
    pub fn issuer(&self) -> &TestIssuer {
        self.stack.issuer().expect("the stack has an issuer")
    }

    /// A token with these scopes, without their prefix `reprise/`: `&["read", "operate"]`.
    #[must_use]
    pub fn token(&self, subject: &str, scopes: &[&str]) -> String {
        let scopes: Vec<String> = scopes.iter().map(|scope| format!("reprise/{scope}")).collect();
        self.issuer().token(subject, &scopes)
    }

    /// Sends a request, with or without a token and a JSON body.
    ///
    /// # Panics
    /// When the method is invalid or there is no response.
    pub async fn request(&self, method: &str, path: &str, token: Option<&str>, body: Option<Value>) -> Answer {
        let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
        let mut request = self.http.request(method, self.url(path));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        self.call(request).await
    }

    /// Sends `POST` with a JSON body, a token and an Idempotency-Key.
    pub async fn request_once(&self, path: &str, key: &str, token: &str, body: Value) -> Answer {
        self.call(self.http.post(self.url(path)).bearer_auth(token).header("Idempotency-Key", key).json(&body)).await
    }

    /// The routes of the API, from the template.
    #[must_use]
    pub fn routes(&self) -> &[Route] {
        &self.stack.template().routes
    }
}
