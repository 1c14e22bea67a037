//! Runs `local` as a process of its own, as a developer does: starts, kills and interrupts it.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::{Answer, FAILURES, Log, StageMessage, binaries, stage};

/// A running `local` without the demo, with clients for it.
pub struct Process {
    child: Child,
    http_url: String,
    aws_url: String,
    /// The SQS client of the pipeline.
    pub sqs: aws_sdk_sqs::Client,
    http: reqwest::Client,
}

/// How a process of `local` ended.
#[derive(Debug)]
pub struct ProcessExit {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to standard error.
    pub errors: String,
    /// How long it took to end.
    pub after: Duration,
}

impl Process {
    /// Starts it on free ports with the data directory `data`, and waits until it is ready.
    ///
    /// # Panics
    /// When it ends before that.
    pub async fn start(data: &Path) -> Self {
        Self::start_by(command().await, data, Log::new()).await
    }

    /// As [`Self::start`], with functions at the most verbose log level. Returns their log too.
    pub async fn start_verbose(data: &Path) -> (Self, Log) {
        let mut command = command().await;
        // Without the log lines of `local` itself.
        command.env("RUST_LOG", "trace,local=off,local_aws=off,dynoxide=off");
        let log = Log::new();
        (Self::start_by(command, data, log.clone()).await, log)
    }

    async fn start_by(mut command: Command, data: &Path, log: Log) -> Self {
        command.args(["--http", "127.0.0.1:0", "--aws", "127.0.0.1:0"]).arg("--data").arg(data);
        let mut child = command.spawn().expect("local starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let (http_url, aws_url) = loop {
            let line = lines.next_line().await.expect("its output").expect("it ends before it is ready");
            if let Some((http, aws)) = line.strip_prefix("ready:").and_then(addresses) {
                break (http, aws);
            }
        };
        // The output must be read, as the process blocks when the pipe is full.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let mut errors = BufReader::new(child.stderr.take().expect("its errors")).lines();
        tokio::spawn(async move {
            while let Ok(Some(line)) = errors.next_line().await {
                if let Some(start) = line.find("{\"timestamp\"") {
                    log.add_line(&line[start..]);
                }
            }
        });
        let sqs = crate::world::aws_config(&aws_url).await;
        Self { child, http_url, aws_url, sqs: aws_sdk_sqs::Client::new(&sqs), http: reqwest::Client::new() }
    }

    /// Runs `local` with these options until it ends by itself. For options with which it refuses to start.
    ///
    /// # Panics
    /// When the process cannot be started.
    pub async fn run_until_exit(options: &[&str]) -> ProcessExit {
        let started = Instant::now();
        let output = command().await.args(options).output().await.expect("local starts");
        ProcessExit {
            code: output.status.code(),
            errors: String::from_utf8_lossy(&output.stderr).into_owned(),
            after: started.elapsed(),
        }
    }

    /// The addresses of the HTTP API and of the AWS endpoint.
    #[must_use]
    pub fn addresses(&self) -> [String; 2] {
        [&self.http_url, &self.aws_url].map(|url| url.trim_start_matches("http://").to_owned())
    }

    /// The process ids of the functions that it has started.
    ///
    /// # Panics
    /// When `/proc` cannot be read.
    #[must_use]
    pub fn function_pids(&self) -> Vec<u32> {
        let own = self.child.id().expect("it runs");
        let tasks = std::fs::read_dir(format!("/proc/{own}/task")).expect("its threads");
        let children = tasks.flatten().flat_map(|task| std::fs::read_to_string(task.path().join("children")));
        children.flat_map(|pids| pids.split_whitespace().flat_map(str::parse).collect::<Vec<u32>>()).collect()
    }

    /// Sends `SIGKILL` to it and to every function process at once.
    ///
    /// # Panics
    /// When they cannot be killed.
    pub async fn kill_everything(mut self) {
        let all = self.function_pids().into_iter().chain(self.child.id());
        let killed = Command::new("kill").arg("-9").args(all.map(|pid| pid.to_string())).output();
        killed.await.expect("kill runs");
        self.child.wait().await.expect("it ends");
    }

    /// Sends `SIGINT`, as Ctrl-C does, and waits until it has ended.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn interrupt(mut self) -> ProcessExit {
        let started = Instant::now();
        let own = self.child.id().expect("it runs").to_string();
        assert!(Command::new("kill").args(["-INT", &own]).status().await.expect("kill runs").success());
        let status = self.child.wait().await.expect("it ends");
        ProcessExit { code: status.code(), errors: String::new(), after: started.elapsed() }
    }

    /// Sends these bodies to the failures queue until all are sent or the endpoint stops responding. Returns how many were
    /// accepted.
    pub async fn send_until_unreachable(sqs: aws_sdk_sqs::Client, aws_url: String, bodies: Vec<String>) -> usize {
        let url = format!("{aws_url}/000000000000/{FAILURES}");
        let mut accepted = 0;
        for bodies in bodies.chunks(10) {
            let entries = bodies.iter().enumerate().map(|(i, body)| {
                let entry = SendMessageBatchRequestEntry::builder().id(i.to_string()).message_body(body);
                entry.build().expect("an entry")
            });
            let call = sqs.send_message_batch().queue_url(&url).set_entries(Some(entries.collect()));
            let Ok(answer) = call.send().await else { break };
            assert!(answer.failed().is_empty(), "{:?}", answer.failed());
            accepted += bodies.len();
        }
        accepted
    }

    /// The URL of the AWS endpoint.
    #[must_use]
    pub fn aws_url(&self) -> String {
        self.aws_url.clone()
    }

    /// Sends `GET`.
    ///
    /// # Panics
    /// When there is no response.
    pub async fn get(&self, path: &str) -> Answer {
        Answer::of(self.http.get(format!("{}{path}", self.http_url)).send().await.expect("the API answers")).await
    }

    /// Moves the clock forward. Everything that falls due on the way runs, in order, before this returns.
    ///
    /// # Panics
    /// When the endpoint refuses.
    pub async fn advance(&self, by: &str) -> Value {
        let call = self.http.post(format!("{}/_local/clock", self.aws_url)).json(&json!({ "advance": by }));
        Answer::of(call.send().await.expect("the clock answers")).await.ok()
    }

    /// Receives and deletes all messages of a queue.
    pub async fn drain(&self, queue: &str) -> Vec<StageMessage> {
        stage::drain(&self.sqs, &format!("{}/000000000000/{queue}", self.aws_url)).await
    }
}

async fn command() -> Command {
    let binaries = tokio::task::spawn_blocking(binaries::directory).await.expect("the build runs");
    let mut command = Command::new(binaries.join("local"));
    command.arg("--no-demo").env_remove("RUST_LOG").stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

/// The two URLs in the line: of the HTTP API, then of the AWS endpoint.
fn addresses(line: &str) -> Option<(String, String)> {
    let words = line.split([' ', ',']).filter(|word| word.starts_with("http://"));
    let urls: Vec<String> = words.map(str::to_owned).collect();
    match <[String; 2]>::try_from(urls) {
        Ok([http, aws]) => Some((http, aws)),
        Err(_) => None,
    }
}
