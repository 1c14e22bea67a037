//! Small payloads travel in the item of the events that came with them: committed with them, and paid for already,
//! since an item costs by the whole kilobyte.

use domain::Digest;

use crate::event_codec::stored;
use crate::item::{Item, b, json};
use crate::payloads::{assemble, pack};
use crate::{TableError, Work, keys};

/// Most bytes of an item that costs one kilobyte, with room for what is added to it later (its expiry).
const MOST_ITEM: usize = 1_000;

/// Bytes of an item beside its keys' values, its events and what it carries: the names of its attributes.
const NAMES: usize = 8;

/// Longer payloads are not worth the try.
const MOST_BYTES: usize = 8_192;

/// Before the digest in the name of the attribute that holds a payload.
const PREFIX: char = 'p';

impl Work {
    /// Takes a payload along where there is room for it; `false` when it needs items of its own.
    ///
    /// # Errors
    /// When it cannot be packed.
    pub fn carry(&mut self, digest: Digest, bytes: &[u8]) -> Result<bool, TableError> {
        let Some(first) = self.events.first().map(|event| event.sequence) else { return Ok(false) };
        if bytes.len() > MOST_BYTES || self.after.brought_by(digest) != Some(first) {
            return Ok(false);
        }
        let packed = pack(&self.after.id, bytes)?;
        let keys = keys::interchange(&self.after.id).len() + keys::event(first).len();
        let carried: usize = self.carried.iter().map(|(_, packed)| name(digest).len() + packed.len()).sum();
        let size = NAMES + keys + json(&stored(&self.events)).len() + carried + name(digest).len() + packed.len();
        if size > MOST_ITEM {
            return Ok(false);
        }
        self.carried.push((digest, packed));
        Ok(true)
    }

    /// Puts what it carries into the item of its events.
    pub(crate) fn load(&self, item: &mut Item) {
        item.extend(self.carried.iter().map(|(digest, packed)| (name(*digest), b(packed.clone()))));
    }
}

/// The payload that an events' item carries under this digest.
pub(crate) fn carried(item: &Item, digest: Digest) -> Result<Option<Vec<u8>>, TableError> {
    let packed = item.get(&name(digest)).and_then(|value| value.as_b().ok());
    packed.map(|packed| assemble(packed.as_ref().to_vec(), digest, item)).transpose()
}

/// The attributes in which an events' item carries payloads.
pub(crate) fn carrying(item: &Item) -> Vec<String> {
    let is_one = |name: &&String| name.len() == 33 && name.starts_with(PREFIX);
    item.keys().filter(is_one).cloned().collect()
}

/// Half of the digest tells payloads of one item apart; the whole of it is checked when one is read.
fn name(digest: Digest) -> String {
    format!("{PREFIX}{}", &digest.to_string()[..32])
}
