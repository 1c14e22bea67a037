//! A world whose API asks for tokens, as a deployment with an issuer does.

use local::TestIssuer;
use local::template::Route;
use serde_json::Value;

use crate::{Answer, World};

impl World {
    /// Starts a stack in memory with the rules of access on, and the test issuer.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_guarded() -> Self {
        let mut options = Self::options(None).await;
        options.issuer = Some("127.0.0.1:0".parse().expect("an address"));
        Self::with(local::Stack::start(options).await.expect("the stack starts")).await
    }

    /// Starts a guarded stack in memory whose tokens list in `cognito:groups` what their bearers may see, and whose AWS endpoint
    /// counts what its calls cost.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_limited() -> Self {
        let mut options = Self::options(None).await;
        options.issuer = Some("127.0.0.1:0".parse().expect("an address"));
        options.flows_claim = Some("cognito:groups".to_owned());
        Self::with(local::Stack::start_metered(options).await.expect("the stack starts")).await
    }

    /// A token with every scope whose claim of flows is `flows`, a list or a text; null leaves the claim out.
    ///
    /// # Panics
    /// When the world does not limit bearers.
    #[must_use]
    pub fn token_for(&self, subject: &str, flows: Value) -> String {
        let settings = self.issuer().settings();
        let claim = settings.flows_claim.as_deref().expect("bearers are limited");
        let mut claims = self.issuer().claims(subject, &settings.scopes);
        claims[claim] = flows;
        self.issuer().sign(&claims)
    }

    /// Whose tokens the API asks for.
    ///
    /// # Panics
    /// When it asks for none.
    #[must_use]
    pub fn issuer(&self) -> &TestIssuer {
        self.stack.issuer().expect("the world is guarded")
    }

    /// A token with these scopes, `reprise/` left out: `&["read", "operate"]`.
    #[must_use]
    pub fn token(&self, subject: &str, scopes: &[&str]) -> String {
        let scopes: Vec<String> = scopes.iter().map(|scope| format!("reprise/{scope}")).collect();
        self.issuer().token(subject, &scopes)
    }

    /// A request with a token, or without one; a body goes as JSON.
    ///
    /// # Panics
    /// When the method is none or nobody answers.
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

    /// `POST` of JSON with a token and an Idempotency-Key.
    pub async fn request_once(&self, path: &str, key: &str, token: &str, body: Value) -> Answer {
        self.call(self.http.post(self.url(path)).bearer_auth(token).header("Idempotency-Key", key).json(&body)).await
    }

    /// The routes that the API has, as the template gives them.
    #[must_use]
    pub fn routes(&self) -> &[Route] {
        &self.stack.template().routes
    }
}
