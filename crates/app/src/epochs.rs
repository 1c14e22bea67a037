//! The table's epoch, read at most once a minute.

use std::sync::{Arc, Mutex, PoisonError};

use domain::{Epoch, Timestamp};
use jiff::SignedDuration;
use table::Table;

use crate::AppError;

/// How long an epoch counts that was read.
const KEPT: SignedDuration = SignedDuration::from_secs(60);

/// Knows the epoch.
#[derive(Debug, Clone)]
pub(crate) struct Epochs {
    table: Table,
    read: Arc<Mutex<Option<(Epoch, Timestamp)>>>,
}

impl Epochs {
    pub(crate) fn new(table: Table) -> Self {
        Self { table, read: Arc::default() }
    }

    /// The epoch as it was within the last minute.
    pub(crate) async fn current(&self, now: Timestamp) -> Result<Epoch, AppError> {
        let kept = *self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((epoch, at)) = kept
            && now.duration_since(at).abs() < KEPT
        {
            return Ok(epoch);
        }
        let epoch = self.table.epoch().await?;
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = Some((epoch, now));
        Ok(epoch)
    }
}
