//! The test fixture: an endpoint and its SDK clients.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sqs::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_sqs::types::QueueAttributeName;
use jiff::{SignedDuration, Timestamp};
use local_aws::{Aws, ClockMode, Invoke, InvokeError, Options, parse_duration};

/// A Friday afternoon.
pub(crate) const START: &str = "2026-11-20T14:00:00Z";
pub(crate) const ROLE: &str = "arn:aws:iam::000000000000:role/reprise";

pub(crate) struct Fixture {
    pub(crate) aws: Aws,
    pub(crate) sqs: aws_sdk_sqs::Client,
    pub(crate) scheduler: aws_sdk_scheduler::Client,
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        Self::at(START, None).await
    }

    pub(crate) async fn at(start: &str, data: Option<PathBuf>) -> Self {
        let clock = ClockMode::Frozen(time(start));
        let listen = "127.0.0.1:0".parse().expect("an address");
        let aws = Aws::start(Options { listen, data, clock }).await.expect("starts");
        let config = config(&aws.url());
        Self {
            sqs: aws_sdk_sqs::Client::new(&config),
            scheduler: aws_sdk_scheduler::Client::new(&config),
            dynamodb: aws_sdk_dynamodb::Client::new(&config),
            aws,
        }
    }

    pub(crate) async fn advance(&self, by: &str) {
        self.aws.advance(duration(by)).await.expect("advances");
    }

    /// A client that signs with this access key.
    pub(crate) fn sqs_as(&self, key: &str) -> aws_sdk_sqs::Client {
        let credentials = Credentials::new(key, "any", None, None, "tests");
        let config = aws_sdk_sqs::config::Builder::from(&config(&self.aws.url()));
        aws_sdk_sqs::Client::from_conf(config.credentials_provider(credentials).build())
    }

    pub(crate) fn now(&self) -> String {
        self.aws.clock().now().to_string()
    }

    pub(crate) async fn queue(&self, name: &str, attributes: &[(QueueAttributeName, &str)]) -> String {
        let mut create = self.sqs.create_queue().queue_name(name);
        for (attribute, value) in attributes {
            create = create.attributes(attribute.clone(), *value);
        }
        create.send().await.expect("creates").queue_url.expect("a URL")
    }

    pub(crate) async fn send(&self, url: &str, body: &str) {
        self.sqs.send_message().queue_url(url).message_body(body).send().await.expect("sends");
    }

    /// Receives up to ten messages with all their attributes.
    pub(crate) async fn receive(&self, url: &str) -> Vec<aws_sdk_sqs::types::Message> {
        let receive =
            self.sqs.receive_message().queue_url(url).max_number_of_messages(10).message_attribute_names("All");
        let receive = receive.message_system_attribute_names(aws_sdk_sqs::types::MessageSystemAttributeName::All);
        receive.send().await.expect("receives").messages.unwrap_or_default()
    }

    pub(crate) async fn bodies(&self, url: &str) -> Vec<String> {
        self.receive(url).await.into_iter().filter_map(|message| message.body).collect()
    }

    pub(crate) async fn delete(&self, url: &str, message: &aws_sdk_sqs::types::Message) {
        let handle = message.receipt_handle().expect("a handle");
        self.sqs.delete_message().queue_url(url).receipt_handle(handle).send().await.expect("deletes");
    }

    pub(crate) async fn attribute(&self, url: &str, name: QueueAttributeName) -> Option<String> {
        let get = self.sqs.get_queue_attributes().queue_url(url).attribute_names(QueueAttributeName::All);
        get.send().await.expect("answers").attributes.unwrap_or_default().remove(&name)
    }
}

pub(crate) fn config(url: &str) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("any", "any", None, None, "any")))
        .endpoint_url(url)
        .build()
}

pub(crate) fn time(text: &str) -> Timestamp {
    text.parse().expect("a timestamp")
}

pub(crate) fn duration(text: &str) -> SignedDuration {
    parse_duration(text).expect("a duration")
}

/// A runner of functions that records the time and payload of each call, and fails for the first `failures` calls.
#[derive(Default)]
pub(crate) struct Functions {
    calls: Mutex<Vec<(String, String)>>,
    failures: Mutex<usize>,
    aws: Mutex<Option<Aws>>,
}

impl Functions {
    /// Sets the runner of the fixture's endpoint.
    pub(crate) fn of(fixture: &Fixture, failures: usize) -> Arc<Self> {
        let functions = Arc::new(Self {
            failures: Mutex::new(failures),
            aws: Mutex::new(Some(fixture.aws.clone())),
            ..Self::default()
        });
        fixture.aws.set_invoker(functions.clone());
        functions
    }

    /// The clock's time and the payload of each call.
    pub(crate) fn calls(&self) -> Vec<(String, String)> {
        self.calls.lock().expect("calls").clone()
    }

    /// The clock's time of each call.
    pub(crate) fn times(&self) -> Vec<String> {
        self.calls().into_iter().map(|(at, _)| at).collect()
    }
}

#[async_trait]
impl Invoke for Functions {
    async fn invoke(&self, function_arn: &str, payload: Vec<u8>) -> Result<Vec<u8>, InvokeError> {
        let now = self.aws.lock().expect("aws").as_ref().expect("set").clock().now().to_string();
        self.calls.lock().expect("calls").push((now, String::from_utf8(payload).expect("text")));
        let mut failures = self.failures.lock().expect("failures");
        if *failures == 0 {
            return Ok(b"{}".to_vec());
        }
        *failures -= 1;
        Err(InvokeError::Failed { function: function_arn.to_owned(), message: "out of order".to_owned() })
    }

    async fn settle(&self) {}
}
