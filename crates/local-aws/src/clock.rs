//! The clock of all local services. It is the wall clock plus an offset, or it is frozen until a test advances it. Function
//! processes cannot call it, so it writes each change to a small file that they read.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension};
use tokio::sync::watch;

use crate::store::Store;

/// How time passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockMode {
    /// The wall clock, plus the sum of all advances.
    Flowing,
    /// Stays at this instant until it is advanced. If the stored clock is later, it starts there.
    Frozen(Timestamp),
}

/// The reason why the clock did not move.
#[derive(Debug, thiserror::Error)]
pub enum ClockError {
    /// The file that function processes read could not be replaced.
    #[error("clock file {path} cannot be written")]
    Mirror {
        /// The file.
        path: PathBuf,
        /// The error of the file system.
        #[source]
        source: std::io::Error,
    },
    /// The new time could not be stored.
    #[error("clock cannot be persisted")]
    Persist(#[from] rusqlite::Error),
}

/// A handle to the clock. Clones are handles to the same clock.
#[derive(Clone)]
pub struct Clock {
    inner: Arc<Inner>,
}

struct Inner {
    reading: Mutex<Reading>,
    file: PathBuf,
    store: Store,
    moved: watch::Sender<()>,
    /// The last time when a message was sent, a one-time schedule fired, or an advance began; in Unix milliseconds.
    last_activity_at: AtomicI64,
}

/// The state of the clock, in milliseconds, as in SQS and the clock file.
#[derive(Debug, Clone, Copy)]
enum Reading {
    Offset(i64),
    Frozen(i64),
}

impl Clock {
    /// Starts from the stored clock, and writes the state to `file`.
    pub(crate) fn start(mode: ClockMode, file: PathBuf, store: Store) -> Result<Self, ClockError> {
        let stored: Option<(String, i64)> = store.read(|db| {
            db.query_row("SELECT mode, millis FROM clock", [], |row| Ok((row.get(0)?, row.get(1)?))).optional()
        })?;
        let reading = match (mode, stored) {
            (ClockMode::Flowing, Some((stored, millis))) if stored == "offset" => Reading::Offset(millis),
            (ClockMode::Flowing, _) => Reading::Offset(0),
            (ClockMode::Frozen(at), Some((stored, millis))) if stored == "frozen" => {
                Reading::Frozen(at.as_millisecond().max(millis))
            }
            (ClockMode::Frozen(at), _) => Reading::Frozen(at.as_millisecond()),
        };
        let (moved, _) = watch::channel(());
        let clock = Self {
            inner: Arc::new(Inner {
                reading: Mutex::new(reading),
                file,
                store,
                moved,
                last_activity_at: AtomicI64::new(i64::MIN),
            }),
        };
        clock.publish(reading)?;
        Ok(clock)
    }

    /// The current time, with millisecond precision.
    pub fn now(&self) -> Timestamp {
        instant(self.millis())
    }

    /// The file for function processes. It contains `offset <milliseconds>` or `frozen <unix milliseconds>`.
    pub fn file(&self) -> &Path {
        &self.inner.file
    }

    /// Whether time passes without an advance.
    pub fn is_flowing(&self) -> bool {
        matches!(self.reading(), Reading::Offset(_))
    }

    /// The current time in Unix milliseconds, the unit of all stored times.
    pub(crate) fn millis(&self) -> i64 {
        match self.reading() {
            Reading::Offset(offset) => Timestamp::now().as_millisecond().saturating_add(offset),
            Reading::Frozen(at) => at,
        }
    }

    /// Moves the clock to `millis`, but never backwards.
    pub(crate) fn move_to(&self, millis: i64) -> Result<(), ClockError> {
        let reading = match self.reading() {
            Reading::Frozen(at) => Reading::Frozen(at.max(millis)),
            Reading::Offset(offset) => {
                let wanted = millis.saturating_sub(Timestamp::now().as_millisecond());
                Reading::Offset(offset.max(wanted))
            }
        };
        *self.inner.reading.lock().unwrap_or_else(PoisonError::into_inner) = reading;
        self.publish(reading)?;
        self.inner.moved.send_replace(());
        Ok(())
    }

    /// Notifies the receiver after each advance. Tasks that sleep until a time of this clock must then check it again.
    pub(crate) fn subscribe(&self) -> watch::Receiver<()> {
        self.inner.moved.subscribe()
    }

    /// Records that something happened now to which recurring schedules may have to react soon.
    pub(crate) fn record_activity(&self) {
        self.inner.last_activity_at.fetch_max(self.millis(), Ordering::Relaxed);
    }

    /// The time of the last recorded activity.
    pub(crate) fn last_activity(&self) -> i64 {
        self.inner.last_activity_at.load(Ordering::Relaxed)
    }

    fn reading(&self) -> Reading {
        *self.inner.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self, reading: Reading) -> Result<(), ClockError> {
        let (mode, millis) = match reading {
            Reading::Offset(offset) => ("offset", offset),
            Reading::Frozen(at) => ("frozen", at),
        };
        write_file(&self.inner.file, &format!("{mode} {millis}\n"))?;
        Ok(self.inner.store.transact(|db| persist(db, mode, millis))?)
    }
}

/// Converts Unix milliseconds. A value out of range becomes the last timestamp.
pub(crate) fn instant(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX)
}

fn persist(db: &Connection, mode: &str, millis: i64) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT OR REPLACE INTO clock (one, mode, millis) VALUES (1, ?1, ?2)")?
        .execute((mode, millis))?;
    Ok(())
}

/// Replaces the file atomically, so that a reader sees either the old line or the new one.
fn write_file(file: &Path, line: &str) -> Result<(), ClockError> {
    let temporary = file.with_extension("new");
    std::fs::write(&temporary, line)
        .and_then(|()| std::fs::rename(&temporary, file))
        .map_err(|source| ClockError::Mirror { path: file.to_owned(), source })
}
