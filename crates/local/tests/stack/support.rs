//! A stack with the test function, and helpers for its tests.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use local::{ClockMode, Stack, StackOptions};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(crate) const FUNCTION: &str = "reprise-TestFunction";
/// The test function with a time-out of one second.
pub(crate) const SHORT_TIMEOUT: &str = "reprise-ShortTimeout";
pub(crate) const QUEUE: &str = "reprise-Work";
pub(crate) const DEAD_LETTERS: &str = "reprise-DeadLetters";

const TEMPLATE: &str = "
Parameters:
  JwtIssuer: { Type: String, Default: '' }
  JwtAudience: { Type: CommaDelimitedList, Default: '' }
  ConsoleClientId: { Type: String, Default: '' }
Conditions: { HasIssuer: !Not [!Equals [!Ref JwtIssuer, '']] }
Resources:
  TestFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: test_function
      Timeout: 30
      MemorySize: 256
      Environment: { Variables: { OWN: of-the-function } }
      Events:
        Work:
          Type: SQS
          Properties:
            Queue: !GetAtt Work.Arn
            BatchSize: 20
            MaximumBatchingWindowInSeconds: 300
            FunctionResponseTypes: [ReportBatchItemFailures]
  ShortTimeout:
    Type: AWS::Serverless::Function
    Properties: { CodeUri: test_function, Timeout: 1 }
  Broken:
    Type: AWS::Serverless::Function
    Properties: { CodeUri: test_function, Environment: { Variables: { FAILS_TO_START: yes-it-does } } }
  Work:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeout: 60
      RedrivePolicy: { deadLetterTargetArn: !GetAtt DeadLetters.Arn, maxReceiveCount: 3 }
  DeadLetters: { Type: AWS::SQS::Queue }
  Api: { Type: AWS::ApiGatewayV2::Api, Properties: { ProtocolType: HTTP } }
  Stage: { Type: AWS::ApiGatewayV2::Stage, Properties: { ApiId: !Ref Api, StageName: $default, AutoDeploy: true } }
  ToTestFunction:
    Type: AWS::ApiGatewayV2::Integration
    Properties: { ApiId: !Ref Api, IntegrationType: AWS_PROXY, PayloadFormatVersion: '2.0', IntegrationUri: !GetAtt TestFunction.Arn }
  MayInvoke:
    Type: AWS::Lambda::Permission
    Properties: { Action: lambda:InvokeFunction, Principal: apigateway.amazonaws.com, FunctionName: !Ref TestFunction }
  Item:
    Type: AWS::ApiGatewayV2::Route
    Properties: { ApiId: !Ref Api, RouteKey: 'POST /items/{id}', Target: !Sub 'integrations/${ToTestFunction}' }
  Tokens:
    Type: AWS::ApiGatewayV2::Authorizer
    Condition: HasIssuer
    Properties:
      ApiId: !Ref Api
      AuthorizerType: JWT
      IdentitySource: [$request.header.Authorization]
      JwtConfiguration: { Issuer: !Ref JwtIssuer, Audience: !Ref JwtAudience }
  Guarded:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      ApiId: !Ref Api
      RouteKey: 'GET /guarded/{path+}'
      Target: !Sub 'integrations/${ToTestFunction}'
      AuthorizationType: !If [HasIssuer, JWT, AWS_IAM]
      AuthorizerId: !If [HasIssuer, !Ref Tokens, !Ref AWS::NoValue]
      AuthorizationScopes: !If [HasIssuer, [items/read, items/write], !Ref AWS::NoValue]
";

/// A running stack and the directory of its template.
pub(crate) struct Fixture {
    pub(crate) stack: Stack,
    _directory: TempDir,
}

impl std::ops::Deref for Fixture {
    type Target = Stack;

    fn deref(&self) -> &Stack {
        &self.stack
    }
}

pub(crate) async fn start() -> Fixture {
    start_with_issuer(None).await
}

/// Starts a stack that requires the tokens of a test issuer.
pub(crate) async fn start_guarded() -> Fixture {
    start_with_issuer(Some(([127, 0, 0, 1], 0).into())).await
}

async fn start_with_issuer(issuer: Option<SocketAddr>) -> Fixture {
    let directory = tempfile::tempdir().unwrap();
    let stack = Stack::start(StackOptions { issuer, ..options(&directory) }).await.unwrap();
    Fixture { stack, _directory: directory }
}

/// Free ports and a frozen clock.
pub(crate) fn options(directory: &TempDir) -> StackOptions {
    let template = directory.path().join("template.yaml");
    std::fs::write(&template, TEMPLATE).unwrap();
    StackOptions {
        http: ([127, 0, 0, 1], 0).into(),
        aws: ([127, 0, 0, 1], 0).into(),
        data: None,
        clock: ClockMode::Frozen("2026-11-20T14:00:00Z".parse().unwrap()),
        binaries: binaries(),
        template,
        issuer: None,
        flows_claim: None,
    }
}

/// The directory of the examples, which is next to the directory of the test binary.
fn binaries() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let binaries = own.parent().and_then(std::path::Path::parent).unwrap().join("examples");
    let is_built = binaries.join("test_function").is_file();
    assert!(is_built, "`cargo test -p local` builds the example test_function, `--test` alone does not");
    binaries
}

impl Fixture {
    /// Invokes the test function and returns its response.
    pub(crate) async fn call(&self, event: Value) -> Value {
        serde_json::from_slice(&self.invoke(FUNCTION, event.to_string()).await.unwrap()).unwrap()
    }

    pub(crate) async fn pid(&self) -> u64 {
        self.call(json!({ "do": "who" })).await["pid"].as_u64().unwrap()
    }

    pub(crate) async fn send(&self, event: Value) {
        let input = json!({ "QueueUrl": self.aws().sqs().url(QUEUE), "MessageBody": event.to_string() });
        self.aws().sqs().call("SendMessage", input).await.unwrap();
    }

    /// The number of messages that are visible, and in flight.
    pub(crate) fn message_counts(&self) -> (usize, usize) {
        (self.aws().sqs().visible(QUEUE), self.aws().sqs().in_flight(QUEUE))
    }
}

/// Makes functions wait: a function that gets [`Self::event`] connects here and continues when its connection is dropped.
pub(crate) struct WaitPoint(TcpListener);

impl WaitPoint {
    pub(crate) async fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    pub(crate) fn event(&self) -> Value {
        json!({ "do": "wait", "at": self.0.local_addr().unwrap().to_string() })
    }

    /// Resolves when the next function waits. Returns its connection.
    pub(crate) async fn next_waiting(&self) -> TcpStream {
        self.0.accept().await.unwrap().0
    }
}

/// Sends one HTTP request and returns the status and the body.
pub(crate) async fn request(base: &str, head: &str, body: &[u8]) -> (u16, String) {
    let mut stream = TcpStream::connect(base.strip_prefix("http://").unwrap()).await.unwrap();
    let head = format!("{head}\r\nhost: local\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// Whether the process runs. A zombie does not count: it has no command line.
pub(crate) fn is_running(pid: u32) -> bool {
    std::fs::read(Path::new("/proc").join(pid.to_string()).join("cmdline")).is_ok_and(|line| !line.is_empty())
}
