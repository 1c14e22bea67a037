//! Starting, holding and stopping the endpoint.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use jiff::SignedDuration;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::advance::{self, AdvanceError};
use crate::clock::{Clock, ClockError, ClockMode};
use crate::dynamodb::DynamoDb;
use crate::faults::{Faults, Redeliveries};
use crate::http;
use crate::invoke::Invoke;
use crate::meter::Meter;
use crate::scheduler::Scheduler;
use crate::sqs::Sqs;
use crate::store::Store;

/// How long a shutdown waits for requests that are being answered.
const GRACE: Duration = Duration::from_secs(2);

/// Where to listen, what to keep, how time passes.
#[derive(Debug, Clone)]
pub struct Options {
    /// The address of the endpoint; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The directory to keep everything in, created when missing; `None` keeps it in memory.
    pub data: Option<PathBuf>,
    /// Whether the clock flows or stands still.
    pub clock: ClockMode,
}

/// Why the endpoint did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The data directory cannot be used.
    #[error("directory {path} cannot be used")]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// SQS and the Scheduler cannot be opened.
    #[error("the database of queues and schedules cannot be opened")]
    Store(#[from] rusqlite::Error),
    /// What is stored about a queue cannot be understood.
    #[error("what is stored about the queues cannot be read")]
    Queues(#[from] crate::sqs::SqsError),
    /// DynamoDB cannot be opened.
    #[error("the DynamoDB database cannot be opened: {0}")]
    DynamoDb(String),
    /// The clock cannot be set.
    #[error("the clock cannot be started")]
    Clock(#[from] ClockError),
}

/// A running endpoint. Clones are handles to the same one; it serves until `shutdown`, or until its runtime ends.
#[derive(Clone)]
pub struct Aws {
    inner: Arc<Inner>,
}

struct Inner {
    address: SocketAddr,
    clock: Clock,
    sqs: Sqs,
    scheduler: Scheduler,
    dynamodb: DynamoDb,
    meter: Meter,
    faults: Faults,
    detour: Detour,
    invoker: Invoker,
    advancing: tokio::sync::Mutex<()>,
    stop: watch::Sender<bool>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
    /// Holds the clock file when there is no data directory.
    _scratch: Option<TempDir>,
}

/// Which way functions take to DynamoDB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Detour {
    /// Over the shared address, where the meter and faults are.
    Shared,
    /// Straight to its own address.
    Direct,
}

/// Whoever runs functions, once somebody said who that is.
#[derive(Clone, Default)]
pub(crate) struct Invoker(Arc<RwLock<Option<Arc<dyn Invoke>>>>);

impl Invoker {
    pub(crate) fn get(&self) -> Option<Arc<dyn Invoke>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, invoker: Arc<dyn Invoke>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(invoker);
    }
}

