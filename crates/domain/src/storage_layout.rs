//! Where the log and the payloads of an interchange are kept. The storage layer owns this. The domain carries it from one
//! commit to the next, like the version, and decides nothing by it.

use std::collections::BTreeSet;

use crate::Digest;

/// Names the newest items of an interchange, so that they are reached without a query.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StorageLayout {
    /// The newest items that hold the log, oldest first, each named by its first event. Events are added to the last one
    /// while it has room.
    pub items: Vec<u64>,
    /// There are older items of the log, or payloads, that neither `items` nor a revision of the interchange names: they
    /// are found by a query.
    pub older: bool,
    /// Bytes of the last item.
    pub bytes: usize,
    /// How many of these are payloads.
    pub inline: usize,
    /// Payloads stored in items of their own. All others are in the item of the event that brought them.
    pub chunked: BTreeSet<Digest>,
}
