//! The browser's log, which chromedriver keeps beyond the `WebDriver` standard.

use fantoccini::Client;
use fantoccini::wd::WebDriverCompatibleCommand;
use http::Method;
use serde_json::{Value, json};
use url::{ParseError, Url};

/// A line of the browser's log.
#[derive(Debug, Clone)]
pub(crate) struct LogEntry {
    /// `SEVERE`, `WARNING`, `INFO`.
    pub(crate) level: String,
    /// `network` for an answer that is no success, `security` for a breach of the policy, `javascript`, `console-api`.
    pub(crate) source: String,
    pub(crate) message: String,
}

/// What the browser has logged since it was last asked.
pub(crate) async fn read(client: &Client) -> Vec<LogEntry> {
    let entries = client.issue_cmd(ReadLog).await.unwrap_or_else(|error| panic!("the browser's log: {error}"));
    entries.as_array().into_iter().flatten().map(LogEntry::of).collect()
}

#[derive(Debug)]
struct ReadLog;

impl WebDriverCompatibleCommand for ReadLog {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/se/log", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({ "type": "browser" }).to_string()))
    }
}

impl LogEntry {
    fn of(entry: &Value) -> Self {
        let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
        Self { level: text("level"), source: text("source"), message: text("message") }
    }
}
