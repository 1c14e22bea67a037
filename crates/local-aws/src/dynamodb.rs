//! Runs dynoxide, which emulates DynamoDB. Its HTTP layer returns the same errors as AWS and is only available with its own
//! server, so this file starts that server on a loopback address. The server blocks its thread under one lock, so it has
//! its own thread and runtime: a long scan blocks only other DynamoDB calls.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dynoxide::Database;
use dynoxide::storage_backend::Clock as DynoxideClock;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};

use crate::clock::Clock;
use crate::start_error::StartError;

/// How long a shutdown waits for the server.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);

/// The database and the thread that serves it.
pub(crate) struct DynamoDb {
    database: Database,
    address: SocketAddr,
    ended: Mutex<Option<oneshot::Receiver<()>>>,
}

impl DynamoDb {
    /// Opens `file`, or a database in memory, and serves it until `stopped` becomes true or its sender is dropped.
    pub(crate) async fn start(
        file: Option<PathBuf>,
        clock: &Clock,
        stopped: watch::Receiver<bool>,
    ) -> Result<Self, StartError> {
        let database = open(file, clock)?;
        let (ready, address) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        let served = database.clone();
        std::thread::Builder::new()
            .name("dynamodb".to_owned())
            .spawn(move || {
                if let Err(error) = serve(served, stopped, ready) {
                    tracing::error!(%error, "DynamoDB stopped");
                }
                let _ = end.send(());
            })
            .map_err(|error| StartError::DynamoDb(error.to_string()))?;
        let address = address.await.map_err(|_| StartError::DynamoDb("no loopback address is free".to_owned()))?;
        Ok(Self { database, address, ended: Mutex::new(Some(ended)) })
    }

    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Deletes the items whose time to live has passed.
    pub(crate) async fn delete_expired(&self) {
        let database = self.database.clone();
        match tokio::task::spawn_blocking(move || database.sweep_ttl()).await {
            Ok(Ok(deleted)) => tracing::debug!(deleted, "expired items were deleted"),
            Ok(Err(error)) => tracing::warn!(%error, "expired items cannot be deleted"),
            Err(error) => tracing::warn!(%error, "expired items cannot be deleted"),
        }
    }

    /// Waits until the server's thread has ended, at most `SHUTDOWN_TIMEOUT`.
    pub(crate) async fn wait_stopped(&self) {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(ended) = ended {
            let _ = tokio::time::timeout(SHUTDOWN_TIMEOUT, ended).await;
        }
    }
}

fn open(file: Option<PathBuf>, clock: &Clock) -> Result<Database, StartError> {
    let refused = |error: dynoxide::DynoxideError| StartError::DynamoDb(error.to_string());
    let Some(file) = file else {
        return Database::memory_with_clock(Arc::new(clock.clone())).map_err(refused);
    };
    let database = Database::new(&file.to_string_lossy()).map_err(refused)?;
    // Sets `synchronous = NORMAL`: a killed process then loses no commit, and commits need no disk flush.
    database.disable_bulk_loading().map_err(refused)?;
    Ok(database)
}

fn serve(
    database: Database,
    mut stopped: watch::Receiver<bool>,
    ready: oneshot::Sender<SocketAddr>,
) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(|error| error.to_string())?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let _ = ready.send(address);
        let mut asked = stopped.clone();
        let serving = dynoxide::server::serve_with_shutdown(listener, database, async move {
            let _ = asked.wait_for(|stop| *stop).await;
        });
        // A client with an incomplete request must not delay the shutdown.
        let deadline = async {
            let _ = stopped.wait_for(|stop| *stop).await;
            tokio::time::sleep(SHUTDOWN_TIMEOUT / 2).await;
        };
        tokio::select! {
            served = serving => served,
            () = deadline => Ok(()),
        }
    })
}

impl DynoxideClock for Clock {
    fn now_unix_secs(&self) -> u64 {
        u64::try_from(self.millis() / 1_000).unwrap_or_default()
    }

    fn now_unix_secs_f64(&self) -> f64 {
        self.now().as_duration().as_secs_f64()
    }
}
