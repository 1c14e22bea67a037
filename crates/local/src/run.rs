//! From the first line on the terminal to the last.

use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, anyhow};
use local::{IssuerError, Stack, StackError, StackOptions};
use local_aws::StartError;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::Options;

/// The route of the page that people look at.
const CONSOLE: &str = "/console";

/// How long stopping may take before the rest is left to the operating system.
const STOPPING: Duration = Duration::from_millis(900);

/// Starts the stack, says when it is ready, and runs it until it is told to stop.
pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    let mut interrupted = signal(SignalKind::interrupt()).context("cannot listen to Ctrl-C")?;
    let mut terminated = signal(SignalKind::terminate()).context("cannot listen to SIGTERM")?;
    let stack = start(&options).await?;
    greet(&stack).await?;
    let demo = options.wants_demo().then(|| Demo::start(&stack));
    if demo.is_some() {
        say(&format!("demo:  orders fail now and are retried: {}/flows/{}/interchanges", stack.http_url(), demo::FLOW));
    }
    tokio::select! {
        _ = interrupted.recv() => {}
        _ = terminated.recv() => {}
    }
    say("stopping");
    drop(demo);
    if tokio::time::timeout(STOPPING, stack.shutdown()).await.is_err() {
        tracing::debug!("something did not end in time");
    }
    Ok(())
}

async fn start(options: &Options) -> anyhow::Result<Stack> {
    let template = options.template()?;
    let kept = options.data.as_ref().map_or("in memory".to_owned(), |data| format!("in {}", data.display()));
    say(&format!("starting what {} describes, with its data {kept}", template.display()));
    let stack = Stack::start(StackOptions {
        http: options.http,
        aws: options.aws,
        data: options.data.clone(),
        clock: options.clock(),
        binaries: options.binaries()?,
        template,
        issuer: options.issuer(),
        flows_claim: options.flows_claim.clone(),
    });
    let stack = stack.await.map_err(explain)?;
    let running = stack.template();
    say(&format!(
        "started {}, {}, {}, {}, {}, {}",
        count(running.tables.len(), "table"),
        count(running.queues.len(), "queue"),
        count(running.functions.len(), "function"),
        count(running.sources.len(), "event source"),
        count(running.routes.len(), "route"),
        count(running.schedules.len(), "schedule"),
    ));
    Ok(stack)
}

fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// Says `ready:` once both addresses have answered a question, and what to ask next.
async fn greet(stack: &Stack) -> anyhow::Result<()> {
    let (http, aws) = (stack.http_url(), stack.aws_url());
    let status = status_of(&http, "/flows").await.context("the HTTP API does not answer")?;
    if status >= 500 {
        tracing::warn!("GET /flows answers {status}: see the function's log above");
    }
    status_of(&aws, "/_local/clock").await.context("the AWS endpoint does not answer")?;
    say(&format!("ready: HTTP API {http}, AWS endpoint {aws}"));
    if stack.template().routes.iter().any(|route| route.path == CONSOLE) {
        say(&format!("see:   {http}{CONSOLE}"));
    }
    match stack.issuer() {
        None => say(&format!("try:   curl {http}/flows")),
        Some(issuer) => explain_tokens(&http, issuer.url()),
    }
    say(&format!("       curl -X POST {aws}/_local/clock -d '{{\"advance\":\"24h\"}}'   # a day of retries, now"));
    Ok(())
}

/// Where tokens come from, and the one line that gets one.
fn explain_tokens(http: &str, issuer: &str) {
    say(&format!(
        "auth:  tokens are asked for; the test issuer {issuer} gives them to anybody on this machine, for any name"
    ));
    say(&format!(
        "try:   TOKEN=$(curl -s {issuer}/token -d grant_type=client_credentials -d sub=$USER | cut -d'\"' -f4)"
    ));
    say(&format!("       curl -H \"Authorization: Bearer $TOKEN\" {http}/flows"));
}

/// The demo pipeline, ended when dropped.
struct Demo(tokio::task::JoinHandle<()>);

impl Demo {
    fn start(stack: &Stack) -> Self {
        for queue in demo::QUEUES {
            stack.consumed_from_outside(queue);
        }
        let token = stack.issuer().map(|issuer| issuer.token("demo", &issuer.settings().scopes));
        let config = demo::DemoConfig { http: stack.http_url(), aws: stack.aws_url(), token };
        Self(tokio::spawn(async move {
            if let Err(error) = demo::run(config).await {
                tracing::warn!("the demo pipeline has ended: {:#}", anyhow::Error::from(error));
            }
        }))
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A taken address is the one mistake that everybody makes, so it names the way out.
fn explain(error: StackError) -> anyhow::Error {
    match &error {
        StackError::Http { address, source } => taken(address, source, "--http"),
        StackError::Aws(StartError::Listen { address, source }) => taken(address, source, "--aws"),
        StackError::Issuer(IssuerError::Listen { address, source }) => taken(address, source, "--issuer"),
        StackError::NoBinary { .. } => anyhow!("{error}; `cargo local` builds it"),
        _ => error.into(),
    }
}

fn taken(address: &SocketAddr, source: &std::io::Error, option: &str) -> anyhow::Error {
    anyhow!("cannot listen on {address} ({source}); choose another address with {option} 127.0.0.1:PORT")
}

/// Asks with a bare socket: one line of an answer is all that is wanted.
async fn status_of(url: &str, path: &str) -> anyhow::Result<u16> {
    let address = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    status.ok_or_else(|| anyhow!("no HTTP answer from {address}"))
}

/// One line on the terminal. Nobody reads it when the other end of a pipe is gone, which is no reason to stop.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(format!("{line}\n").as_bytes()).and_then(|()| out.flush());
}
