//! The issuer as its owner has it: listening first, so that others can be told where it is; then answering.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::grants::{Grant, Grants};
use crate::key::Key;
use crate::{authorize, cors, discovery, token};

/// How long an access token lives, in seconds.
pub(crate) const LIFETIME: i64 = 3600;

/// Who asks for tokens, and what there is to be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The one client that people sign in through. It is public: it has no secret.
    pub client_id: String,
    /// What access tokens are for: their `aud`.
    pub audience: String,
    /// Every scope that there is.
    pub scopes: Vec<String>,
    /// The claim that lists the flows which a token opens, where it is to have one.
    pub flows_claim: Option<String>,
}

/// Why there is no issuer.
#[derive(Debug, thiserror::Error)]
pub enum IssuerError {
    /// It gives everybody every right, so nobody else may reach it.
    #[error("the test issuer listens on this machine's own addresses only, and {0} is none")]
    NotLoopback(SocketAddr),
    /// The address cannot be had.
    #[error("the test issuer cannot listen on {address}")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// No key came to be.
    #[error("the test issuer has no key to sign with")]
    Key,
}

/// An issuer that has its address and does not answer yet.
pub struct Listening {
    listener: TcpListener,
    address: SocketAddr,
    key: Key,
}

impl Listening {
    /// Takes `address`; port 0 takes a free one.
    ///
    /// # Errors
    /// When the address is taken, or not one of the loopback interface.
    pub async fn on(address: SocketAddr) -> Result<Self, IssuerError> {
        if !address.ip().is_loopback() {
            return Err(IssuerError::NotLoopback(address));
        }
        let failed = |source| IssuerError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address, key: Key::generate()? })
    }

    /// What tokens name as their issuer: `http://127.0.0.1:3001`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Answers from now on, by the clock that `now` reads.
    #[must_use]
    pub fn serve(self, settings: Settings, now: impl Fn() -> Timestamp + Send + Sync + 'static) -> TestIssuer {
        let url = self.url();
        let issuer = Arc::new(Issuer { url, settings, key: self.key, now: Box::new(now), grants: Grants::default() });
        let router = router(issuer.clone());
        let listener = self.listener;
        let serving = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the test issuer has ended");
            }
        });
        TestIssuer { issuer, serving }
    }
}

/// A running issuer. It stops answering when dropped.
pub struct TestIssuer {
    issuer: Arc<Issuer>,
    serving: JoinHandle<()>,
}

impl TestIssuer {
    /// What tokens name as their issuer.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.issuer.url
    }

    /// Who asks for tokens here, and what there is to be had.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.issuer.settings
    }

    /// An access token of `subject` with these scopes, as the token end point gives it, for every flow.
    #[must_use]
    pub fn token<S: AsRef<str>>(&self, subject: &str, scopes: &[S]) -> String {
        self.sign(&self.claims(subject, scopes))
    }

    /// The claims of such a token, for those who want to change one.
    #[must_use]
    pub fn claims<S: AsRef<str>>(&self, subject: &str, scopes: &[S]) -> Value {
        let scopes = scopes.iter().map(|scope| scope.as_ref().to_owned()).collect();
        self.issuer.access_claims(&Grant { subject: subject.to_owned(), scopes, flows: every_flow(), openid: false })
    }

    /// A token that says whatever it is told to, signed by the issuer's key.
    #[must_use]
    pub fn sign(&self, claims: &Value) -> String {
        self.issuer.key.sign(claims)
    }

    /// The public key as a JSON Web Key.
    #[must_use]
    pub fn jwk(&self) -> Value {
        self.issuer.key.jwk()
    }

    /// Stops answering; resolves when the address is free.
    pub async fn shutdown(mut self) {
        self.serving.abort();
        // It was cancelled, which is no news.
        let _ = (&mut self.serving).await;
    }
}

impl Drop for TestIssuer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// What the end points share.
pub(crate) struct Issuer {
    pub(crate) url: String,
    pub(crate) settings: Settings,
    pub(crate) key: Key,
    now: Box<dyn Fn() -> Timestamp + Send + Sync>,
    pub(crate) grants: Grants,
}

impl Issuer {
    /// In Unix seconds, as tokens count.
    pub(crate) fn now(&self) -> i64 {
        (self.now)().as_second()
    }

    pub(crate) fn access_claims(&self, grant: &Grant) -> Value {
        let now = self.now();
        let mut claims = json!({
            "iss": self.url,
            "sub": grant.subject,
            "aud": self.settings.audience,
            "client_id": self.settings.client_id,
            "scope": grant.scopes.join(" "),
            "iat": now,
            "nbf": now,
            "exp": now + LIFETIME,
            "jti": Uuid::new_v4().to_string(),
        });
        if let Some(name) = &self.settings.flows_claim {
            claims[name] = grant.flows.clone().into();
        }
        claims
    }
}

/// What opens every flow.
pub(crate) fn every_flow() -> Vec<String> {
    vec!["*".to_owned()]
}

fn router(issuer: Arc<Issuer>) -> Router {
    let for_scripts = Router::new().merge(discovery::routes()).merge(token::routes());
    Router::new().merge(cors::allowed(for_scripts)).merge(authorize::routes()).with_state(issuer)
}
