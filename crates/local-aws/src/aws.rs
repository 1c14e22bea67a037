//! The handle to a running endpoint: starts and stops it, and gives access to its services.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::SignedDuration;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::advance::{self, AdvanceError};
use crate::clock::{Clock, ClockMode};
use crate::dynamodb::DynamoDb;
use crate::faults::{Faults, Redeliveries};
use crate::http;
use crate::invoke::{Invoke, InvokerSlot};
use crate::meter::Meter;
use crate::scheduler::Scheduler;
use crate::services::{DynamoDbRoute, Services};
use crate::sqs::Sqs;
use crate::start_error::StartError;
use crate::store::Store;

/// How long a shutdown waits for requests in progress.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);

/// The settings of an endpoint.
#[derive(Debug, Clone)]
pub struct Options {
    /// The address of the endpoint. Port 0 selects a free port.
    pub listen: SocketAddr,
    /// The directory for all data; it is created if it is missing. `None` stores the data in memory.
    pub data: Option<PathBuf>,
    /// Whether the clock flows or is frozen.
    pub clock: ClockMode,
}

/// A running endpoint. Clones are handles to the same endpoint. It serves until `shutdown`, or until its runtime ends.
#[derive(Clone)]
pub struct Aws {
    services: Arc<Services>,
}

impl Aws {
    /// Binds the address, opens the stored data, and starts to serve.
    ///
    /// # Errors
    /// `StartError` with the reason. Nothing keeps running after an error.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        // With a flowing clock, faults must reach every call; that is worth the slower route.
        let dynamodb_route =
            if options.clock == ClockMode::Flowing { DynamoDbRoute::SharedAddress } else { DynamoDbRoute::OwnAddress };
        Self::start_with(options, Meter::default(), dynamodb_route).await
    }

    /// Like [`Self::start`], but [`Self::dynamodb_url`] is the shared address, so that [`Self::faults`] reach all calls over
    /// HTTP. With a flowing clock or a running meter this is always the case.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_faulty(options: Options) -> Result<Self, StartError> {
        Self::start_with(options, Meter::default(), DynamoDbRoute::SharedAddress).await
    }

    /// Like [`Self::start`], but with a running meter. This is slower, because the meter handles one DynamoDB call at a time.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_metered(options: Options) -> Result<Self, StartError> {
        Self::start_with(options, Meter::running(), DynamoDbRoute::SharedAddress).await
    }

    async fn start_with(options: Options, meter: Meter, dynamodb_route: DynamoDbRoute) -> Result<Self, StartError> {
        let listen = |source| StartError::Listen { address: options.listen, source };
        let listener = TcpListener::bind(options.listen).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let (directory, scratch) = directory(options.data.as_ref())?;
        let file = |name: &str| options.data.as_ref().map(|data| data.join(name));

        let store = Store::open(file("aws.sqlite").as_deref())?;
        let clock = Clock::start(options.clock, directory.join("clock"), store.clone())?;
        let (stop, stopped) = watch::channel(false);
        let dynamodb = DynamoDb::start(file("dynamodb.sqlite"), &clock, stopped.clone()).await?;
        let redeliveries = Redeliveries::default();
        let sqs = Sqs::open(store.clone(), clock.clone(), address, redeliveries.clone(), stopped.clone())?;
        let faults = Faults::new(clock.clone(), redeliveries, stopped.clone());
        let invoker = InvokerSlot::default();
        let scheduler = Scheduler::open(store, clock.clone(), sqs.clone(), invoker.clone())?;

        let services = Services {
            address,
            clock,
            sqs,
            scheduler,
            dynamodb,
            meter,
            faults,
            dynamodb_route,
            invoker,
            advancing: tokio::sync::Mutex::default(),
            stop,
            tasks: Mutex::default(),
            _scratch: scratch,
        };
        let services = Arc::new(services);
        let mut tasks = vec![tokio::spawn(http::serve(listener, services.clone(), stopped.clone()))];
        if services.clock.is_flowing() {
            tasks.push(tokio::spawn(services.sqs.clone().run_timer(stopped.clone())));
            tasks.push(tokio::spawn(services.scheduler.clone().run_timer(stopped)));
        }
        *services.tasks.lock().unwrap_or_else(PoisonError::into_inner) = tasks;
        Ok(Self { services })
    }

    /// The URL for `AWS_ENDPOINT_URL`: `http://127.0.0.1:4566`.
    pub fn url(&self) -> String {
        format!("http://{}", self.services.address)
    }

    /// The URL for `AWS_ENDPOINT_URL_DYNAMODB`. It is DynamoDB's own address, which is faster than the shared one. It is the
    /// shared address if the meter runs, the clock flows, or the endpoint was started with [`Self::start_faulty`].
    pub fn dynamodb_url(&self) -> String {
        match self.services.dynamodb_route {
            DynamoDbRoute::SharedAddress => self.url(),
            DynamoDbRoute::OwnAddress => self.services.dynamodb.url(),
        }
    }

    /// The meter of calls over HTTP. It counts only if the endpoint was started with [`Self::start_metered`].
    pub fn meter(&self) -> &Meter {
        &self.services.meter
    }

    /// Injects faults into calls over HTTP.
    pub fn faults(&self) -> &Faults {
        &self.services.faults
    }

    /// The clock of all services.
    pub fn clock(&self) -> &Clock {
        &self.services.clock
    }

    /// Direct access to the queues, without HTTP.
    pub fn sqs(&self) -> &Sqs {
        &self.services.sqs
    }

    /// Direct access to the schedules, without HTTP.
    pub fn scheduler(&self) -> &Scheduler {
        &self.services.scheduler
    }

    /// Direct access to the tables, without HTTP. Calls block the thread.
    pub fn dynamodb(&self) -> &dynoxide::Database {
        self.services.dynamodb.database()
    }

    /// Sets the runner of functions. Schedules that target a function wait until this is called.
    pub fn set_invoker(&self, invoker: Arc<dyn Invoke>) {
        self.services.invoker.set(invoker);
        self.services.scheduler.wake();
    }

    /// Moves the clock and fires what is due on the way, in order. Returns when all resulting work is finished.
    ///
    /// # Errors
    /// `AdvanceError`. The clock stays at the time it has reached.
    pub async fn advance(&self, by: SignedDuration) -> Result<(), AdvanceError> {
        advance::advance(&self.services, by).await
    }

    /// Stops serving. With a data directory, all accepted requests are already on disk.
    pub async fn shutdown(self) {
        self.services.stop.send_replace(true);
        let tasks = std::mem::take(&mut *self.services.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        let aborts: Vec<_> = tasks.iter().map(JoinHandle::abort_handle).collect();
        if tokio::time::timeout(SHUTDOWN_TIMEOUT, futures::future::join_all(tasks)).await.is_err() {
            aborts.iter().for_each(tokio::task::AbortHandle::abort);
        }
        self.services.dynamodb.wait_stopped().await;
    }
}

/// The directory for files: `data`, or a temporary directory that is removed with the endpoint.
fn directory(data: Option<&PathBuf>) -> Result<(PathBuf, Option<TempDir>), StartError> {
    if let Some(path) = data {
        std::fs::create_dir_all(path).map_err(|source| StartError::Directory { path: path.clone(), source })?;
        return Ok((path.clone(), None));
    }
    let scratch = tempfile::tempdir().map_err(|source| StartError::Directory { path: std::env::temp_dir(), source })?;
    Ok((scratch.path().to_owned(), Some(scratch)))
}
