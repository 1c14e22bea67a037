//! The log's items. A commit's events join the newest item while it stays below a kilobyte, for an item costs by the whole
//! kilobyte: most interchanges then have one item or two for all that ever happens to them. So what must be done to
//! the log when they are resolved (an expiry, payloads to remove) is mostly done by the commit itself, in the write that
//! it makes anyway.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::{Put, Update};
use domain::{EARLY_OUTCOME_KEPT, Interchange, InterchangeId, PayloadSide, Revision, Status, StorageLayout, Timestamp};

use crate::event_codec::{added, stored};
use crate::inline::{self, MAX_ITEM, NAMES};
use crate::item::{Item, json, key, n, s};
use crate::keys::{self, DATA, TTL, VERSION};
use crate::{Table, TableError, Work, event_codec};

/// Items of the log that a head names. Older ones are found by a query where that is needed: when they get an expiry.
const MAX_ITEMS: usize = 100;

/// Where a commit's events go.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The item, named by its first event.
    item: u64,
    /// The events, JSON, and the attribute that holds them.
    name: String,
    text: String,
    /// Whether the item is new.
    pub(crate) begins: bool,
    /// Where everything is kept once this is committed.
    pub(crate) storage: StorageLayout,
}

impl Work {
    /// Where its events go; `None` when it has none.
    pub(crate) fn entry(&self) -> Option<Entry> {
        let first = self.events.first()?.sequence;
        let text = json(&stored(&self.events));
        let mut storage = self.after.storage.clone();
        storage.chunked.retain(|digest| self.after.brought_by(*digest).is_some());
        if self.deletes() {
            storage.bytes = storage.bytes.saturating_sub(storage.inline);
            storage.inline = 0;
        }
        let more = added(first).len() + text.len();
        match storage.items.last().copied() {
            // An erasure rewrites the items that are there: its event begins another one.
            Some(item) if self.inline.is_empty() && storage.bytes + more <= MAX_ITEM && !self.erases() => {
                storage.bytes += more;
                Some(Entry { item, name: added(first), text, begins: false, storage })
            }
            _ => {
                storage.items.push(first);
                let surplus = storage.items.len().saturating_sub(MAX_ITEMS);
                storage.older |= surplus > 0;
                storage.items.drain(..surplus);
                storage.inline = self.inline_bytes();
                storage.bytes = self.item_bytes(first) + text.len() + storage.inline;
                Some(Entry { item: first, name: DATA.to_owned(), text, begins: true, storage })
            }
        }
    }

    /// The interchange as it stands once this work is committed as `version`.
    #[must_use]
    pub fn committed(self, version: u64) -> Interchange {
        let storage = self.entry().map(|entry| entry.storage);
        let after = self.after;
        Interchange { version, storage: storage.unwrap_or_else(|| after.storage.clone()), ..after }
    }

    /// Bytes of a new item of its log beside its events and what it carries.
    pub(crate) fn item_bytes(&self, first: u64) -> usize {
        NAMES + keys::interchange(&self.after.id).len() + keys::event(first).len()
    }

    /// Whether it deletes or erases the interchange, and its payloads with it.
    pub(crate) fn deletes(&self) -> bool {
        self.erases()
            || self.after.status == Status::Deleted && self.before.as_ref().is_none_or(|i| i.status != Status::Deleted)
    }

    /// Whether the interchange was resolved and is not any more.
    pub(crate) fn is_reopened(&self) -> bool {
        let was = self.before.as_ref().is_some_and(|before| before.status.is_resolved() && !before.is_early());
        was && !self.after.status.is_resolved()
    }
}

/// The attributes in which an item of the log may carry payloads of the interchange.
pub(crate) fn inline_in(interchange: &Interchange, item: u64) -> BTreeSet<String> {
    let all = [&interchange.sender_payloads, &interchange.receiver_payloads, &interchange.attributes];
    let here = all.into_iter().flat_map(|payloads| &payloads.0).filter(|revision| revision.event == item);
    let digests = here.map(|revision| revision.meta.digest);
    digests.filter(|digest| !interchange.storage.chunked.contains(digest)).map(inline::name).collect()
}

impl Table {
    /// The revision of this number that the log names and the head does not any more: the newest one, where a deletion let
    /// the numbers begin again.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn logged_revision(
        &self,
        id: &InterchangeId,
        side: PayloadSide,
        number: u32,
    ) -> Result<Option<Revision>, TableError> {
        let query = self
            .query(keys::BY_PREFIX)
            .expression_attribute_values(":pk", s(keys::interchange(id)))
            .expression_attribute_values(":sk", s(keys::EVENT_PREFIX))
            .scan_index_forward(false);
        let mut start = None;
        loop {
            let page = query.clone().set_exclusive_start_key(start).send().await.map_err(TableError::call("Query"))?;
            for item in page.items() {
                let events = event_codec::events(item);
                let mut named = events.iter().flat_map(|event| event.kind.revisions());
                if let Some((_, revision)) = named.find(|(of, revision)| *of == side && revision.number == number) {
                    return Ok(Some(revision.clone()));
                }
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(None);
            }
        }
    }

    /// A new item that begins with these events.
    pub(crate) fn log_put(&self, work: &Work, entry: Entry, expires_at: Option<i64>) -> Result<Put, TableError> {
        let mut item = log_key(work, entry.item);
        item.insert(entry.name, s(entry.text));
        item.insert(VERSION.to_owned(), n(work.expected_version() + 1));
        work.load(&mut item);
        if let Some(at) = expires_at {
            item.insert(TTL.to_owned(), n(at));
        }
        self.built(Put::builder().table_name(&self.name).set_item(Some(item)).build())
    }

    /// Adds events to the newest item, and sets its expiry and its payloads.
    pub(crate) fn log_update(&self, work: &Work, entry: Entry, expires_at: Option<i64>) -> Result<Update, TableError> {
        let mut sets = "SET #events = :events, #v = :v".to_owned();
        let mut removes = Vec::new();
        let mut update = Update::builder()
            .table_name(&self.name)
            .set_key(Some(log_key(work, entry.item)))
            .expression_attribute_names("#events", entry.name)
            .expression_attribute_values(":events", s(entry.text))
            .expression_attribute_names("#v", VERSION)
            .expression_attribute_values(":v", n(work.expected_version() + 1));
        if let Some(at) = expires_at {
            sets += ", #ttl = :ttl";
            update = update.expression_attribute_names("#ttl", TTL).expression_attribute_values(":ttl", n(at));
        } else if work.is_reopened() {
            removes.push("#ttl".to_owned());
            update = update.expression_attribute_names("#ttl", TTL);
        }
        if work.deletes() {
            removes.extend(inline_in(&work.after, entry.item));
        }
        let removes = if removes.is_empty() { String::new() } else { format!(" REMOVE {}", removes.join(", ")) };
        self.built(update.update_expression(sets + &removes).build())
    }

    /// When a resolved interchange or an early outcome may go, in seconds since 1970; what is unresolved never expires.
    pub(crate) fn expiry(&self, work: &Work, now: Timestamp) -> Option<i64> {
        if work.after.is_early() {
            return Some(now.as_second().saturating_add(EARLY_OUTCOME_KEPT.as_secs()));
        }
        work.after.status.is_resolved().then(|| self.expires_at(now))
    }
}

fn log_key(work: &Work, item: u64) -> Item {
    key(keys::interchange(&work.after.id), keys::event(item))
}
