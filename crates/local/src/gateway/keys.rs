//! Issuers' public keys, found as OpenID Connect has them found, and kept while the stack runs.

use std::collections::HashMap;
use std::time::Duration;

use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::JwkSet;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

/// How long an issuer may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeyError {
    #[error("the issuer does not answer")]
    Http(#[from] reqwest::Error),
    #[error("the issuer calls itself {0}")]
    Issuer(String),
    #[error("the issuer has no such key")]
    Unknown,
    #[error("the issuer's key is none that is understood")]
    Malformed(#[from] jsonwebtoken::errors::Error),
}

/// The keys of every issuer that was asked.
pub(super) struct Keys {
    http: reqwest::Client,
    known: Mutex<HashMap<String, JwkSet>>,
}

#[derive(Deserialize)]
struct Configuration {
    issuer: String,
    jwks_uri: String,
}

impl Keys {
    /// The issuers are on this machine, so no proxy leads to them.
    pub(super) fn new() -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?;
        Ok(Self { http, known: Mutex::default() })
    }

    /// A key of the issuer by its id. One that is not known is asked for again: it may be new.
    ///
    /// # Errors
    /// When the issuer does not have it, or cannot be asked.
    pub(super) async fn find(&self, issuer: &str, id: &str) -> Result<DecodingKey, KeyError> {
        let mut known = self.known.lock().await;
        if let Some(key) = known.get(issuer).and_then(|keys| keys.find(id)) {
            return Ok(DecodingKey::from_jwk(key)?);
        }
        let keys = self.ask(issuer).await?;
        let key = keys.find(id).map(DecodingKey::from_jwk);
        known.insert(issuer.to_owned(), keys);
        Ok(key.ok_or(KeyError::Unknown)??)
    }

    async fn ask(&self, issuer: &str) -> Result<JwkSet, KeyError> {
        let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let configuration: Configuration = self.read(&url).await?;
        if configuration.issuer != issuer {
            return Err(KeyError::Issuer(configuration.issuer));
        }
        self.read(&configuration.jwks_uri).await
    }

    async fn read<T: DeserializeOwned>(&self, url: &str) -> Result<T, KeyError> {
        Ok(self.http.get(url).send().await?.error_for_status()?.json().await?)
    }
}
