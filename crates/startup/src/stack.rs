//! The stack as one function sees it: clients made once, and from them what the function is for.

use std::time::Duration;

use app::{Actions, Configure, Gate, Ingest, Jobs, Reader, Runner, Slots, Sweeper, WorkSender};
use aws_config::environment::{EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider};
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use queues::{OwnQueues, Redelivery, RefusedWorkQueue, StageQueues, WorkQueue};
use schedules::Schedules;
use table::Table;

use crate::conflicts::ConflictsPass;
use crate::{Clock, log, settings};

/// No call waits without an end: a try has 3 s, and all tries of a call together end well before their function does.
fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_secs(3))
        .operation_timeout(Duration::from_secs(10))
        .build()
}

/// Tries follow one another after random pauses of up to 50 ms, doubling to at most a second (full jitter).
fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(4)
        .with_initial_backoff(Duration::from_millis(50))
        .with_max_backoff(Duration::from_secs(1))
}

/// What functions are built from.
#[derive(Debug)]
pub struct Stack {
    aws: SdkConfig,
    table: Table,
    /// The time.
    pub clock: Clock,
}

impl Stack {
    /// Starts the log and makes the clients. On Lambda, credentials and region are in the environment; looking
    /// elsewhere for them would only cost start-up time.
    ///
    /// # Errors
    /// Names the environment variable that is missing.
    pub async fn start() -> anyhow::Result<Self> {
        log::start();
        let aws = aws_config::defaults(BehaviorVersion::latest())
            .region(EnvironmentVariableRegionProvider::new())
            .credentials_provider(EnvironmentVariableCredentialsProvider::new())
            .timeout_config(timeouts())
            .retry_config(retries())
            .load()
            .await;
        let dynamodb = aws_sdk_dynamodb::config::Builder::from(&aws).retry_classifier(ConflictsPass).build();
        let client = aws_sdk_dynamodb::Client::from_conf(dynamodb);
        let table = Table::new(client, settings::required("TABLE_NAME")?, settings::retention()?);
        Ok(Self { aws, table, clock: Clock::from_env() })
    }

    /// For ingest-failure.
    ///
    /// # Errors
    /// Names the environment variable that is missing.
    pub fn ingest(&self) -> anyhow::Result<Ingest> {
        Ok(Ingest::new(self.table.clone(), self.slots()?, self.work()?, settings::default_stages()))
    }

    /// For list.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader::new(self.table.clone(), settings::default_stages())
    }

    /// The claim of a token that lists the flows its bearer may see; `None` where the stack limits nobody. For everything
    /// that answers the API.
    #[must_use]
    pub fn flows_claim(&self) -> Option<String> {
        settings::optional("FLOWS_CLAIM")
    }

    /// For delete, which enrols nothing in a slot.
    ///
    /// # Errors
    /// Names the environment variable that is missing.
    pub fn deletions(&self) -> anyhow::Result<Actions> {
        let slots = Slots::unscheduled(self.table.clone());
        Ok(Actions::new(self.table.clone(), slots, self.stages()?, self.work()?, settings::default_stages()))
    }

    /// For restart and retry.
    ///
    /// # Errors
    /// Names the environment variable that is missing.
    pub fn actions(&self) -> anyhow::Result<Actions> {
        let (slots, work) = (self.slots()?, self.work()?);
        Ok(Actions::new(self.table.clone(), slots, self.stages()?, work, settings::default_stages()))
    }

    /// For restart, retry and delete.
    ///
    /// # Errors
    /// Names the environment variable that is missing.
    pub fn jobs(&self) -> anyhow::Result<Jobs> {
        Ok(Jobs::new(self.table.clone(), self.work()?, settings::default_stages()))
    }

    /// For run-job.
    ///
    /// # Errors
    /// Names the environment variable that is missing.
    pub fn runner(&self) -> anyhow::Result<Runner> {
        let (slots, work) = (self.slots()?, self.work()?);
        Ok(Runner::new(self.table.clone(), slots, self.stages()?, work, settings::default_stages()))
    }

    /// For run-job: what it takes from its queues.
    ///
    /// # Errors
    /// Names the environment variable that is missing.
    pub fn gate(&self) -> anyhow::Result<Gate> {
        let url = settings::required("REFUSED_WORK_QUEUE_URL")?;
        Ok(Gate::new(self.table.clone(), RefusedWorkQueue::new(aws_sdk_sqs::Client::new(&self.aws), url)))
    }

    /// For scheduled-retry.
    ///
    /// # Errors
    /// Names the environment variable that is missing.
    pub fn sweeper(&self) -> anyhow::Result<Sweeper> {
        Ok(Sweeper::new(self.table.clone(), self.work()?))
    }

    /// For configure-flow.
    ///
    /// # Errors
    /// Names the environment variable that is missing.
    pub fn configure(&self) -> anyhow::Result<Configure> {
        Ok(Configure::new(self.table.clone(), self.work()?, settings::default_stages(), own_queues()?))
    }

    /// Makes messages of the queue visible again that `url`, a variable of the environment, names.
    ///
    /// # Errors
    /// Names the environment variable that is missing.
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

/// The queues that are never a stage.
fn own_queues() -> anyhow::Result<OwnQueues> {
    Ok(OwnQueues::new(settings::required("OWN_QUEUE_URLS")?.split(',')))
}