impl Aws {
    /// Binds the address, opens what was kept, and serves.
    ///
    /// # Errors
    /// `StartError` says what stood in the way; nothing is left running then.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        // Where people rehearse, a little speed matters less than that faults reach every call.
        let detour = if options.clock == ClockMode::Flowing { Detour::Shared } else { Detour::Direct };
        Self::start_with(options, Meter::default(), detour).await
    }

    /// As [`Self::start`], with [`Self::dynamodb_url`] being the shared address, so that [`Self::faults`] reach all calls over
    /// HTTP. It always is where the clock flows or the meter runs.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_faulty(options: Options) -> Result<Self, StartError> {
        Self::start_with(options, Meter::default(), Detour::Shared).await
    }

    /// As [`Self::start`], with a meter that runs. It is slower: every call to DynamoDB passes the meter in its turn.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub async fn start_metered(options: Options) -> Result<Self, StartError> {
        Self::start_with(options, Meter::running(), Detour::Shared).await
    }

    async fn start_with(options: Options, meter: Meter, detour: Detour) -> Result<Self, StartError> {
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
        let invoker = Invoker::default();
        let scheduler = Scheduler::open(store, clock.clone(), sqs.clone(), invoker.clone())?;

        let inner = Inner {
            address,
            clock,
            sqs,
            scheduler,
            dynamodb,
            meter,
            faults,
            detour,
            invoker,
            advancing: tokio::sync::Mutex::default(),
            stop,
            tasks: Mutex::default(),
            _scratch: scratch,
        };
        let aws = Self { inner: Arc::new(inner) };
        let mut tasks = vec![tokio::spawn(http::serve(listener, aws.clone(), stopped.clone()))];
        if aws.clock().flows() {
            tasks.push(tokio::spawn(aws.sqs().clone().keep_time(stopped.clone())));
            tasks.push(tokio::spawn(aws.scheduler().clone().keep_time(stopped)));
        }
        *aws.inner.tasks.lock().unwrap_or_else(PoisonError::into_inner) = tasks;
        Ok(aws)
    }

    /// The endpoint, as `AWS_ENDPOINT_URL` wants it: `http://127.0.0.1:4566`.
    pub fn url(&self) -> String {
        format!("http://{}", self.inner.address)
    }

    /// DynamoDB without the detour over the shared address, for those who call it much: `AWS_ENDPOINT_URL_DYNAMODB`.
    /// It is the shared address all the same where the meter runs, the clock flows, or [`Self::start_faulty`] was called.
    pub fn dynamodb_url(&self) -> String {
        match self.inner.detour {
            Detour::Shared => self.url(),
            Detour::Direct => self.dynamodb_direct(),
        }
    }

    pub(crate) fn dynamodb_direct(&self) -> String {
        self.inner.dynamodb.url()
    }

    /// What the calls that passed the endpoint cost. It counts when the endpoint was started with
    /// [`Self::start_metered`].
    pub fn meter(&self) -> &Meter {
        &self.inner.meter
    }

    /// Faults on demand, for calls that pass the endpoint.
    pub fn faults(&self) -> &Faults {
        &self.inner.faults
    }

    /// The clock everything goes by.
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// The queues, without the detour over HTTP.
    pub fn sqs(&self) -> &Sqs {
        &self.inner.sqs
    }

    /// The schedules, without the detour over HTTP.
    pub fn scheduler(&self) -> &Scheduler {
        &self.inner.scheduler
    }

    /// The tables, without the detour over HTTP. Calls block the thread for as long as they take.
    pub fn dynamodb(&self) -> &dynoxide::Database {
        self.inner.dynamodb.database()
    }

    /// Says who runs functions. Schedules that target one wait until this was called.
    pub fn set_invoker(&self, invoker: Arc<dyn Invoke>) {
        self.inner.invoker.set(invoker);
        self.inner.scheduler.look_again();
    }

    /// Moves the clock, firing what falls due on the way in order; done when all of it has been dealt with.
    ///
    /// # Errors
    /// `AdvanceError`; the clock stands where it came to.
    pub async fn advance(&self, by: SignedDuration) -> Result<(), AdvanceError> {
        advance::advance(self, by).await
    }

    /// Stops serving. What was accepted is on disk already, if there is a data directory.
    pub async fn shutdown(self) {
        self.inner.stop.send_replace(true);
        let tasks = std::mem::take(&mut *self.inner.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        let aborts: Vec<_> = tasks.iter().map(JoinHandle::abort_handle).collect();
        if tokio::time::timeout(GRACE, futures::future::join_all(tasks)).await.is_err() {
            aborts.iter().for_each(tokio::task::AbortHandle::abort);
        }
        self.inner.dynamodb.stopped().await;
    }

    pub(crate) fn invoker(&self) -> Option<Arc<dyn Invoke>> {
        self.inner.invoker.get()
    }

    pub(crate) fn advancing(&self) -> &tokio::sync::Mutex<()> {
        &self.inner.advancing
    }

    pub(crate) async fn sweep(&self) {
        self.inner.dynamodb.sweep().await;
    }

    pub(crate) async fn settle(&self) {
        if let Some(invoker) = self.inner.invoker.get() {
            invoker.settle().await;
        }
    }
}

/// The directory for files: the one asked for, or one that goes when the endpoint goes.
fn directory(data: Option<&PathBuf>) -> Result<(PathBuf, Option<TempDir>), StartError> {
    if let Some(path) = data {
        std::fs::create_dir_all(path).map_err(|source| StartError::Directory { path: path.clone(), source })?;
        return Ok((path.clone(), None));
    }
    let scratch = tempfile::tempdir().map_err(|source| StartError::Directory { path: std::env::temp_dir(), source })?;
    Ok((scratch.path().to_owned(), Some(scratch)))
}
