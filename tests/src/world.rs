//! A stack for one test, with clients that use only its public contracts.

use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use local::{ClockMode, Stack, StackOptions};
use serde_json::{Value, json};

use crate::log::CheckedLog;
use crate::{Answer, Log, StageMessage, binaries, stage};

/// The time of the stack's clock when a test starts.
pub const START: &str = "2026-11-20T14:00:00Z";

/// The queue to which pipelines report failures and outcomes.
pub const FAILURES: &str = "reprise-failures";

/// The stack's own sender stage.
pub const SENDER_STAGE: &str = "reprise-sender-stage";

/// The stack's own receiver stage.
pub const RECEIVER_STAGE: &str = "reprise-receiver-stage";

/// How long a test waits for anything before it fails. Generous, because the machine may be busy.
const MAX_WAIT: Duration = Duration::from_mins(4);

/// A stack for one test, on free ports. Its clock moves only by [`World::advance`].
pub struct World {
    pub stack: Stack,
    /// The SQS client of the pipeline.
    pub sqs: aws_sdk_sqs::Client,
    /// A Scheduler client, to inspect and delete schedules.
    pub scheduler: aws_sdk_scheduler::Client,
    pub(crate) http: reqwest::Client,
    log: CheckedLog,
    data: Option<PathBuf>,
}

impl World {
    /// Starts a stack in memory.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start() -> Self {
        Self::start_at(None).await
    }

    /// Starts a stack that keeps everything in `data`.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_at(data: Option<PathBuf>) -> Self {
        let options = Self::options(data.clone()).await;
        Self { data, ..Self::with(Stack::start(options).await.expect("the stack starts")).await }
    }

    /// Starts a stack in memory whose functions' binaries are in `binaries`.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_with(binaries: PathBuf) -> Self {
        let options = StackOptions { binaries, ..Self::options(None).await };
        Self::with(Stack::start(options).await.expect("the stack starts")).await
    }

    /// The directory of the functions' binaries that are built with these tests.
    ///
    /// # Panics
    /// When they do not build.
    pub async fn own_binaries() -> PathBuf {
        tokio::task::spawn_blocking(binaries::directory).await.expect("the build runs")
    }

    /// Starts a stack in memory whose AWS endpoint records the cost of each call.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_metered() -> Self {
        let options = Self::options(None).await;
        Self::with(Stack::start_metered(options).await.expect("the stack starts")).await
    }

    /// Starts a stack in memory in which [`local::local_aws::Faults`] can disturb every AWS call of a function.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_faulty() -> Self {
        let options = Self::options(None).await;
        Self::with(Stack::start_faulty(options).await.expect("the stack starts")).await
    }

    pub(crate) async fn options(data: Option<PathBuf>) -> StackOptions {
        // The build blocks its thread, so it runs outside the async runtime.
        let binaries = Self::own_binaries().await;
        let free = "127.0.0.1:0".parse().expect("an address");
        StackOptions {
            http: free,
            aws: free,
            data,
            clock: ClockMode::Frozen(START.parse().expect("a time")),
            binaries,
            template: binaries::template(),
            issuer: None,
            flows_claim: None,
        }
    }

    pub(crate) async fn with(stack: Stack) -> Self {
        let aws = aws_config(&stack.aws_url()).await;
        let log = Log::new();
        stack.on_log_line(log.reader());
        Self {
            sqs: aws_sdk_sqs::Client::new(&aws),
            scheduler: aws_sdk_scheduler::Client::new(&aws),
            http: reqwest::Client::builder().timeout(MAX_WAIT).build().expect("a client"),
            log: CheckedLog(log),
            data: None,
            stack,
        }
    }

    /// The URL of a queue.
    #[must_use]
    pub fn queue_url(&self, name: &str) -> String {
        format!("{}/000000000000/{name}", self.stack.aws_url())
    }

    /// Sends these bodies to the failures queue and waits until the stack is idle.
    ///
    /// # Panics
    /// When SQS refuses one.
    pub async fn send(&self, bodies: impl IntoIterator<Item = String>) {
        let bodies: Vec<String> = bodies.into_iter().collect();
        bodies.iter().for_each(|body| self.log().forbid_payloads_of(body));
        for bodies in bodies.chunks(10) {
            let entries = bodies.iter().enumerate().map(|(i, body)| {
                let entry = SendMessageBatchRequestEntry::builder().id(i.to_string()).message_body(body);
                entry.build().expect("an entry")
            });
            let call = self.sqs.send_message_batch().queue_url(self.queue_url(FAILURES));
            let answer = call.set_entries(Some(entries.collect())).send().await.expect("SQS answers");
            assert!(answer.failed().is_empty(), "{:?}", answer.failed());
        }
        self.settle().await;
    }

    /// Sends one report to the failures queue and waits until the stack is idle.
    pub async fn report(&self, report: Value) {
        self.send([report.to_string()]).await;
    }

    /// The log of the functions. It must contain no payload that was sent and no token when the world is dropped.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log.0
    }

    /// Waits until the stack is idle: queues with consumers are empty and no function runs.
    ///
    /// # Panics
    /// When that takes longer than 4 minutes.
    pub async fn settle(&self) {
        tokio::time::timeout(MAX_WAIT, self.stack.settle()).await.expect("the stack settles");
    }

    /// Moves the clock forward. Everything that falls due on the way runs, in order, before this returns.
    ///
    /// # Panics
    /// When the endpoint refuses.
    pub async fn advance(&self, by: &str) {
        let url = format!("{}/_local/clock", self.stack.aws_url());
        let answer = self.http.post(url).json(&json!({ "advance": by })).send().await.expect("the clock answers");
        assert_eq!(answer.status(), 200);
    }

    /// Sends `GET`.
    pub async fn get(&self, path: &str) -> Answer {
        self.call(self.http.get(self.url(path))).await
    }

    /// Sends `POST` with a JSON body.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(self.http.post(self.url(path)).json(&body)).await
    }

    /// Sends `POST` with a JSON body and an Idempotency-Key.
    pub async fn post_once(&self, path: &str, key: &str, body: Value) -> Answer {
        self.call(self.http.post(self.url(path)).header("Idempotency-Key", key).json(&body)).await
    }

    /// Sends `PUT` with a JSON body.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.call(self.http.put(self.url(path)).json(&body)).await
    }

    /// Sends `PUT` with a JSON body and `If-Match`.
    pub async fn put_if_match(&self, path: &str, version: &str, body: Value) -> Answer {
        self.call(self.http.put(self.url(path)).header("If-Match", version).json(&body)).await
    }

    /// Receives and deletes all messages of a queue.
    ///
    /// # Panics
    /// When SQS does not answer.
    pub async fn drain(&self, queue: &str) -> Vec<StageMessage> {
        stage::drain(&self.sqs, &self.queue_url(queue)).await
    }

    /// The number of messages in a queue, visible or in flight.
    #[must_use]
    pub fn held(&self, queue: &str) -> usize {
        let sqs = self.stack.aws().sqs();
        sqs.visible(queue) + sqs.in_flight(queue)
    }

    /// The interchange as the API shows it, with its event log.
    pub async fn interchange(&self, id: &str) -> Value {
        self.get(&format!("/interchanges/{id}")).await.ok()
    }

    /// The kinds of an interchange's events, in order.
    pub async fn kinds(&self, id: &str) -> Vec<String> {
        let interchange = self.interchange(id).await;
        let events = interchange["events"].as_array().cloned().unwrap_or_default();
        events.iter().filter_map(|event| event["kind"].as_str()).map(str::to_owned).collect()
    }

    /// Stops the stack.
    ///
    /// # Panics
    /// When that takes longer than 4 minutes.
    pub async fn stop(self) {
        tokio::time::timeout(MAX_WAIT, self.stack.shutdown()).await.expect("the stack stops");
        if let Some(data) = self.data {
            tokio::time::timeout(MAX_WAIT, closed(&data)).await.expect("the databases are closed");
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.stack.http_url())
    }

    pub(crate) async fn call(&self, request: reqwest::RequestBuilder) -> Answer {
        Answer::of(request.send().await.expect("the API answers")).await
    }
}

