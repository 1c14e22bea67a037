//! The client of Reprise: the HTTP API, the failures queue, and the endpoint's clock.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_sqs::error::DisplayErrorContext;
use jiff::Timestamp;
use reqwest::{RequestBuilder, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::config::{DemoConfig, FLOW};

/// The name of the queue for reports.
const FAILURES_QUEUE: &str = "reprise-failures";

/// The reason why the demo stopped.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error("{operation} failed: {reason}")]
    Sqs { operation: &'static str, reason: String },
    #[error("the HTTP request failed")]
    Http(#[from] reqwest::Error),
    #[error("{request} returned {status}: {body}")]
    Refused { request: String, status: StatusCode, body: String },
}

impl DemoError {
    pub(crate) fn sqs(operation: &'static str, error: impl std::error::Error) -> Self {
        Self::Sqs { operation, reason: DisplayErrorContext(error).to_string() }
    }
}

/// A connection to the stack. All clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Reprise {
    pub(crate) sqs: Client,
    http: reqwest::Client,
    config: DemoConfig,
    failures_url: String,
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
        let found = sqs.get_queue_url().queue_name(FAILURES_QUEUE).send().await;
        let found = found.map_err(|error| DemoError::sqs("GetQueueUrl", error))?;
        let failures_url = found.queue_url().unwrap_or_default().to_owned();
        Ok(Self { sqs, http: reqwest::Client::new(), config: config.clone(), failures_url })
    }

    /// Creates a queue unless it exists. Returns its URL.
    pub(crate) async fn create_queue(&self, name: &str) -> Result<String, DemoError> {
        let created = self.sqs.create_queue().queue_name(name).send().await;
        let created = created.map_err(|error| DemoError::sqs("CreateQueue", error))?;
        Ok(created.queue_url().unwrap_or_default().to_owned())
    }

    /// Configures the flow with its stage queues. If the flow exists already, this changes nothing, because a user may have
    /// changed its configuration.
    pub(crate) async fn configure(&self, sender_stage: &str, receiver_stage: &str) -> Result<(), DemoError> {
        let url = format!("{}/flows/{FLOW}", self.config.http);
        let existing = self.authorized(self.http.get(&url)).send().await?;
        if existing.status() != StatusCode::NOT_FOUND {
            return check_status(existing, &format!("GET /flows/{FLOW}")).await;
        }
        let configuration = json!({
            "displayName": "Orders to partners (demo)",
            "stages": { "sender": { "queueUrl": sender_stage }, "receiver": { "queueUrl": receiver_stage } },
            "retry": { "mode": "automatic", "schedule": { "kind": "ladder" } },
        });
        let response = self.authorized(self.http.put(&url)).json(&configuration).send().await?;
        check_status(response, &format!("PUT /flows/{FLOW}")).await
    }

    fn authorized(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.config.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Sends a report to the failures queue.
    pub(crate) async fn report(&self, report: &Value) -> Result<(), DemoError> {
        let sent = self.sqs.send_message().queue_url(&self.failures_url).message_body(report.to_string()).send().await;
        sent.map(|_| ()).map_err(|error| DemoError::sqs("SendMessage", error))
    }

    /// The time on the endpoint's clock.
    pub(crate) async fn now(&self) -> Result<Timestamp, DemoError> {
        let response = self.http.get(format!("{}/_local/clock", self.config.aws)).send().await?;
        Ok(response.error_for_status()?.json::<ClockReading>().await?.now)
    }
}

async fn check_status(response: reqwest::Response, request: &str) -> Result<(), DemoError> {
    let status = response.status();
    if status.is_success() {
        return Ok(());
    }
    let body = response.text().await.unwrap_or_default();
    Err(DemoError::Refused { request: request.to_owned(), status, body })
}
