//! The clock that everything local goes by. It is the wall clock moved forward, or it stands still until a test moves
//! it. Function processes cannot call it, so each move is mirrored into a small file that they read.

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
    /// The wall clock, plus whatever it was advanced by.
    Flowing,
    /// Stands still at this instant until advanced. With persisted data it starts where that stood, when that is later.
    Frozen(Timestamp),
}

/// Why the clock did not move.
#[derive(Debug, thiserror::Error)]
pub enum ClockError {
    /// The file that function processes read could not be replaced.
    #[error("clock file {path} cannot be written")]
    Mirror {
        /// The file.
        path: PathBuf,
        /// What the file system said.
        #[source]
        source: std::io::Error,
    },
    /// The move could not be made durable.
    #[error("clock cannot be persisted")]
    Persist(#[from] rusqlite::Error),
}

/// A handle to the clock; clones are the same clock.
#[derive(Clone)]
pub struct Clock {
    inner: Arc<Inner>,
}

struct Inner {
    reading: Mutex<Reading>,
    file: PathBuf,
    store: Store,
    moved: watch::Sender<()>,
    /// When a message was sent or a one-time schedule occurred last, in Unix milliseconds.
    happened_at: AtomicI64,
}

/// In milliseconds, because SQS and the clock file count in them.
#[derive(Debug, Clone, Copy)]
enum Reading {
    Offset(i64),
    Frozen(i64),
}

impl Clock {
    /// Resumes from what `store` remembers, and mirrors into `file`.
    pub(crate) fn start(mode: ClockMode, file: PathBuf, store: Store) -> Result<Self, ClockError> {
        let kept: Option<(String, i64)> = store.read(|db| {
            db.query_row("SELECT mode, millis FROM clock", [], |row| Ok((row.get(0)?, row.get(1)?))).optional()
        })?;
        let reading = match (mode, kept) {
            (ClockMode::Flowing, Some((kept, millis))) if kept == "offset" => Reading::Offset(millis),
            (ClockMode::Flowing, _) => Reading::Offset(0),
            (ClockMode::Frozen(at), Some((kept, millis))) if kept == "frozen" => {
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
                happened_at: AtomicI64::new(i64::MIN),
            }),
        };
        clock.publish(reading)?;
        Ok(clock)
    }

    /// The instant it is, to the millisecond.
    pub fn now(&self) -> Timestamp {
        instant(self.millis())
    }

    /// The file a function process reads the clock from: `offset <milliseconds>`, or `frozen <unix milliseconds>`.
    pub fn file(&self) -> &Path {
        &self.inner.file
    }

    /// Whether it moves by itself.
    pub fn flows(&self) -> bool {
        matches!(self.reading(), Reading::Offset(_))
    }

    /// Unix milliseconds, as everything is stored.
    pub(crate) fn millis(&self) -> i64 {
        match self.reading() {
            Reading::Offset(offset) => Timestamp::now().as_millisecond().saturating_add(offset),
            Reading::Frozen(at) => at,
        }
    }

    /// Jumps to `millis`; it never goes back.
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

    /// Tells when the clock was moved by hand, for those who sleep until an instant of it.
    pub(crate) fn moves(&self) -> watch::Receiver<()> {
        self.inner.moved.subscribe()
    }

    /// Notes that something happened now that others may have to follow up soon.
    pub(crate) fn note_event(&self) {
        self.inner.happened_at.fetch_max(self.millis(), Ordering::Relaxed);
    }

    /// When something happened last.
    pub(crate) fn last_event(&self) -> i64 {
        self.inner.happened_at.load(Ordering::Relaxed)
    }

    fn reading(&self) -> Reading {
        *self.inner.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self, reading: Reading) -> Result<(), ClockError> {
        let (mode, millis) = match reading {
            Reading::Offset(offset) => ("offset", offset),
            Reading::Frozen(at) => ("frozen", at),
        };
        mirror(&self.inner.file, &format!("{mode} {millis}\n"))?;
        Ok(self.inner.store.transact(|db| persist(db, mode, millis))?)
    }
}

/// The instant of Unix milliseconds; beyond what a timestamp can hold it is the last one.
pub(crate) fn instant(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX)
}

fn persist(db: &Connection, mode: &str, millis: i64) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT OR REPLACE INTO clock (one, mode, millis) VALUES (1, ?1, ?2)")?
        .execute((mode, millis))?;
    Ok(())
}

/// Replaces the file as a whole, so a reader sees the old line or the new one.
fn mirror(file: &Path, line: &str) -> Result<(), ClockError> {
    let fresh = file.with_extension("new");
    std::fs::write(&fresh, line)
        .and_then(|()| std::fs::rename(&fresh, file))
        .map_err(|source| ClockError::Mirror { path: file.to_owned(), source })
}
