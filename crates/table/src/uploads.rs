//! Payloads that are written before the commit that names them. What one call writes is registered with it, and the
//! registration is removed after the commit. What is still registered after a day may belong to a commit that never came: its
//! items are deleted, unless the head names them after all.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use domain::{Interchange, InterchangeId, Timestamp};

use crate::item::{Item, document, key, read, s, text};
use crate::keys::{self, DATA, SK, UPLOADS, WRITTEN_AT};
use crate::{Table, TableError, codec};

/// Registrations that one call looks at, of up to a hundred interchanges each: the next call takes the rest.
const MAX_REGISTRATIONS: i32 = 5;

/// The registration of payloads that were written before their commit.
#[derive(Debug)]
#[must_use = "the registration is removed when its payloads are named"]
pub struct Upload {
    sk: String,
}

impl Upload {
    /// A registration that is written at `now`, with its item.
    pub(crate) fn of(ids: &BTreeSet<&str>, now: Timestamp) -> (Self, Item) {
        let sk = format!("{}#{}", keys::sortable(now), uuid::Uuid::new_v4());
        let item = document(UPLOADS, sk.as_str(), ids);
        (Self { sk }, item)
    }
}

impl Table {
    /// Removes a registration whose payloads are all named by what was committed.
    ///
    /// # Errors
    /// When the table cannot be written. The registration is left, and does no harm.
    pub async fn finish_upload(&self, upload: Upload) -> Result<(), TableError> {
        self.delete(key(UPLOADS, upload.sk)).await
    }

    /// Deletes payloads that were written before `cutoff` and that no head names. Returns how many items that were.
    ///
    /// # Errors
    /// When the table cannot be read or written; the next call goes on.
    pub async fn delete_unnamed_payloads(&self, cutoff: Timestamp) -> Result<usize, TableError> {
        let query = self
            .query(keys::UP_TO_SK)
            .expression_attribute_values(":pk", s(UPLOADS))
            .expression_attribute_values(":sk", s(keys::sortable(cutoff)))
            .limit(MAX_REGISTRATIONS);
        let page = query.send().await.map_err(TableError::call("Query"))?;
        let mut deleted = 0;
        for registered in page.items() {
            let ids: Vec<String> = read(registered, DATA)?;
            for id in ids.into_iter().filter_map(|id| InterchangeId::new(id).ok()) {
                deleted += self.delete_unnamed_payloads_of(&id, cutoff).await?;
            }
            self.delete(key(UPLOADS, text(registered, SK)?)).await?;
        }
        Ok(deleted)
    }

    async fn delete_unnamed_payloads_of(&self, id: &InterchangeId, cutoff: Timestamp) -> Result<usize, TableError> {
        let head = self.get(key(keys::interchange(id), keys::HEAD)).await?;
        let head = match head.as_ref().map(codec::interchange).transpose() {
            Ok(head) => head,
            // What a head names that this release cannot read is not known.
            Err(TableError::Unreadable { .. }) => return Ok(0),
            Err(error) => return Err(error),
        };
        // Older payloads are named by the log alone.
        if head.as_ref().is_some_and(|head| head.storage.older) {
            return Ok(0);
        }
        let named: BTreeSet<String> = head.iter().flat_map(named).collect();
        let query = self
            .query(keys::BY_PREFIX)
            .expression_attribute_values(":pk", s(keys::interchange(id)))
            .expression_attribute_values(":sk", s(keys::PAYLOAD_PREFIX))
            .projection_expression(SK);
        let mut deleted = 0;
        for item in self.query_all(query).await? {
            let sk = text(&item, SK)?;
            if !named.iter().any(|prefix| sk.starts_with(prefix)) {
                deleted += usize::from(self.delete_if_older(key(keys::interchange(id), sk), cutoff).await?);
            }
        }
        Ok(deleted)
    }

    /// `false` where the item was written again since, by a repeat that may be about to commit.
    async fn delete_if_older(&self, key: Item, cutoff: Timestamp) -> Result<bool, TableError> {
        let delete = self.client.delete_item().table_name(&self.name).set_key(Some(key));
        let delete = delete
            .condition_expression("#at < :cutoff")
            .expression_attribute_names("#at", WRITTEN_AT)
            .expression_attribute_values(":cutoff", s(keys::sortable(cutoff)));
        match delete.send().await {
            Ok(_) => Ok(true),
            Err(error)
                if error.as_service_error().is_some_and(DeleteItemError::is_conditional_check_failed_exception) =>
            {
                Ok(false)
            }
            Err(error) => Err(TableError::call("DeleteItem")(error)),
        }
    }
}

/// Beginnings of the sort keys of the payloads that a head names.
fn named(head: &Interchange) -> impl Iterator<Item = String> + '_ {
    let all = [&head.sender_payloads, &head.receiver_payloads, &head.attributes];
    let revisions = all.into_iter().flat_map(|payloads| &payloads.0).map(|revision| revision.meta.digest);
    revisions.chain(head.storage.chunked.iter().copied()).map(keys::payload)
}
