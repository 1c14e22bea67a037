//! Payload bytes: zstd, in chunks, under their SHA-256, so that writing the same bytes twice changes nothing and two
//! writers can never spoil each other's.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::{DeleteRequest, PutRequest, WriteRequest};
use domain::{Digest, InterchangeId, PayloadMeta, Revision, Timestamp};

use crate::inline::inline;
use crate::item::{Item, b, key, n, number, s, text, unreadable};
use crate::keys::{self, BYTES, CHUNKS, SK, VERSION, WRITTEN_AT};
use crate::transact::pause;
use crate::uploads::Upload;
use crate::{Table, TableError};

/// Most compressed bytes of one chunk: below DynamoDB's 400 KB an item, keys included.
const CHUNK_BYTES: usize = 350_000;

/// Level 3 is zstd's own default.
const LEVEL: i32 = 3;

/// Most writes of one `BatchWriteItem`.
const MAX_WRITES: usize = 25;

/// Most payload bytes of one `BatchWriteItem`, below its 16 MB.
const MAX_BYTES: usize = 8_000_000;

const TRIES: u32 = 10;

/// A payload to store.
#[derive(Debug, Clone)]
pub struct StoredBody<'a> {
    pub id: &'a InterchangeId,
    /// The version of the head that will name it.
    pub version: u64,
    /// What its bytes hash to.
    pub meta: &'a PayloadMeta,
    pub bytes: &'a [u8],
}

impl Table {
    /// Stores payloads. Call it before the commit that names them, and [`Self::finish_upload`] after it: a crash in between leaves
    /// bytes that the next try writes again under the same keys. If none comes, [`Self::delete_unnamed_payloads`] deletes them.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn put_payloads(&self, bodies: &[StoredBody<'_>], now: Timestamp) -> Result<Upload, TableError> {
        let (upload, registration) = Upload::of(&bodies.iter().map(|body| body.id.as_str()).collect(), now);
        let mut items: HashMap<(String, String), Item> = HashMap::new();
        for body in bodies {
            for item in chunks(body, now)? {
                let id = (keys::interchange(body.id), text(&item, SK)?.to_owned());
                items.insert(id, item);
            }
        }
        let puts = [registration].into_iter().chain(items.into_values()).map(|item| {
            let bytes = item.get(BYTES).and_then(|v| v.as_b().ok()).map_or(0, |b| b.as_ref().len());
            let put = self.built(PutRequest::builder().set_item(Some(item)).build())?;
            Ok((bytes, WriteRequest::builder().put_request(put).build()))
        });
        let puts: Vec<(usize, WriteRequest)> = puts.collect::<Result<_, TableError>>()?;
        self.write_all(puts).await?;
        Ok(upload)
    }

    /// The bytes of one payload, exactly as they came; `None` when it was purged.
    ///
    /// # Errors
    /// When the table cannot be read or the bytes are not what their digest says.
    pub async fn payload(&self, id: &InterchangeId, revision: &Revision) -> Result<Option<Vec<u8>>, TableError> {
        let digest = revision.meta.digest;
        if let Some(item) = self.get(key(keys::interchange(id), keys::event(revision.event))).await?
            && let Some(bytes) = inline(&item, digest)?
        {
            return Ok(Some(bytes));
        }
        self.chunked(id, digest).await
    }

    /// The bytes of many payloads; what was purged is left out.
    ///
    /// # Errors
    /// When the table cannot be read or bytes are not what their digest says.
    pub async fn payloads(
        &self,
        wanted: &[(InterchangeId, Revision)],
    ) -> Result<HashMap<(InterchangeId, Digest), Vec<u8>>, TableError> {
        let mut bodies = HashMap::new();
        let events = self.items_at(wanted, |revision| keys::event(revision.event)).await?;
        for (id, revision) in wanted {
            let digest = revision.meta.digest;
            let item = events.get(&(keys::interchange(id), keys::event(revision.event)));
            if let Some(bytes) = item.map(|item| inline(item, digest)).transpose()?.flatten() {
                bodies.insert((id.clone(), digest), bytes);
            }
        }
        let is_missing = |(id, r): &&(InterchangeId, Revision)| !bodies.contains_key(&(id.clone(), r.meta.digest));
        let missing: Vec<(InterchangeId, Revision)> = wanted.iter().filter(is_missing).cloned().collect();
        let firsts = self.items_at(&missing, |revision| keys::payload_chunk(revision.meta.digest, 0)).await?;
        for (id, revision) in missing {
            let digest = revision.meta.digest;
            let first = firsts.get(&(keys::interchange(&id), keys::payload_chunk(digest, 0)));
            let bytes = match first {
                Some(first) if number::<usize>(first, CHUNKS) == Some(1) => {
                    part(first).map(|packed| assemble(packed.to_vec(), digest, first)).transpose()?
                }
                Some(_) => self.chunked(&id, digest).await?,
                None => None,
            };
            bodies.extend(bytes.map(|bytes| ((id, digest), bytes)));
        }
        Ok(bodies)
    }

    /// The items of these interchanges at the sort keys that `at` names, by their keys.
    async fn items_at(
        &self,
        wanted: &[(InterchangeId, Revision)],
        at: impl Fn(&Revision) -> String,
    ) -> Result<HashMap<(String, String), Item>, TableError> {
        let keys: BTreeSet<(String, String)> = wanted.iter().map(|(id, r)| (keys::interchange(id), at(r))).collect();
        let items = self.get_all(keys.into_iter().map(|(pk, sk)| key(pk, sk)).collect()).await?;
        items
            .into_iter()
            .map(|item| Ok(((text(&item, keys::PK)?.to_owned(), text(&item, SK)?.to_owned()), item)))
            .collect()
    }

    async fn chunked(&self, id: &InterchangeId, digest: Digest) -> Result<Option<Vec<u8>>, TableError> {
        let query = self
            .query(keys::BY_PREFIX)
            .expression_attribute_values(":pk", s(keys::interchange(id)))
            .expression_attribute_values(":sk", s(keys::payload(digest)));
        let items = self.query_all(query).await?;
        let Some(last) = items.last() else { return Ok(None) };
        let Some(parts) = items.iter().map(part).collect::<Option<Vec<_>>>() else { return Ok(None) };
        assemble(parts.concat(), digest, last).map(Some)
    }

    /// Deletes items by their keys, twenty-five a call.
    pub(crate) async fn delete_all(&self, keys: Vec<Item>) -> Result<(), TableError> {
        let deletes = keys.into_iter().map(|key| {
            let delete = self.built(DeleteRequest::builder().set_key(Some(key)).build())?;
            Ok((0, WriteRequest::builder().delete_request(delete).build()))
        });
        let deletes: Vec<(usize, WriteRequest)> = deletes.collect::<Result<_, TableError>>()?;
        self.write_all(deletes).await
    }

    pub(crate) async fn write_all(&self, writes: Vec<(usize, WriteRequest)>) -> Result<(), TableError> {
        for batch in batched(writes) {
            let mut left = batch;
            for attempt in 0.. {
                if attempt == TRIES {
                    return Err(TableError::Contended { operation: "BatchWriteItem", tries: TRIES });
                }
                let call = self.client.batch_write_item().request_items(&self.name, left);
                let answer = call.send().await.map_err(TableError::call("BatchWriteItem"))?;
                left = answer.unprocessed_items.unwrap_or_default().into_values().flatten().collect();
                if left.is_empty() {
                    break;
                }
                pause(attempt).await;
            }
        }
        Ok(())
    }
}

