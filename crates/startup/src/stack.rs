//! Creates the AWS clients of a function once, and the service of the `app` crate that the function needs.

use std::time::Duration;

use app::{Actions, Configure, Gate, Ingest, Jobs, Reader, Runner, Slots, Sweeper, WorkSender};
use aws_config::environment::{EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider};
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use queues::{OwnQueues, Redelivery, RefusedWorkQueue, StageQueues, WorkQueue};
use schedules::Schedules;
use table::Table;

use crate::clock::Clock;
use crate::conflicts::RetryConflicts;
use crate::{log, settings};

/// Every call has a time-out: 3 s for each attempt and 10 s in all, well before the function itself times out.
fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_secs(3))
        .operation_timeout(Duration::from_secs(10))
        .build()
}

/// Up to four attempts, with random pauses between them (full jitter): up to 50 ms at first, doubling to at most a second.
fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(4)
        .with_initial_backoff(Duration::from_millis(50))
        .with_max_backoff(Duration::from_secs(1))
}

/// The clients and the clock from which a function is built.
#[derive(Debug)]
pub struct Stack {
    aws: SdkConfig,
    table: Table,
    /// The source of the current time.
    pub clock: Clock,
}

impl Stack {
    /// Starts the log and creates the clients. Reads credentials and region from the environment only, where Lambda puts
    /// them: other sources would cost start-up time.
    ///
    /// # Errors
    /// If an environment variable is missing. The error names it.
    pub async fn start() -> anyhow::Result<Self> {
        log::start();
        let aws = aws_config::defaults(BehaviorVersion::latest())
            .region(EnvironmentVariableRegionProvider::new())
            .credentials_provider(EnvironmentVariableCredentialsProvider::new())
            .timeout_config(timeouts())
            .retry_config(retries())
            .load()
            .await;
        let dynamodb = aws_sdk_dynamodb::config::Builder::from(&aws).retry_classifier(RetryConflicts).build();
        let client = aws_sdk_dynamodb::Client::from_conf(dynamodb);
        let table = Table::new(client, settings::required("TABLE_NAME")?, settings::retention()?);
        Ok(Self { aws, table, clock: Clock::from_env() })
    }

    /// Creates the service of `ingest-failure`.
    ///
    /// # Errors
    /// If an environment variable is missing. The error names it.
    pub fn ingest(&self) -> anyhow::Result<Ingest> {
        Ok(Ingest::new(self.table.clone(), self.slots()?, self.work()?, settings::default_stages()))
    }

    /// Creates the service of `list`.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader::new(self.table.clone(), settings::default_stages())
    }

    /// The name of the token claim that lists the flows a bearer may see. `None` if the stack does not limit bearers. For
    /// all functions of the API.
    #[must_use]
    pub fn flows_claim(&self) -> Option<String> {
        settings::optional("FLOWS_CLAIM")
    }

    /// Creates the service of `delete`, which puts nothing into a slot and needs no access to the Scheduler.
    ///
    /// # Errors
    /// If an environment variable is missing. The error names it.
    pub fn deletions(&self) -> anyhow::Result<Actions> {
        let slots = Slots::unscheduled(self.table.clone());
        Ok(Actions::new(self.table.clone(), slots, self.stages()?, self.work()?, settings::default_stages()))
    }

    /// Creates the service of `restart` and `retry`.
    ///
    /// # Errors
    /// If an environment variable is missing. The error names it.
    pub fn actions(&self) -> anyhow::Result<Actions> {
        let (slots, work) = (self.slots()?, self.work()?);
        Ok(Actions::new(self.table.clone(), slots, self.stages()?, work, settings::default_stages()))
    }

    /// Creates the service for bulk jobs of `restart`, `retry` and `delete`.
    ///
    /// # Errors
    /// If an environment variable is missing. The error names it.
    pub fn jobs(&self) -> anyhow::Result<Jobs> {
        Ok(Jobs::new(self.table.clone(), self.work()?, settings::default_stages()))
    }

    /// Creates the service of `run-job`.
    ///
    /// # Errors
    /// If an environment variable is missing. The error names it.
    pub fn runner(&self) -> anyhow::Result<Runner> {
        let (slots, work) = (self.slots()?, self.work()?);
        Ok(Runner::new(self.table.clone(), slots, self.stages()?, work, settings::default_stages()))
    }

    /// Creates the check of messages that arrive on the queues of `run-job`.
    ///
    /// # Errors
    /// If an environment variable is missing. The error names it.
    pub fn gate(&self) -> anyhow::Result<Gate> {
        let url = settings::required("REFUSED_WORK_QUEUE_URL")?;
        Ok(Gate::new(self.table.clone(), RefusedWorkQueue::new(aws_sdk_sqs::Client::new(&self.aws), url)))
    }

    /// Creates the service of `scheduled-retry`.
    ///
    /// # Errors
    /// If an environment variable is missing. The error names it.
    pub fn sweeper(&self) -> anyhow::Result<Sweeper> {
        Ok(Sweeper::new(self.table.clone(), self.work()?))
    }

    /// Creates the service of `configure-flow`.
    ///
    /// # Errors
    /// If an environment variable is missing. The error names it.
    pub fn configure(&self) -> anyhow::Result<Configure> {
        Ok(Configure::new(self.table.clone(), self.work()?, settings::default_stages(), own_queues()?))
    }

    /// Creates the client that changes the visibility timeout of messages of one queue. `url` is the environment variable with
    /// the URL of the queue.
    ///
    /// # Errors
    /// If an environment variable is missing. The error names it.
    pub fn redelivery(&self, url: &str) -> anyhow::Result<Redelivery> {
        Ok(Redelivery::new(aws_sdk_sqs::Client::new(&self.aws), settings::required(url)?))
    }

    fn slots(&self) -> anyhow::Result<Slots> {
        let schedules = Schedules::new(aws_sdk_scheduler::Client::new(&self.aws), settings::schedules()?);
        Ok(Slots::new(self.table.clone(), schedules))
    }

    fn stages(&self) -> anyhow::Result<StageQueues> {
        Ok(StageQueues::new(aws_sdk_sqs::Client::new(&self.aws), own_queues()?))
    }

    fn work(&self) -> anyhow::Result<WorkSender> {
        let queue = WorkQueue::new(aws_sdk_sqs::Client::new(&self.aws), settings::required("JOBS_QUEUE_URL")?);
        Ok(WorkSender::new(self.table.clone(), queue))
    }
}

/// The stack's own queues, which a flow may not use as a stage.
fn own_queues() -> anyhow::Result<OwnQueues> {
    Ok(OwnQueues::new(settings::required("OWN_QUEUE_URLS")?.split(',')))
}
