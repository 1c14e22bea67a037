//! Tests of the binary `local` as a user runs it.

use std::path::Path;
use std::process::Stdio;

use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::support::{QUEUE, WaitPoint, is_running, options, request};

/// A running `local` and its addresses.
struct LocalProcess {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    http: String,
    aws: String,
    _directory: TempDir,
}

/// The command with free ports.
fn command(directory: &TempDir) -> Command {
    let options = options(directory);
    let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
    command.arg("--template").arg(options.template).arg("--binaries").arg(options.binaries).arg("--no-demo");
    command.args(["--http", "127.0.0.1:0", "--aws", "127.0.0.1:0"]);
    command.env_remove("RUST_LOG").stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

impl LocalProcess {
    /// Starts `local` and waits until it prints that it is ready.
    async fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut child = command(&directory).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        loop {
            let line = lines.next_line().await.unwrap().expect("`local` ended before it was ready");
            if let Some(addresses) = line.strip_prefix("ready: HTTP API ") {
                let (http, aws) = addresses.split_once(", AWS endpoint ").unwrap();
                let (http, aws) = (http.to_owned(), aws.to_owned());
                return Self { child, lines, http, aws, _directory: directory };
            }
        }
    }

    fn pid(&self) -> u32 {
        self.child.id().unwrap()
    }

    async fn kill(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.pid().to_string()]).status().await.unwrap();
        assert!(status.success());
    }

    /// The process ids of the functions.
    fn functions(&self) -> Vec<u32> {
        let tasks = std::fs::read_dir(Path::new("/proc").join(self.pid().to_string()).join("task")).unwrap();
        let children = tasks.flat_map(|task| std::fs::read_to_string(task.unwrap().path().join("children")));
        children.flat_map(|pids| pids.split_whitespace().map(|pid| pid.parse().unwrap()).collect::<Vec<_>>()).collect()
    }

    /// Makes a function wait at `wait_point`, through the public endpoint.
    async fn keep_busy(&self, wait_point: &WaitPoint) {
        let queue = format!("{}/000000000000/{QUEUE}", self.aws);
        let body = json!({ "QueueUrl": queue, "MessageBody": wait_point.event().to_string() }).to_string();
        let head = "POST / HTTP/1.1\r\nx-amz-target: AmazonSQS.SendMessage\r\ncontent-type: application/x-amz-json-1.0";
        assert_eq!(request(&self.aws, head, body.as_bytes()).await.0, 200);
        // A move of the clock settles the stack, which ends the window of the batch.
        let aws = self.aws.clone();
        tokio::spawn(async move { request(&aws, "POST /_local/clock HTTP/1.1", br#"{"advance":"1s"}"#).await });
    }
}

async fn wait_until_ended(pids: &[u32]) {
    while pids.iter().any(|pid| is_running(*pid)) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn it_is_ready_when_it_prints_ready_and_stops_on_a_signal() {
    for signal in ["-INT", "-TERM"] {
        let mut local = LocalProcess::start().await;
        let (status, _) = request(&local.http, "POST /items/1 HTTP/1.1", b"{}").await;
        assert_eq!(status, 200);
        let functions = local.functions();
        assert_eq!(functions.len(), 1);
        local.kill(signal).await;
        let mut printed = Vec::new();
        while let Some(line) = local.lines.next_line().await.unwrap() {
            printed.push(line);
        }
        assert_eq!(printed.last().map(String::as_str), Some("stopping"));
        assert_eq!(local.child.wait().await.unwrap().code(), Some(0));
        assert!(!functions.iter().any(|pid| is_running(*pid)));
    }
}

#[tokio::test]
async fn idle_functions_end_when_it_is_killed() {
    let mut local = LocalProcess::start().await;
    request(&local.http, "POST /items/1 HTTP/1.1", b"{}").await;
    let functions = local.functions();
    local.child.kill().await.unwrap();
    wait_until_ended(&functions).await;
}

#[tokio::test]
async fn busy_functions_end_after_their_invocation_when_it_is_killed() {
    let mut local = LocalProcess::start().await;
    let wait_point = WaitPoint::new().await;
    local.keep_busy(&wait_point).await;
    let busy = wait_point.next_waiting().await;
    let functions = local.functions();
    local.child.kill().await.unwrap();
    drop(busy);
    wait_until_ended(&functions).await;
}

#[tokio::test]
async fn the_error_of_an_address_in_use_names_the_option_to_change() {
    let local = LocalProcess::start().await;
    for (option, address) in [("--http", &local.http), ("--aws", &local.aws)] {
        let directory = tempfile::tempdir().unwrap();
        let mut other = command(&directory).arg(option).arg(address.strip_prefix("http://").unwrap()).spawn().unwrap();
        let mut errors = String::new();
        other.stderr.take().unwrap().read_to_string(&mut errors).await.unwrap();
        assert_eq!(other.wait().await.unwrap().code(), Some(1));
        assert!(errors.contains(&format!("choose another address with {option} ")), "{errors}");
    }
}

#[tokio::test]
async fn with_auth_it_prints_a_command_that_gets_a_valid_token() {
    let directory = tempfile::tempdir().unwrap();
    let mut child = command(&directory).args(["--auth", "--issuer", "127.0.0.1:0"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut printed = Vec::new();
    let line = loop {
        let line = lines.next_line().await.unwrap().expect("`local` ended before it printed the command");
        printed.push(line.clone());
        if let Some(line) = line.strip_prefix("try:   TOKEN=") {
            break line.to_owned();
        }
    };
    assert!(printed.iter().any(|line| line.starts_with("auth:") && line.contains("test issuer")), "{printed:?}");
    // Sends the request of the curl command from here, because not every machine has curl.
    let words: Vec<_> = line.split_whitespace().collect();
    let issuer = words.iter().find_map(|word| word.strip_suffix("/token")).unwrap();
    let fields = words.windows(2).filter(|pair| pair[0] == "-d").map(|pair| pair[1]);
    let form = fields.collect::<Vec<_>>().join("&");
    let (_, response) = request(issuer, "POST /token HTTP/1.1", form.as_bytes()).await;
    assert!(line.ends_with("| cut -d'\"' -f4)"), "{line}");
    let token = response.split('"').nth(3).unwrap();
    let ready = printed.iter().find_map(|line| line.strip_prefix("ready: HTTP API ")).unwrap();
    let (http, _) = ready.split_once(',').unwrap();
    let guarded = "GET /guarded/a HTTP/1.1";
    assert_eq!(request(http, guarded, b"").await, (401, r#"{"message":"Unauthorized"}"#.to_owned()));
    assert_eq!(request(http, &format!("{guarded}\r\nauthorization: Bearer {token}"), b"").await.0, 200);
}
