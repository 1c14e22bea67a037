//! What chromedriver offers beyond the `WebDriver` standard: commands of the `DevTools` protocol and the browser's log.

use std::time::Duration;

use fantoccini::Client;
use fantoccini::error::CmdError;
use fantoccini::wd::WebDriverCompatibleCommand;
use http::Method;
use serde_json::{Value, json};
use url::{ParseError, Url};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A command that a session has under `/session/{id}/`.
#[derive(Debug)]
struct Vendor {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Vendor {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}

/// Sends a command of the `DevTools` protocol.
pub(crate) async fn command(client: &Client, name: &str, parameters: Value) -> Value {
    send(client, name, parameters).await.unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The same, where what it speaks of may be gone by now.
pub(crate) async fn try_command(client: &Client, name: &str, parameters: Value) -> Option<Value> {
    send(client, name, parameters).await.ok()
}

/// The driver does not tell of a question that was lost with the page it was put to.
async fn send(client: &Client, name: &str, parameters: Value) -> Result<Value, CmdError> {
    let body = json!({ "cmd": name, "params": parameters });
    let answer = client.issue_cmd(Vendor { path: "goog/cdp/execute", body });
    tokio::time::timeout(PATIENCE, answer).await.unwrap_or_else(|_| panic!("{name}: no answer in {PATIENCE:?}"))
}

/// What the browser has logged since it was last asked.
pub(crate) async fn log(client: &Client) -> Vec<LogEntry> {
    let entries = client.issue_cmd(Vendor { path: "se/log", body: json!({ "type": "browser" }) }).await;
    let entries = entries.unwrap_or_else(|error| panic!("the browser's log: {error}"));
    entries.as_array().into_iter().flatten().map(LogEntry::of).collect()
}

/// A line of the browser's log.
#[derive(Debug, Clone)]
pub(crate) struct LogEntry {
    /// `SEVERE`, `WARNING`, `INFO`.
    pub(crate) level: String,
    /// `network` for an answer that is no success, `security` for a breach of the policy, `javascript`, `console-api`.
    pub(crate) source: String,
    pub(crate) message: String,
}

impl LogEntry {
    fn of(entry: &Value) -> Self {
        let text = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
        Self { level: text("level"), source: text("source"), message: text("message") }
    }
}
