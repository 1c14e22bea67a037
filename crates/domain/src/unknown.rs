//! What a later release stored beside what this one knows. It belongs to the store: the domain takes it along from one
//! commit to the next, as it does the version, and decides nothing by it.

use std::collections::BTreeMap;

/// The parts of a stored item that this release does not know and writes back as they are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unknown {
    /// Members of the item's JSON documents: an object as JSON text, by the name of its document.
    pub members: BTreeMap<String, String>,
    /// Attributes of the item, by name.
    pub attributes: BTreeMap<String, Attribute>,
    /// The category of the last failure, where this release has no such word and takes it as unknown.
    pub category: Option<String>,
}

/// A value of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attribute {
    Text(String),
    /// A number, as the store writes it.
    Number(String),
}

/// A part of a flow's stored configuration that this release does not understand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigProblem {
    /// The field by its path; `None` where nothing of the configuration can be read.
    pub field: Option<String>,
    /// What is wrong with it.
    pub problem: String,
}
