//! A response of the HTTP API.

use serde_json::Value;

/// Status, headers and body of a response.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub content_type: String,
    pub location: Option<String>,
    pub etag: Option<String>,
    /// `WWW-Authenticate`.
    pub challenge: Option<String>,
    pub bytes: Vec<u8>,
}

impl Answer {
    pub(crate) async fn of(response: reqwest::Response) -> Self {
        let header = |name: &str| response.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
        Self {
            status: response.status().as_u16(),
            content_type: header("content-type").unwrap_or_default(),
            location: header("location"),
            etag: header("etag"),
            challenge: header("www-authenticate"),
            bytes: response.bytes().await.expect("the body arrives").to_vec(),
        }
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is not JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|e| panic!("{e}: {} {}", self.status, String::from_utf8_lossy(&self.bytes)))
    }

    /// Checks that the status is 2xx, and returns the body as JSON.
    ///
    /// # Panics
    /// When the status is another one.
    pub fn ok(self) -> Value {
        let json = self.json();
        assert!((200..300).contains(&self.status), "{} {json}", self.status);
        json
    }

    /// Checks that this is the problem `slug` with `status`, as `application/problem+json`, and returns its body.
    ///
    /// # Panics
    /// When it is anything else.
    pub fn is_problem(&self, status: u16, slug: &str) -> Value {
        let json = self.json();
        assert_eq!(self.status, status, "{json}");
        assert_eq!(self.content_type, "application/problem+json", "{json}");
        assert_eq!(json["type"], format!("urn:reprise:problem:{slug}"), "{json}");
        assert_eq!(json["status"], status, "{json}");
        assert!(json["title"].is_string() && json["detail"].is_string(), "{json}");
        json
    }
}
