//! What an Idempotency-Key made, and the key that signs cursors: small facts written once.

use domain::JobId;

use crate::item::{b, document, key, read};
use crate::keys::{self, BYTES, CURSOR_KEY, DATA, IF_ABSENT, REQUEST, SETTINGS};
use crate::{Table, TableError};

impl Table {
    /// The job that an idempotency key made and the digest of the request that made it.
    pub(crate) async fn idempotent_request(&self, name: &str) -> Result<Option<(JobId, String)>, TableError> {
        let item = self.get(key(keys::idempotency(name), REQUEST)).await?;
        let stored = item.as_ref().map(|item| read::<(String, String)>(item, DATA)).transpose()?;
        Ok(stored.map(|(job, digest)| (JobId(job), digest)))
    }

    pub(crate) fn idempotent_item(name: &str, job: &JobId, digest: &str) -> crate::item::Item {
        document(keys::idempotency(name), REQUEST, &(&job.0, digest))
    }

    /// The key that signs cursors: `fresh` when there was none yet, else the one that is kept.
    ///
    /// # Errors
    /// When the table cannot be read or written.
    pub async fn cursor_key(&self, fresh: Vec<u8>) -> Result<Vec<u8>, TableError> {
        let at = || key(SETTINGS, CURSOR_KEY);
        for _ in 0..2 {
            let kept = self.get(at()).await?;
            if let Some(kept) = kept.as_ref().and_then(|item| item.get(BYTES)?.as_b().ok()) {
                return Ok(kept.as_ref().to_vec());
            }
            let mut item = at();
            item.insert(BYTES.to_owned(), b(fresh.clone()));
            let put = self.client.put_item().table_name(&self.name).set_item(Some(item));
            match put.condition_expression(IF_ABSENT).send().await {
                Ok(_) => return Ok(fresh),
                Err(error) if error.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => {}
                Err(error) => return Err(TableError::call("PutItem")(error)),
            }
        }
        Ok(fresh)
    }
}
