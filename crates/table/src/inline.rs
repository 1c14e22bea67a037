//! Small payloads travel in the item of the events that came with them: committed with them, and paid for already,
//! since an item costs by the whole kilobyte.

use domain::Digest;

use crate::event_codec::stored;
use crate::item::{Item, b, json};
use crate::payloads::{assemble, pack};
use crate::{TableError, Work};

/// Most bytes of an item that costs one kilobyte, with room for its version and its expiry.
pub(crate) const MAX_ITEM: usize = 1_000;

/// Bytes of an item beside its keys' values, its events and what it carries: the names of its attributes.
pub(crate) const NAMES: usize = 8;

/// Longer payloads are not worth the try.
const MAX_BYTES: usize = 8_192;

/// Before the digest in the name of the attribute that holds a payload.
const PREFIX: char = 'p';

/// Digits of the digest in that name.
const DIGITS: usize = 32;

impl Work {
    /// Takes a payload along where there is room for it; `false` when it is kept apart, in items of its own.
    ///
    /// # Errors
    /// When it cannot be packed.
    pub fn carry(&mut self, digest: Digest, bytes: &[u8]) -> Result<bool, TableError> {
        if self.inline.iter().any(|(taken, _)| *taken == digest) {
            // Both sides of a report may be the same bytes.
            Ok(true)
        } else if let Some(packed) = self.packed_if_it_fits(digest, bytes)? {
            self.inline.push((digest, packed));
            Ok(true)
        } else {
            self.after.storage.chunked.insert(digest);
            Ok(false)
        }
    }

    fn packed_if_it_fits(&self, digest: Digest, bytes: &[u8]) -> Result<Option<Vec<u8>>, TableError> {
        let Some(first) = self.events.first().map(|event| event.sequence) else { return Ok(None) };
        if bytes.len() > MAX_BYTES || self.after.brought_by(digest) != Some(first) {
            return Ok(None);
        }
        let packed = pack(&self.after.id, bytes)?;
        let events = json(&stored(&self.events)).len();
        let size = self.item_bytes(first) + events + self.inline_bytes() + name(digest).len() + packed.len();
        Ok(Some(packed).filter(|_| size <= MAX_ITEM))
    }

    /// Whether it names these bytes, so that they must be kept: by a revision that it leads to, or by an event alone where
    /// so much came at once that the revision is an older one already.
    #[must_use]
    pub fn names(&self, digest: Digest) -> bool {
        let mut logged = self.events.iter().flat_map(|event| event.kind.revisions());
        self.after.brought_by(digest).is_some() || logged.any(|(_, revision)| revision.meta.digest == digest)
    }

    /// Bytes of the payloads that it takes along.
    pub(crate) fn inline_bytes(&self) -> usize {
        self.inline.iter().map(|(digest, packed)| name(*digest).len() + packed.len()).sum()
    }

    /// Puts what it carries into the item of its events.
    pub(crate) fn load(&self, item: &mut Item) {
        item.extend(self.inline.iter().map(|(digest, packed)| (name(*digest), b(packed.clone()))));
    }
}

/// The payload that an events' item carries under this digest.
pub(crate) fn inline(item: &Item, digest: Digest) -> Result<Option<Vec<u8>>, TableError> {
    let packed = item.get(&name(digest)).and_then(|value| value.as_b().ok());
    packed.map(|packed| assemble(packed.as_ref().to_vec(), digest, item)).transpose()
}

/// The attributes of an item that hold payloads.
pub(crate) fn names(item: &Item) -> impl Iterator<Item = &String> {
    let is_digest = |rest: &str| rest.len() == DIGITS && rest.bytes().all(|byte| byte.is_ascii_hexdigit());
    item.keys().filter(move |name| name.strip_prefix(PREFIX).is_some_and(is_digest))
}

/// Half of the digest tells payloads of one item apart; the whole of it is checked when one is read.
pub(crate) fn name(digest: Digest) -> String {
    format!("{PREFIX}{}", &digest.to_string()[..DIGITS])
}
