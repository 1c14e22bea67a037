//! Fetches the public keys of issuers through OpenID Connect discovery, and caches them while the stack runs.

use std::collections::HashMap;
use std::time::Duration;

use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::JwkSet;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

/// How long a request to an issuer may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// The reason why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeyError {
    #[error("the issuer does not answer")]
    Http(#[from] reqwest::Error),
    #[error("the issuer's configuration names another issuer, {0}")]
    Issuer(String),
    #[error("the issuer has no such key")]
    Unknown,
    #[error("the issuer's key has an unsupported format")]
    Malformed(#[from] jsonwebtoken::errors::Error),
}

/// The keys of every issuer that was asked so far.
pub(super) struct KeyCache {
    http: reqwest::Client,
    by_issuer: Mutex<HashMap<String, JwkSet>>,
}

#[derive(Deserialize)]
struct Configuration {
    issuer: String,
    jwks_uri: String,
}

impl KeyCache {
    /// Uses no proxy, because the issuers are on this machine.
    pub(super) fn new() -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder().no_proxy().timeout(REQUEST_TIMEOUT).build()?;
        Ok(Self { http, by_issuer: Mutex::default() })
    }

    /// A key of the issuer by its id. Fetches the issuer's keys again if the id is not in the cache: the key may be new.
    ///
    /// # Errors
    /// If the issuer does not answer or has no such key.
    pub(super) async fn find(&self, issuer: &str, id: &str) -> Result<DecodingKey, KeyError> {
        let mut by_issuer = self.by_issuer.lock().await;
        if let Some(key) = by_issuer.get(issuer).and_then(|keys| keys.find(id)) {
            return Ok(DecodingKey::from_jwk(key)?);
        }
        let keys = self.fetch(issuer).await?;
        let key = keys.find(id).map(DecodingKey::from_jwk);
        by_issuer.insert(issuer.to_owned(), keys);
        Ok(key.ok_or(KeyError::Unknown)??)
    }

    async fn fetch(&self, issuer: &str) -> Result<JwkSet, KeyError> {
        let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let configuration: Configuration = self.get_json(&url).await?;
        if configuration.issuer != issuer {
            return Err(KeyError::Issuer(configuration.issuer));
        }
        self.get_json(&configuration.jwks_uri).await
    }

    async fn get_json<T: DeserializeOwned>(&self, url: &str) -> Result<T, KeyError> {
        Ok(self.http.get(url).send().await?.error_for_status()?.json().await?)
    }
}
