//! Reprise as a pipeline sees it: an HTTP API, a failures queue, and the endpoint's clock.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_sqs::error::DisplayErrorContext;
use jiff::Timestamp;
use reqwest::{RequestBuilder, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{DemoConfig, FLOW};

/// The stack's queue for reports.
const FAILURES: &str = "reprise-failures";

/// Why the demo cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error("SQS does not {what}: {reason}")]
    Sqs { what: &'static str, reason: String },
    #[error("no answer over HTTP")]
    Http(#[from] reqwest::Error),
    #[error("{what} answers {status}: {body}")]
    Refused { what: String, status: StatusCode, body: String },
}

impl DemoError {
    pub(crate) fn sqs(what: &'static str, error: impl std::error::Error) -> Self {
        Self::Sqs { what, reason: DisplayErrorContext(error).to_string() }
    }
}

/// A connection to the stack. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Reprise {
    pub(crate) sqs: Client,
    http: reqwest::Client,
    config: DemoConfig,
    failures: String,
}

#[derive(Deserialize)]
struct ClockReading {
    now: Timestamp,
}

impl Reprise {
    pub(crate) async fn connect(config: &DemoConfig) -> Result<Self, DemoError> {
        let settings = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::from_static("eu-west-1"))
            .credentials_provider(Credentials::new("demo", "demo", None, None, "demo"))
            .endpoint_url(&config.aws)
            .load()
            .await;
        let sqs = Client::new(&settings);
        let found = sqs.get_queue_url().queue_name(FAILURES).send().await;
        let found = found.map_err(|error| DemoError::sqs("know the failures queue", error))?;
        let failures = found.queue_url().unwrap_or_default().to_owned();
        Ok(Self { sqs, http: reqwest::Client::new(), config: config.clone(), failures })
    }

    /// Has a queue exist, and gives its URL.
    pub(crate) async fn create_queue(&self, name: &str) -> Result<String, DemoError> {
        let made = self.sqs.create_queue().queue_name(name).send().await;
        let made = made.map_err(|error| DemoError::sqs("make a queue", error))?;
        Ok(made.queue_url().unwrap_or_default().to_owned())
    }

    /// Tells Reprise where the flow takes messages back. A flow that is known already was perhaps changed by somebody
    /// who is trying things, and is left alone.
    pub(crate) async fn configure(&self, sender_stage: &str, receiver_stage: &str) -> Result<(), DemoError> {
        let url = format!("{}/flows/{FLOW}", self.config.http);
        let known = self.signed(self.http.get(&url)).send().await?;
        if known.status() != StatusCode::NOT_FOUND {
            return accepted(known, &format!("GET /flows/{FLOW}")).await;
        }
        let configuration = json!({
            "displayName": "Orders to partners (demo)",
            "stages": { "sender": { "queueUrl": sender_stage }, "receiver": { "queueUrl": receiver_stage } },
            "retry": { "mode": "automatic", "schedule": { "kind": "ladder" } },
        });
        let answer = self.signed(self.http.put(&url)).json(&configuration).send().await?;
        accepted(answer, &format!("PUT /flows/{FLOW}")).await
    }

    fn signed(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.config.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Puts a report on the failures queue.
    pub(crate) async fn report(&self, report: &Value) -> Result<(), DemoError> {
        let sent = self.sqs.send_message().queue_url(&self.failures).message_body(report.to_string()).send().await;
        sent.map(|_| ()).map_err(|error| DemoError::sqs("take a report", error))
    }

    /// The time on the endpoint's clock.
    pub(crate) async fn now(&self) -> Result<Timestamp, DemoError> {
        let answer = self.http.get(format!("{}/_local/clock", self.config.aws)).send().await?;
        Ok(answer.error_for_status()?.json::<ClockReading>().await?.now)
    }
}

async fn accepted(answer: reqwest::Response, what: &str) -> Result<(), DemoError> {
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    let body = answer.text().await.unwrap_or_default();
    Err(DemoError::Refused { what: what.to_owned(), status, body })
}
