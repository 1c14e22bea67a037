//! Work goes to the jobs queue signed. The key is the stack's own; a process reads it once.

use std::sync::{Arc, OnceLock};

use queues::{WorkItem, WorkKey, WorkQueue};
use table::Table;
use uuid::Uuid;

use crate::AppError;

/// Puts signed work on the jobs queue.
#[derive(Debug, Clone)]
pub struct WorkSender {
    table: Table,
    queue: WorkQueue,
    key: Arc<OnceLock<WorkKey>>,
}

impl WorkSender {
    /// Signs with the key at `table` and sends to `queue`.
    #[must_use]
    pub fn new(table: Table, queue: WorkQueue) -> Self {
        Self { table, queue, key: Arc::default() }
    }

    /// Puts work on the queue, ten a call.
    pub(crate) async fn send(&self, items: &[WorkItem]) -> Result<(), AppError> {
        self.send_later(items.iter().map(|item| (item.clone(), 0)).collect()).await
    }

    /// Puts work on the queue that is to be done so many seconds later, 900 at most.
    pub(crate) async fn send_later(&self, items: Vec<(WorkItem, u32)>) -> Result<(), AppError> {
        if items.is_empty() {
            return Ok(());
        }
        let key = match self.key.get() {
            Some(key) => key,
            None => {
                let stored = self.table.work_key(fresh_key(), None).await?;
                self.key.get_or_init(|| WorkKey::new(stored.key))
            }
        };
        Ok(self.queue.send_later(key, items).await?)
    }
}

/// 244 random bits, kept where the table has no key yet.
pub(crate) fn fresh_key() -> Vec<u8> {
    [Uuid::new_v4().into_bytes(), Uuid::new_v4().into_bytes()].concat()
}