fn batched(writes: Vec<(usize, WriteRequest)>) -> Vec<Vec<WriteRequest>> {
    let mut batches: Vec<(usize, Vec<WriteRequest>)> = Vec::new();
    for (bytes, write) in writes {
        match batches.last_mut() {
            Some((sum, batch)) if batch.len() < MAX_WRITES && *sum + bytes <= MAX_BYTES => {
                *sum += bytes;
                batch.push(write);
            }
            _ => batches.push((bytes, vec![write])),
        }
    }
    batches.into_iter().map(|(_, batch)| batch).collect()
}

fn chunks(body: &StoredBody<'_>, now: Timestamp) -> Result<Vec<Item>, TableError> {
    let packed = pack(body.id, body.bytes)?;
    let parts: Vec<&[u8]> = packed.chunks(CHUNK_BYTES).collect();
    let count = parts.len();
    let items = parts.into_iter().enumerate().map(|(i, part)| {
        let mut item = key(keys::interchange(body.id), keys::payload_chunk(body.meta.digest, i));
        item.insert(BYTES.to_owned(), b(part.to_vec()));
        item.insert(CHUNKS.to_owned(), n(count));
        item.insert(VERSION.to_owned(), n(body.version));
        item.insert(WRITTEN_AT.to_owned(), s(keys::sortable(now)));
        item
    });
    Ok(items.collect())
}

pub(crate) fn pack(id: &InterchangeId, bytes: &[u8]) -> Result<Vec<u8>, TableError> {
    let unstorable = |e: std::io::Error| TableError::Unstorable { id: id.to_string(), cause: e.to_string() };
    zstd::bulk::compress(bytes, LEVEL).map_err(unstorable)
}

/// The bytes of a chunk; `None` when they were removed.
fn part(item: &Item) -> Option<&[u8]> {
    item.get(BYTES).and_then(|v| v.as_b().ok()).map(AsRef::as_ref)
}

/// The most chunks that a payload of this many bytes can have, with the worst compression.
pub(crate) fn most_chunks(bytes: u64) -> usize {
    let most = usize::try_from(bytes).unwrap_or(usize::MAX);
    zstd::zstd_safe::compress_bound(most).div_ceil(CHUNK_BYTES).max(1)
}

/// Unpacks what was read from `item` and checks that it is what was kept.
pub(crate) fn assemble(packed: Vec<u8>, digest: Digest, item: &Item) -> Result<Vec<u8>, TableError> {
    let bytes = zstd::stream::decode_all(packed.as_slice()).map_err(|e| unreadable(item, &e.to_string()))?;
    if Digest::of(&bytes) == digest {
        Ok(bytes)
    } else {
        Err(unreadable(item, "the bytes are not what their digest says"))
    }
}
