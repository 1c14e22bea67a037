//! What the `DevTools` protocol offers beyond `WebDriver`, over a connection to the page that is its own.
//!
//! The driver would hand such commands on, too, but waits for their answers for ever, and for nothing else meanwhile. The
//! browser forgets one now and then, with the document that it was about, so here each has its time and may be sent again.

use std::collections::HashMap;
use std::time::Duration;

use fantoccini::Client;
use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// A connection to a page for as long as its window is open, wherever it goes. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct DevTools(mpsc::UnboundedSender<Question>);

#[derive(Debug)]
struct Question {
    method: String,
    parameters: Value,
    answer: oneshot::Sender<Value>,
}

impl DevTools {
    /// Connects to the one page of a browser that the driver has just started.
    pub(crate) async fn connect(client: &Client) -> Self {
        let options = client.capabilities().and_then(|capabilities| capabilities.get("goog:chromeOptions"));
        let address = options.and_then(|options| options["debuggerAddress"].as_str()).expect("Chromium's address");
        let targets = reqwest::get(format!("http://{address}/json/list")).await.expect("Chromium tells its pages");
        let targets: Vec<Value> = targets.json().await.expect("a list of pages");
        let page = targets.iter().find(|target| target["type"] == "page").expect("a page");
        let url = page["webSocketDebuggerUrl"].as_str().expect("the page's address");
        let (socket, _) = tokio_tungstenite::connect_async(url).await.expect("the page answers");
        let (questions, asked) = mpsc::unbounded_channel();
        tokio::spawn(converse(socket, asked));
        let devtools = Self(questions);
        // What is set for a page holds only where the connection takes part in its life.
        devtools.command("Page.enable", json!({})).await;
        devtools
    }

    /// Sends a command and gives its result.
    pub(crate) async fn command(&self, method: &str, parameters: Value) -> Value {
        let answer = self.send(method, parameters).await;
        let answer = answer.unwrap_or_else(|| panic!("{method}: no answer in {PATIENCE:?}"));
        assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
        answer["result"].clone()
    }

    /// The same, where what it speaks of may be gone by now.
    pub(crate) async fn try_command(&self, method: &str, parameters: Value) -> Option<Value> {
        self.send(method, parameters).await?.get("result").cloned()
    }

    async fn send(&self, method: &str, parameters: Value) -> Option<Value> {
        let (answer, answered) = oneshot::channel();
        self.0.send(Question { method: method.to_owned(), parameters, answer }).ok()?;
        tokio::time::timeout(PATIENCE, answered).await.ok()?.ok()
    }
}

/// Brings questions to the page and answers to whoever asked. What the page tells unasked is of no interest.
async fn converse(
    mut socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    mut asked: mpsc::UnboundedReceiver<Question>,
) {
    let mut open = HashMap::new();
    for id in 0u64.. {
        let question = loop {
            tokio::select! {
                question = asked.recv() => break question,
                said = socket.next() => match said {
                    Some(Ok(message)) => hand_over(&message, &mut open),
                    // The browser has ended.
                    Some(Err(_)) | None => return,
                },
            }
        };
        let Some(Question { method, parameters, answer }) = question else { return };
        open.insert(id, answer);
        let command = json!({ "id": id, "method": method, "params": parameters }).to_string();
        if socket.send(Message::text(command)).await.is_err() {
            return;
        }
    }
}

fn hand_over(message: &Message, open: &mut HashMap<u64, oneshot::Sender<Value>>) {
    let said: Value = message.to_text().ok().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    if let Some(answer) = said["id"].as_u64().and_then(|id| open.remove(&id)) {
        // Whoever asked may have given up.
        let _ = answer.send(said);
    }
}
