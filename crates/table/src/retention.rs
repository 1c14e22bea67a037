//! What happens to the items of an interchange that its own commit does not write, when it is resolved and when it is
//! reopened: an expiry for the older items of its log and for payloads that have items of their own, and the
//! end of these payloads when it is deleted.
//!
//! They are reached by their keys, which the head knows; where an interchange has more of them than its head names, they
//! are found by a query of its partition. Each bears the version of the head that dealt with it last, and
//! ignores updates from an older version: work that lost a version conflict, or comes again, can neither set an expiry on
//! reopened items nor remove bytes that were added since. An expiry is removed before the commit that reopens and set after the commit that
//! resolves, so at no moment does anything expire that is not resolved.

use aws_sdk_dynamodb::types::Update;
use domain::{Digest, Interchange, Revision, Status, Timestamp};

use crate::item::{key, n, s, text};
use crate::keys::{self, BYTES, PK, SK, TTL, VERSION};
use crate::log::inline_in;
use crate::payloads::most_chunks;
use crate::statements::Statement;
use crate::transact::Actions;
use crate::{Table, TableError, Work, inline};

/// Most of these items that are written in one transaction with their deletion: it has room for no more than a hundred.
const MAX_TOGETHER: usize = 80;

/// Most payload bytes that are removed in one transaction with their deletion, below its 4 MB.
const MAX_BYTES_TOGETHER: u64 = 3_000_000;

/// An item of an interchange, and the attributes that are to go from it.
#[derive(Debug)]
pub(crate) struct Other {
    pub(crate) sk: String,
    pub(crate) removes: Vec<String>,
}

/// The change to an item's expiry.
#[derive(Debug, Clone, Copy)]
enum Expiry {
    /// It expires at this time, in seconds since 1970, as the head of this version says.
    At(i64, u64),
    /// It does not expire, from the version that is about to be committed on.
    Never(u64),
}

impl Table {
    /// When what is resolved at `now` expires, in seconds since 1970.
    #[must_use]
    pub fn expires_at(&self, now: Timestamp) -> i64 {
        now.as_second().saturating_add(self.retention.as_secs())
    }

