//! The epoch of the table: renewed when the table is restored, because attempt numbers are given again then.

use std::fmt;

/// Completes the key by which consumers drop repeats: interchange, attempt and epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Epoch(pub u64);

impl Epoch {
    /// The epoch of a table that was never restored.
    pub const FIRST: Self = Self(1);

    /// Whether the table was never restored.
    #[must_use]
    pub fn is_first(self) -> bool {
        self == Self::FIRST
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
