//! The members of a JSON object as they stand in its text. For what is passed on as it came, and for JSON that nests deeper
//! than can be read as a whole: a value is only looked into where it is asked for.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// An object's members by name; of two with one name, the last.
#[derive(Debug, Default)]
pub(super) struct Members<'a>(pub(super) BTreeMap<String, &'a RawValue>);

impl<'a> Members<'a> {
    /// `None` when the text is not a JSON object.
    pub(super) fn of(json: &'a str) -> Option<Self> {
        serde_json::from_str(json).ok().map(Self)
    }

    /// The members of a member; none where that is no object.
    pub(super) fn inner(&self, name: &str) -> Self {
        self.raw(name).and_then(|raw| Self::of(raw.get())).unwrap_or_default()
    }

    /// A member that is a text.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.raw(name).and_then(|raw| serde_json::from_str(raw.get()).ok())
    }

    /// A member that is a whole number.
    pub(super) fn whole(&self, name: &str) -> Option<u64> {
        self.raw(name).and_then(|raw| serde_json::from_str(raw.get()).ok())
    }

    /// A member as it is written, unless it is `null`.
    pub(super) fn raw(&self, name: &str) -> Option<&'a RawValue> {
        self.0.get(name).copied().filter(|raw| raw.get() != "null")
    }
}