    /// Sets the expiry on all other items of resolved interchanges, as they were committed or loaded, and
    /// removes what is left of the payloads of deleted ones. What is not resolved is passed over. To be called after the
    /// commit that resolves, unless its result is `whole`; doing it again changes nothing.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn set_ttl<'a>(
        &self,
        interchanges: impl IntoIterator<Item = &'a Interchange>,
        now: Timestamp,
    ) -> Result<(), TableError> {
        let mut statements = Vec::new();
        for interchange in interchanges.into_iter().filter(|interchange| interchange.status.is_resolved()) {
            if interchange.status == Status::Erased {
                self.forget_answers(&interchange.id).await?;
            }
            let expiry = Expiry::At(self.expires_at(now), interchange.version);
            let written = interchange.storage.items.last().copied();
            let mut others = self.log_of(interchange, written).await?;
            others.extend(self.payloads_of(interchange).await?);
            statements.extend(others.iter().map(|other| self.statement(interchange, other, expiry)));
        }
        self.run(statements).await
    }

    /// Removes the expiry from items of interchanges that are about to be reopened. Call it before the commits.
    pub(crate) async fn clear_ttl(&self, works: &[Work], now: Timestamp) -> Result<(), TableError> {
        let mut statements = Vec::new();
        for work in works.iter().filter(|work| work.is_reopened()) {
            let Some(before) = &work.before else { continue };
            let stays = Expiry::Never(before.version + 1);
            let begins = work.entry().is_none_or(|entry| entry.begins);
            let written = before.storage.items.last().copied().filter(|_| !begins);
            let log = self.log_of(before, written).await?;
            statements.extend(log.iter().map(|other| self.statement(before, other, stays)));
            // The worker that deleted it may have died before the payloads were gone; none of them is restored.
            let gone = before.status.has_no_payloads();
            let expiry = if gone { Expiry::At(self.expires_at(now), before.version) } else { stays };
            let payloads = self.payloads_of(before).await?;
            statements.extend(payloads.iter().map(|other| self.statement(before, other, expiry)));
        }
        self.run(statements).await
    }

    /// All that follows from a deletion, as updates for the transaction that deletes: a person who asks for one by hand may
    /// not ask again. `None` when it is too much for a transaction. It costs twice what it does afterwards, so it is
    /// not for many at once.
    pub(crate) fn together(&self, work: &Work, now: Timestamp) -> Result<Option<Actions>, TableError> {
        let after = work.clone().committed(work.version());
        let bytes: u64 = chunked_payloads(&after).map(|revision| revision.meta.bytes).sum();
        let others = others(&after);
        if after.storage.older || others.len() > MAX_TOGETHER || bytes > MAX_BYTES_TOGETHER {
            return Ok(None);
        }
        let mut actions = Actions::default();
        for other in &others {
            actions.update(self.update(&after, other, self.expires_at(now))?);
        }
        Ok(Some(actions))
    }

    /// The items of its log but the one that a commit writes: those that the head names, and where there are older ones,
    /// all that a query finds.
    async fn log_of(&self, interchange: &Interchange, written: Option<u64>) -> Result<Vec<Other>, TableError> {
        if !interchange.storage.older {
            return Ok(log_items(interchange, written));
        }
        let written = written.map(keys::event);
        let mut found = self.found(interchange, keys::EVENT_PREFIX).await?;
        found.retain(|other| Some(&other.sk) != written.as_ref());
        Ok(found)
    }

    /// The items of its payloads: those that the head names, and where there are older ones, all that a query finds.
    async fn payloads_of(&self, interchange: &Interchange) -> Result<Vec<Other>, TableError> {
        if interchange.storage.older {
            self.found(interchange, keys::PAYLOAD_PREFIX).await
        } else {
            Ok(payload_items(interchange))
        }
    }

    /// All items of an interchange whose sort key begins so, with the payload bytes that go from them where it is deleted.
    async fn found(&self, interchange: &Interchange, prefix: &str) -> Result<Vec<Other>, TableError> {
        let is_deleted = interchange.status.has_no_payloads();
        let mut query = self
            .query(keys::BY_PREFIX)
            .expression_attribute_values(":pk", s(keys::interchange(&interchange.id)))
            .expression_attribute_values(":sk", s(prefix));
        if !is_deleted || prefix == keys::PAYLOAD_PREFIX {
            query = query.projection_expression(SK);
        }
        let mut found = Vec::new();
        let mut start = None;
        loop {
            let page = query.clone().set_exclusive_start_key(start).send().await.map_err(TableError::call("Query"))?;
            for item in page.items() {
                let removes = match prefix {
                    _ if !is_deleted => Vec::new(),
                    keys::PAYLOAD_PREFIX => vec![BYTES.to_owned()],
                    _ => inline::names(item).cloned().collect(),
                };
                found.push(Other { sk: text(item, SK)?.to_owned(), removes });
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(found);
            }
        }
    }

    /// As [`Self::update`], outside a transaction: it does nothing where a later version dealt with the item.
    pub(crate) fn ending(&self, interchange: &Interchange, other: &Other, at: i64) -> Statement {
        self.statement(interchange, other, Expiry::At(at, interchange.version))
    }

    pub(crate) fn update(&self, interchange: &Interchange, other: &Other, at: i64) -> Result<Update, TableError> {
        let mut expression = "SET #ttl = :ttl, #v = :v".to_owned();
        let mut update = Update::builder()
            .table_name(&self.name)
            .set_key(Some(key(keys::interchange(&interchange.id), other.sk.as_str())))
            .expression_attribute_names("#ttl", TTL)
            .expression_attribute_values(":ttl", n(at))
            .expression_attribute_names("#v", VERSION)
            .expression_attribute_values(":v", n(interchange.version));
        for (i, name) in other.removes.iter().enumerate() {
            expression += if i == 0 { " REMOVE " } else { ", " };
            expression += &format!("#r{i}");
            update = update.expression_attribute_names(format!("#r{i}"), name);
        }
        self.built(update.update_expression(expression).build())
    }

    fn statement(&self, interchange: &Interchange, other: &Other, expiry: Expiry) -> Statement {
        let (set, first, version, unless) = match expiry {
            Expiry::At(at, version) => (format!("SET \"{TTL}\" = ?"), Some(n(at)), version, "<="),
            Expiry::Never(version) => (format!("REMOVE \"{TTL}\""), None, version, "<"),
        };
        let removes: String = other.removes.iter().map(|name| format!("REMOVE \"{name}\" ")).collect();
        let text = format!(
            "UPDATE \"{}\" {set} SET \"{VERSION}\" = ? {removes}\
             WHERE \"{PK}\" = ? AND \"{SK}\" = ? AND \"{VERSION}\" {unless} ?",
            self.name
        );
        let more = [n(version), s(keys::interchange(&interchange.id)), s(other.sk.as_str()), n(version)];
        Statement { text, values: first.into_iter().chain(more).collect() }
    }
}

/// All items of a resolved interchange but its head and the last one of its log: these two the commit wrote.
fn others(interchange: &Interchange) -> Vec<Other> {
    let mut others = log_items(interchange, interchange.storage.items.last().copied());
    others.extend(payload_items(interchange));
    others
}

/// The items of its log but the one that a commit writes.
fn log_items(interchange: &Interchange, written: Option<u64>) -> Vec<Other> {
    let is_deleted = interchange.status.has_no_payloads();
    let items = interchange.storage.items.iter().copied().filter(|item| Some(*item) != written);
    let other = |item| Other {
        sk: keys::event(item),
        removes: if is_deleted { inline_in(interchange, item).into_iter().collect() } else { Vec::new() },
    };
    items.map(other).collect()
}

fn payload_items(interchange: &Interchange) -> Vec<Other> {
    let removes = if interchange.status.has_no_payloads() { vec![BYTES.to_owned()] } else { Vec::new() };
    let keys = chunked_payloads(interchange).flat_map(|revision| {
        let digest = revision.meta.digest;
        (0..most_chunks(revision.meta.bytes)).map(move |chunk| keys::payload_chunk(digest, chunk))
    });
    keys.map(|sk| Other { sk, removes: removes.clone() }).collect()
}

/// The payloads that have items of their own, each once.
fn chunked_payloads(interchange: &Interchange) -> impl Iterator<Item = &Revision> {
    interchange.storage.chunked.iter().filter_map(|digest| revision(interchange, *digest))
}

fn revision(interchange: &Interchange, digest: Digest) -> Option<&Revision> {
    let all = [&interchange.sender_payloads, &interchange.receiver_payloads, &interchange.attributes];
    all.into_iter().flat_map(|payloads| &payloads.0).find(|revision| revision.meta.digest == digest)
}
