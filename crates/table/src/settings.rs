//! Facts about the whole stack, under `SETTINGS`: keys that it makes for itself, and the table's epoch.

use aws_sdk_dynamodb::types::ReturnValue;
use domain::{Epoch, Timestamp};

use crate::item::{b, key, number, s, text, unreadable};
use crate::keys::{BYTES, CURSOR_KEY, EPOCH, EPOCH_NUMBER, IF_ABSENT, SETTINGS, SIGNED_FROM, WORK_KEY};
use crate::{Table, TableError};

/// The key that signs work.
#[derive(Clone)]
pub struct StoredWorkKey {
    /// Its bytes.
    pub key: Vec<u8>,
    /// Work that was queued from then on must be signed; `None` where nobody has checked any yet.
    pub signed_from: Option<Timestamp>,
}

impl Table {
    /// The key that signs work: `fresh` when there was none yet, else the one that is kept. `signed_from` is noted where
    /// none was noted before.
    ///
    /// # Errors
    /// When the table cannot be written or the item does not read.
    pub async fn work_key(&self, fresh: Vec<u8>, signed_from: Option<Timestamp>) -> Result<StoredWorkKey, TableError> {
        let mut sets = "SET #key = if_not_exists(#key, :fresh)".to_owned();
        let update = self.client.update_item().table_name(&self.name).set_key(Some(key(SETTINGS, WORK_KEY)));
        let mut update = update
            .expression_attribute_names("#key", BYTES)
            .expression_attribute_values(":fresh", b(fresh))
            .return_values(ReturnValue::AllNew);
        if let Some(from) = signed_from {
            sets += ", #from = if_not_exists(#from, :from)";
            update = update
                .expression_attribute_names("#from", SIGNED_FROM)
                .expression_attribute_values(":from", s(from.to_string()));
        }
        let answer = update.update_expression(sets).send().await.map_err(TableError::call("UpdateItem"))?;
        let item = answer.attributes.unwrap_or_default();
        let bytes = item.get(BYTES).and_then(|value| value.as_b().ok()).ok_or_else(|| unreadable(&item, "no key"))?;
        let signed_from = text(&item, SIGNED_FROM).ok().and_then(|time| time.parse().ok());
        Ok(StoredWorkKey { key: bytes.as_ref().to_vec(), signed_from })
    }

    /// The table's epoch: the first one, unless a restore renewed it.
    ///
    /// # Errors
    /// When the table cannot be read or the item does not read.
    pub async fn epoch(&self) -> Result<Epoch, TableError> {
        let Some(item) = self.get(key(SETTINGS, EPOCH)).await? else { return Ok(Epoch::FIRST) };
        number(&item, EPOCH_NUMBER).map(Epoch).ok_or_else(|| unreadable(&item, "no number of an epoch"))
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
