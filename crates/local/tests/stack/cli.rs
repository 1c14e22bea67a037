//! The binary, as it is used from a terminal.

use std::path::Path;
use std::process::Stdio;

use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::support::{Meeting, QUEUE, is_running, options, request};

/// A running `local` and where it answers.
struct Terminal {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    http: String,
    aws: String,
    _directory: TempDir,
}

/// The command, on any free ports.
fn command(directory: &TempDir) -> Command {
    let options = options(directory);
    let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
    command.arg("--template").arg(options.template).arg("--binaries").arg(options.binaries).arg("--no-demo");
    command.args(["--http", "127.0.0.1:0", "--aws", "127.0.0.1:0"]);
    command.env_remove("RUST_LOG").stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

impl Terminal {
    /// Resolves when it says that it is ready.
    async fn open() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut child = command(&directory).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        loop {
            let line = lines.next_line().await.unwrap().expect("it ends before it is ready");
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

    /// The function processes that it started.
    fn functions(&self) -> Vec<u32> {
        let tasks = std::fs::read_dir(Path::new("/proc").join(self.pid().to_string()).join("task")).unwrap();
        let children = tasks.flat_map(|task| std::fs::read_to_string(task.unwrap().path().join("children")));
        children.flat_map(|pids| pids.split_whitespace().map(|pid| pid.parse().unwrap()).collect::<Vec<_>>()).collect()
    }

    /// Has a function wait at the meeting, over the public endpoint.
    async fn keep_busy(&self, meeting: &Meeting) {
        let queue = format!("{}/000000000000/{QUEUE}", self.aws);
        let body = json!({ "QueueUrl": queue, "MessageBody": meeting.event().to_string() }).to_string();
        let head = "POST / HTTP/1.1\r\nx-amz-target: AmazonSQS.SendMessage\r\ncontent-type: application/x-amz-json-1.0";
        assert_eq!(request(&self.aws, head, body.as_bytes()).await.0, 200);
        // Moving the clock settles, and so ends the batch's window.
        let aws = self.aws.clone();
        tokio::spawn(async move { request(&aws, "POST /_local/clock HTTP/1.1", br#"{"advance":"1s"}"#).await });
    }
}

async fn gone(pids: &[u32]) {
    while pids.iter().any(|pid| is_running(*pid)) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn it_is_ready_when_it_says_so_and_stops_when_it_is_told_to() {
    for signal in ["-INT", "-TERM"] {
        let mut terminal = Terminal::open().await;
        let (status, _) = request(&terminal.http, "POST /items/1 HTTP/1.1", b"{}").await;
        assert_eq!(status, 200);
        let functions = terminal.functions();
        assert_eq!(functions.len(), 1);
        terminal.kill(signal).await;
        let mut said = Vec::new();
        while let Some(line) = terminal.lines.next_line().await.unwrap() {
            said.push(line);
        }
        assert_eq!(said.last().map(String::as_str), Some("stopping"));
        assert_eq!(terminal.child.wait().await.unwrap().code(), Some(0));
        assert!(!functions.iter().any(|pid| is_running(*pid)));
    }
}

#[tokio::test]
async fn idle_functions_do_not_outlive_it_when_it_is_killed() {
    let mut terminal = Terminal::open().await;
    request(&terminal.http, "POST /items/1 HTTP/1.1", b"{}").await;
    let functions = terminal.functions();
    terminal.child.kill().await.unwrap();
    gone(&functions).await;
}

#[tokio::test]
async fn busy_functions_outlive_it_for_no_longer_than_they_are_busy() {
    let mut terminal = Terminal::open().await;
    let meeting = Meeting::new().await;
    terminal.keep_busy(&meeting).await;
    let busy = meeting.arrival().await;
    let functions = terminal.functions();
    terminal.child.kill().await.unwrap();
    drop(busy);
    gone(&functions).await;
}

#[tokio::test]
async fn a_taken_address_is_told_with_the_option_that_helps() {
    let terminal = Terminal::open().await;
    for (option, address) in [("--http", &terminal.http), ("--aws", &terminal.aws)] {
        let directory = tempfile::tempdir().unwrap();
        let mut other = command(&directory).arg(option).arg(address.strip_prefix("http://").unwrap()).spawn().unwrap();
        let mut errors = String::new();
        other.stderr.take().unwrap().read_to_string(&mut errors).await.unwrap();
        assert_eq!(other.wait().await.unwrap().code(), Some(1));
        assert!(errors.contains(&format!("choose another address with {option} ")), "{errors}");
    }
}

#[tokio::test]
async fn with_auth_it_says_how_to_get_a_token_and_the_line_that_it_says_does() {
    let directory = tempfile::tempdir().unwrap();
    let mut child = command(&directory).args(["--auth", "--issuer", "127.0.0.1:0"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut said = Vec::new();
    let line = loop {
        let line = lines.next_line().await.unwrap().expect("it ends before it has said how");
        said.push(line.clone());
        if let Some(line) = line.strip_prefix("try:   TOKEN=") {
            break line.to_owned();
        }
    };
    assert!(said.iter().any(|line| line.starts_with("auth:") && line.contains("test issuer")), "{said:?}");
    // Not every machine has curl: what it would send is sent from here.
    let words: Vec<_> = line.split_whitespace().collect();
    let issuer = words.iter().find_map(|word| word.strip_suffix("/token")).unwrap();
    let fields = words.windows(2).filter(|pair| pair[0] == "-d").map(|pair| pair[1]);
    let form = fields.collect::<Vec<_>>().join("&");
    let (_, answer) = request(issuer, "POST /token HTTP/1.1", form.as_bytes()).await;
    assert!(line.ends_with("| cut -d'\"' -f4)"), "{line}");
    let token = answer.split('"').nth(3).unwrap();
    let ready = said.iter().find_map(|line| line.strip_prefix("ready: HTTP API ")).unwrap();
    let (http, _) = ready.split_once(',').unwrap();
    let guarded = "GET /guarded/a HTTP/1.1";
    assert_eq!(request(http, guarded, b"").await, (401, r#"{"message":"Unauthorized"}"#.to_owned()));
    assert_eq!(request(http, &format!("{guarded}\r\nauthorization: Bearer {token}"), b"").await.0, 200);
}