/// Waits until the databases in `data` are closed: until then they have a write-ahead log.
async fn closed(data: &Path) {
    let has_log = || {
        let mut files = std::fs::read_dir(data).expect("the data directory").flatten();
        files.any(|file| file.file_name().to_string_lossy().ends_with("-wal"))
    };
    while has_log() {
        tokio::task::yield_now().await;
    }
}

/// The configuration of an AWS client for the endpoint. It accepts any credentials.
pub(crate) async fn aws_config(aws_url: &str) -> aws_config::SdkConfig {
    aws_config_of(aws_url, "any").await
}

/// As [`aws_config`], with this access key id.
pub(crate) async fn aws_config_of(aws_url: &str, key: &str) -> aws_config::SdkConfig {
    let credentials = aws_sdk_sqs::config::Credentials::new(key, "any", None, None, "tests");
    let config = aws_config::defaults(aws_config::BehaviorVersion::latest()).credentials_provider(credentials);
    config.region(aws_sdk_sqs::config::Region::new("eu-west-1")).endpoint_url(aws_url).load().await
}

/// A failure report with a sender and a receiver payload. Members of `more` replace members of the report; null removes one.
#[must_use]
pub fn report(id: &str, flow: &str, more: Value) -> Value {
    let mut report = json!({
        "type": "interchange.failed", "interchangeId": id, "flow": flow, "attempt": 1, "occurredAt": START,
        "error": { "category": "system", "code": "ETIMEDOUT", "message": "connect timeout to erp.globex.example:443" },
        "payloads": { "sender": { "body": format!("sender of {id}"), "contentType": "text/plain" },
                      "receiver": { "body": format!("receiver of {id}"), "contentType": "text/plain" } }
    });
    if let (Some(report), Value::Object(more)) = (report.as_object_mut(), more) {
        report.extend(more);
        report.retain(|_, value| !value.is_null());
    }
    report
}
