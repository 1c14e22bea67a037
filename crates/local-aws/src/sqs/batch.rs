//! The shared parts of the three batch operations: at most ten entries with distinct ids, and a result for each entry.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::error::SqsError;
use super::text;

const MAX_ENTRIES: usize = 10;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Batch<T> {
    pub(super) queue_url: Option<String>,
    #[serde(default = "Vec::new")]
    pub(super) entries: Vec<T>,
}

/// An entry of a batch. Its id connects it with its result.
pub(super) trait BatchEntry {
    fn id(&self) -> Option<&str>;
}

impl<T: BatchEntry> Batch<T> {
    /// Validates the number of entries and their ids. `entry` is AWS's name of an entry, for error messages.
    pub(super) fn check(&self, entry: &'static str) -> Result<(), SqsError> {
        if self.entries.is_empty() {
            return Err(SqsError::EmptyBatchRequest(entry));
        }
        if self.entries.len() > MAX_ENTRIES {
            return Err(SqsError::TooManyEntriesInBatchRequest(self.entries.len()));
        }
        let mut seen = HashSet::new();
        for (index, one) in self.entries.iter().enumerate() {
            let id = one.id().ok_or_else(|| SqsError::MissingParameter(format!("{entry}.{}.Id", index + 1)))?;
            if !text::is_name(id) {
                return Err(SqsError::InvalidBatchEntryId);
            }
            if !seen.insert(id) {
                return Err(SqsError::BatchEntryIdsNotDistinct(id.to_owned()));
            }
        }
        Ok(())
    }
}

/// The result of each entry.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Outcome<T> {
    pub(super) successful: Vec<T>,
    pub(super) failed: Vec<Failed>,
}

impl<T> Default for Outcome<T> {
    fn default() -> Self {
        Self { successful: Vec::new(), failed: Vec::new() }
    }
}

/// A successful entry of a batch that returns only the id.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Done {
    pub(super) id: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Failed {
    id: String,
    sender_fault: bool,
    code: &'static str,
    message: String,
}

impl Failed {
    pub(super) fn of(id: String, error: &SqsError) -> Self {
        Self { id, sender_fault: error.is_client_error(), code: error.query_code(), message: error.to_string() }
    }
}

impl Outcome<Done> {
    pub(super) fn note(&mut self, id: String, result: Result<(), SqsError>) {
        match result {
            Ok(()) => self.successful.push(Done { id }),
            Err(error) => self.failed.push(Failed::of(id, &error)),
        }
    }
}
