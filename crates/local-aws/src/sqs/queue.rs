//! The queues. Each call needs one and there are few, so they are cached in memory, and each change is written to the database.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use rusqlite::{Connection, Row};
use tokio::sync::watch;

use super::error::SqsError;
use super::settings::{Attributes, Settings};
use crate::names;
use crate::store::Store;

/// The current state of a queue. A change creates a new value.
#[derive(Debug)]
pub(super) struct Queue {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) attributes: Attributes,
    pub(super) settings: Settings,
    pub(super) tags: Attributes,
    pub(super) created_at: i64,
    pub(super) modified_at: i64,
    /// Notifies receivers that a message may be receivable.
    changed: Arc<watch::Sender<()>>,
}

impl Queue {
    pub(super) fn arn(&self) -> String {
        names::queue_arn(&self.name)
    }

    pub(super) fn wake(&self) {
        self.changed.send_replace(());
    }

    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// The queue with other attributes and tags.
    pub(super) fn with(&self, attributes: Attributes, tags: Attributes, modified_at: i64) -> Result<Self, SqsError> {
        Ok(Self {
            id: self.id,
            name: self.name.clone(),
            settings: Settings::of(&attributes)?,
            attributes,
            tags,
            created_at: self.created_at,
            modified_at,
            changed: self.changed.clone(),
        })
    }
}

/// All queues by name.
#[derive(Clone)]
pub(super) struct Queues {
    store: Store,
    named: Arc<RwLock<BTreeMap<String, Arc<Queue>>>>,
}

impl Queues {
    pub(super) fn open(store: Store) -> Result<Self, SqsError> {
        let named = store.read(load)?;
        Ok(Self { store, named: Arc::new(RwLock::new(named)) })
    }

    /// # Errors
    /// `QueueDoesNotExist`.
    pub(super) fn get(&self, name: &str) -> Result<Arc<Queue>, SqsError> {
        self.find(name).ok_or(SqsError::QueueDoesNotExist)
    }

    pub(super) fn find(&self, name: &str) -> Option<Arc<Queue>> {
        self.named.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    pub(super) fn all(&self) -> Vec<Arc<Queue>> {
        self.named.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Creates a queue, or returns the existing queue with this name.
    pub(super) fn create(
        &self,
        name: &str,
        attributes: Attributes,
        tags: Attributes,
        now: i64,
    ) -> Result<Arc<Queue>, SqsError> {
        let mut named = self.named.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(queue) = named.get(name) {
            return Ok(queue.clone());
        }
        let settings = Settings::of(&attributes)?;
        let id = self.store.transact(|db| {
            db.prepare_cached(
                "INSERT INTO queue (name, attributes, tags, created_at, modified_at) VALUES (?1, ?2, ?3, ?4, ?4)",
            )?
            .execute((name, text(&attributes)?, text(&tags)?, now))?;
            Ok::<_, SqsError>(db.last_insert_rowid())
        })?;
        let queue = Arc::new(Queue {
            id,
            name: name.to_owned(),
            attributes,
            settings,
            tags,
            created_at: now,
            modified_at: now,
            changed: Arc::new(watch::channel(()).0),
        });
        named.insert(name.to_owned(), queue.clone());
        Ok(queue)
    }

    /// Replaces a queue with the result of `change`.
    pub(super) fn change(
        &self,
        name: &str,
        change: impl FnOnce(&Queue) -> Result<Queue, SqsError>,
    ) -> Result<(), SqsError> {
        let mut named = self.named.write().unwrap_or_else(PoisonError::into_inner);
        let current = named.get(name).ok_or(SqsError::QueueDoesNotExist)?;
        let changed = change(current)?;
        self.store.transact(|db| {
            db.prepare_cached("UPDATE queue SET attributes = ?2, tags = ?3, modified_at = ?4 WHERE id = ?1")?
                .execute((changed.id, text(&changed.attributes)?, text(&changed.tags)?, changed.modified_at))?;
            Ok::<_, SqsError>(())
        })?;
        changed.wake();
        named.insert(name.to_owned(), Arc::new(changed));
        Ok(())
    }

    /// Removes a queue and its messages.
    pub(super) fn delete(&self, name: &str) -> Result<(), SqsError> {
        let mut named = self.named.write().unwrap_or_else(PoisonError::into_inner);
        let queue = named.get(name).ok_or(SqsError::QueueDoesNotExist)?.clone();
        self.store.transact(|db| {
            empty(db, queue.id)?;
            db.prepare_cached("DELETE FROM deduplication WHERE queue = ?1")?.execute([queue.id])?;
            db.prepare_cached("DELETE FROM queue WHERE id = ?1")?.execute([queue.id])?;
            Ok::<_, SqsError>(())
        })?;
        named.remove(name);
        queue.wake();
        Ok(())
    }
}

/// Deletes every message of a queue.
pub(super) fn empty(db: &Connection, queue: i64) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM message WHERE queue = ?1")?.execute([queue])?;
    Ok(())
}

fn load(db: &Connection) -> Result<BTreeMap<String, Arc<Queue>>, SqsError> {
    let mut statement = db.prepare("SELECT id, name, attributes, tags, created_at, modified_at FROM queue")?;
    let mut rows = statement.query([])?;
    let mut named = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let queue = stored(row)?;
        named.insert(queue.name.clone(), Arc::new(queue));
    }
    Ok(named)
}

fn stored(row: &Row<'_>) -> Result<Queue, SqsError> {
    let map = |column: &str| -> Result<Attributes, SqsError> {
        serde_json::from_str(&row.get::<_, String>(column)?).map_err(SqsError::Stored)
    };
    let attributes = map("attributes")?;
    Ok(Queue {
        id: row.get("id")?,
        name: row.get("name")?,
        settings: Settings::of(&attributes)?,
        attributes,
        tags: map("tags")?,
        created_at: row.get("created_at")?,
        modified_at: row.get("modified_at")?,
        changed: Arc::new(watch::channel(()).0),
    })
}

fn text(map: &Attributes) -> Result<String, SqsError> {
    serde_json::to_string(map).map_err(SqsError::Stored)
}
