//! Starts and stops the issuer. It first binds its address, so that others can be configured with the URL, and then serves.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use jiff::Timestamp;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::error::IssuerError;
use crate::grants::{Grant, Grants};
use crate::key::Key;
use crate::state::{Issuer, Settings, all_flows};
use crate::{authorize, cors, discovery, token};

/// A bound address of an issuer that does not serve requests yet.
pub struct IssuerListener {
    listener: TcpListener,
    address: SocketAddr,
    key: Key,
}

impl IssuerListener {
    /// Binds `address`; port 0 selects a free port.
    ///
    /// # Errors
    /// If the address is in use or not a loopback address, or no key can be created.
    pub async fn bind(address: SocketAddr) -> Result<Self, IssuerError> {
        if !address.ip().is_loopback() {
            return Err(IssuerError::NotLoopback(address));
        }
        let failed = |source| IssuerError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address, key: Key::generate()? })
    }

    /// The issuer's URL, as in the `iss` claim: `http://127.0.0.1:3001`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Starts to serve requests. `now` returns the current time.
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

/// A running issuer. Dropping it stops it.
pub struct TestIssuer {
    issuer: Arc<Issuer>,
    serving: JoinHandle<()>,
}

impl TestIssuer {
    /// The issuer's URL, as in the `iss` claim.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.issuer.url
    }

    /// The client, audience, scopes and flows claim that the issuer was started with.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.issuer.settings
    }

    /// An access token for `subject` with these scopes and for all flows, as the token end point issues it.
    #[must_use]
    pub fn token<S: AsRef<str>>(&self, subject: &str, scopes: &[S]) -> String {
        self.sign(&self.claims(subject, scopes))
    }

    /// The claims of the token that [`Self::token`] returns. A test can change one and sign the result.
    #[must_use]
    pub fn claims<S: AsRef<str>>(&self, subject: &str, scopes: &[S]) -> Value {
        let scopes = scopes.iter().map(|scope| scope.as_ref().to_owned()).collect();
        self.issuer.access_claims(&Grant { subject: subject.to_owned(), scopes, flows: all_flows(), openid: false })
    }

    /// A token with any claims, signed with the issuer's key.
    #[must_use]
    pub fn sign(&self, claims: &Value) -> String {
        self.issuer.key.sign(claims)
    }

    /// The public key as a JSON Web Key.
    #[must_use]
    pub fn jwk(&self) -> Value {
        self.issuer.key.jwk()
    }

    /// Stops serving. The address is free when this returns.
    pub async fn shutdown(mut self) {
        self.serving.abort();
        // Ignored: the result is the error of the aborted task.
        let _ = (&mut self.serving).await;
    }
}

impl Drop for TestIssuer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn router(issuer: Arc<Issuer>) -> Router {
    let script_routes = Router::new().merge(discovery::routes()).merge(token::routes());
    Router::new().merge(cors::allow_any_origin(script_routes)).merge(authorize::routes()).with_state(issuer)
}
