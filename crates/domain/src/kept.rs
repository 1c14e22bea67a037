//! Where the log and the payloads of an interchange are kept. This belongs to whoever stores them: the domain takes it
//! along from one commit to the next, as it does the version, and decides nothing by it.

use std::collections::BTreeSet;

use crate::Digest;

/// What must be known of an interchange's items to reach the newest of them without looking for them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Kept {
    /// The newest items that hold the log, oldest first, each named by its first event. Events are added to the last one
    /// while it has room.
    pub items: Vec<u64>,
    /// There are older items of the log, or payloads, that neither `items` nor a revision of the interchange names: they
    /// have to be looked for.
    pub older: bool,
    /// Bytes of the last one.
    pub bytes: usize,
    /// How many of these are payloads.
    pub carried: usize,
    /// Payloads that have items of their own. All others are in the item of the event that brought them.
    pub apart: BTreeSet<Digest>,
}
