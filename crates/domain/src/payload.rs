//! Payloads as the domain sees them: never the bytes, only which revision they are.

use std::fmt;

use sha2::Digest as _;

/// SHA-256 of a payload's bytes. Payloads are stored under it, so the same bytes are kept once.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(sha2::Sha256::digest(bytes).into())
    }

    /// Reads 64 hexadecimal digits, as [`fmt::Display`] writes them.
    #[must_use]
    pub fn from_hex(hex: &str) -> Option<Self> {
        if hex.len() != 64 || !hex.is_ascii() {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, i) in bytes.iter_mut().zip((0..64).step_by(2)) {
            *byte = u8::from_str_radix(&hex[i..i + 2], 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Which of an interchange's two payloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PayloadSide {
    /// The message as it entered the pipeline, before mapping.
    Sender,
    /// The message after mapping, as it is to be delivered.
    Receiver,
}

impl PayloadSide {
    /// The word used in JSON and paths.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sender => "sender",
            Self::Receiver => "receiver",
        }
    }
}

/// What is known of a payload without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayloadMeta {
    /// SHA-256 of the bytes.
    pub digest: Digest,
    /// Length in bytes, before compression.
    pub bytes: u64,
    /// Media type as the pipeline told it.
    pub content_type: Option<String>,
}

/// One kept version of a payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// Counts from 1, a side at a time.
    pub number: u32,
    /// What it is.
    pub meta: PayloadMeta,
    /// The sequence of the event that brought its bytes.
    pub event: u64,
}

/// Revisions of one side that an interchange names itself, the one in flight not counted. Older ones are named by its
/// log alone.
pub const MAX_REVISIONS: usize = 20;

/// The newest revisions of one side, the newest last. Older ones are named by the log; all stay readable until the
/// interchange's retention ends. Their numbers count as they came.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Payloads(pub Vec<Revision>);

impl Payloads {
    /// The newest revision: the one that a re-entry sends.
    #[must_use]
    pub fn current(&self) -> Option<&Revision> {
        self.0.last()
    }

    /// Whether a revision of this number came and is named by the log alone.
    #[must_use]
    pub fn is_older(&self, number: u32) -> bool {
        number >= 1 && number <= self.highest() && self.revision(number).is_none()
    }

    /// The revision numbered `number`.
    #[must_use]
    pub fn revision(&self, number: u32) -> Option<&Revision> {
        self.0.iter().find(|r| r.number == number)
    }

    /// Adds `meta`, whose bytes came with event number `event`, as a new revision unless it is what the newest one
    /// says already.
    pub fn revise(&mut self, meta: &PayloadMeta, event: u64) {
        if self.current().is_some_and(|r| r.meta == *meta) {
            return;
        }
        self.0.push(self.next(meta, event));
    }

    /// As [`Self::revise`], for what came late: the newest one, where there is one, stays the newest.
    pub fn revise_earlier(&mut self, meta: &PayloadMeta, event: u64) {
        self.0.insert(self.0.len().saturating_sub(1), self.next(meta, event));
    }

    fn next(&self, meta: &PayloadMeta, event: u64) -> Revision {
        Revision { number: self.highest() + 1, meta: meta.clone(), event }
    }

    fn highest(&self) -> u32 {
        self.0.iter().map(|r| r.number).max().unwrap_or(0)
    }

    /// Leaves the oldest revisions to the log, but for the one numbered `in_flight`; whether there were any. The highest
    /// number is always among the newest two, so that numbers go on counting.
    pub(crate) fn trim(&mut self, in_flight: Option<u32>) -> bool {
        let before = self.0.len();
        let mut surplus = before.saturating_sub(MAX_REVISIONS);
        self.0.retain(|revision| {
            let goes = surplus > 0 && Some(revision.number) != in_flight;
            surplus -= usize::from(goes);
            !goes
        });
        self.0.len() < before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_reads_back_from_its_hex() {
        let digest = Digest::of(b"UNB+UNOC:3");
        assert_eq!(Digest::from_hex(&digest.to_string()), Some(digest));
        assert_eq!(Digest::from_hex("zz"), None);
        assert_eq!(Digest::from_hex(&"é".repeat(32)), None);
    }

    #[test]
    fn the_same_payload_again_is_no_new_revision() {
        let meta = |b: &[u8]| PayloadMeta { digest: Digest::of(b), bytes: b.len() as u64, content_type: None };
        let mut payloads = Payloads::default();
        payloads.revise(&meta(b"a"), 1);
        payloads.revise(&meta(b"a"), 3);
        payloads.revise(&meta(b"b"), 5);
        assert_eq!(payloads.0.iter().map(|r| r.number).collect::<Vec<_>>(), [1, 2]);
    }
}
