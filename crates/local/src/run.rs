//! Starts the stack, prints what the user needs to know, and stops the stack on Ctrl-C or SIGTERM.

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

/// The route of the console.
const CONSOLE: &str = "/console";

/// How long the shutdown may take. What still runs then ends with this process.
const MAX_SHUTDOWN_TIME: Duration = Duration::from_millis(900);

/// Starts the stack, prints when it is ready, and runs it until Ctrl-C or SIGTERM.
pub(crate) async fn run(options: Options) -> anyhow::Result<()> {
    let mut interrupted = signal(SignalKind::interrupt()).context("cannot listen to Ctrl-C")?;
    let mut terminated = signal(SignalKind::terminate()).context("cannot listen to SIGTERM")?;
    let stack = start(&options).await?;
    check_ready(&stack).await?;
    let demo = options.runs_demo().then(|| Demo::start(&stack));
    if demo.is_some() {
        print_line(&format!(
            "demo:  orders fail now and are retried: {}/flows/{}/interchanges",
            stack.http_url(),
            demo::FLOW
        ));
    }
    tokio::select! {
        _ = interrupted.recv() => {}
        _ = terminated.recv() => {}
    }
    print_line("stopping");
    drop(demo);
    if tokio::time::timeout(MAX_SHUTDOWN_TIME, stack.shutdown()).await.is_err() {
        tracing::debug!("the shutdown took too long");
    }
    Ok(())
}

async fn start(options: &Options) -> anyhow::Result<Stack> {
    let template = options.template()?;
    let data = options.data.as_ref().map_or("in memory".to_owned(), |data| format!("in {}", data.display()));
    print_line(&format!("starting the stack of {} with its data {data}", template.display()));
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
    print_line(&format!(
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

/// Sends a request to both addresses, then prints `ready:` and some commands to try.
async fn check_ready(stack: &Stack) -> anyhow::Result<()> {
    let (http, aws) = (stack.http_url(), stack.aws_url());
    let status = status_of(&http, "/flows").await.context("the HTTP API does not answer")?;
    if status >= 500 {
        tracing::warn!("GET /flows answers {status}: see the log of the function above");
    }
    status_of(&aws, "/_local/clock").await.context("the AWS endpoint does not answer")?;
    print_line(&format!("ready: HTTP API {http}, AWS endpoint {aws}"));
    if stack.template().routes.iter().any(|route| route.path == CONSOLE) {
        print_line(&format!("see:   {http}{CONSOLE}"));
    }
    match stack.issuer() {
        None => print_line(&format!("try:   curl {http}/flows")),
        Some(issuer) => explain_tokens(&http, issuer.url()),
    }
    print_line(&format!(
        "       curl -X POST {aws}/_local/clock -d '{{\"advance\":\"24h\"}}'   # a day of retries, now"
    ));
    Ok(())
}

/// Prints where tokens come from, and a command that gets one.
fn explain_tokens(http: &str, issuer: &str) {
    print_line(&format!(
        "auth:  the API requires tokens; the test issuer {issuer} gives them to everybody on this machine, for any name"
    ));
    print_line(&format!(
        "try:   TOKEN=$(curl -s {issuer}/token -d grant_type=client_credentials -d sub=$USER | cut -d'\"' -f4)"
    ));
    print_line(&format!("       curl -H \"Authorization: Bearer $TOKEN\" {http}/flows"));
}

/// The running demo pipeline. Stops when dropped.
struct Demo(tokio::task::JoinHandle<()>);

impl Demo {
    fn start(stack: &Stack) -> Self {
        for queue in demo::QUEUES {
            stack.add_external_consumer(queue);
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

/// Adds a hint to errors that a user can easily fix, such as an address that is already in use.
fn explain(error: StackError) -> anyhow::Error {
    match &error {
        StackError::Http { address, source } => address_in_use(address, source, "--http"),
        StackError::Aws(StartError::Listen { address, source }) => address_in_use(address, source, "--aws"),
        StackError::Issuer(IssuerError::Listen { address, source }) => address_in_use(address, source, "--issuer"),
        StackError::NoBinary { .. } => anyhow!("{error}; `cargo local` builds it"),
        _ => error.into(),
    }
}

fn address_in_use(address: &SocketAddr, source: &std::io::Error, option: &str) -> anyhow::Error {
    anyhow!("cannot listen on {address} ({source}); choose another address with {option} 127.0.0.1:PORT")
}

/// The status of a GET request. Uses a plain socket, because nothing else of the response is needed.
async fn status_of(url: &str, path: &str) -> anyhow::Result<u16> {
    let address = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut response = Vec::new();
    stream.read_to_end(&mut response).await?;
    let response = String::from_utf8_lossy(&response);
    let status = response.split(' ').nth(1).and_then(|status| status.parse().ok());
    status.ok_or_else(|| anyhow!("no HTTP response from {address}"))
}

/// Prints one line. Ignores errors: if the reader of a pipe has ended, the stack keeps running.
fn print_line(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(format!("{line}\n").as_bytes()).and_then(|()| out.flush());
}
