//! The limits and settings of all functions.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// Environments of one function that run at the same time. Further invocations wait for one. AWS allows many more, but this
/// is one machine.
pub(crate) const MAX_ENVIRONMENTS: usize = 4;

/// Bytes of an invocation's event, and of its response.
pub(crate) const MAX_PAYLOAD_BYTES: usize = 6 * 1024 * 1024;

/// Settings that every function process gets, in addition to its own variables.
#[derive(Debug, Clone)]
pub(crate) struct ProcessSettings {
    /// The directory with the functions' binaries.
    pub(crate) binaries: PathBuf,
    pub(crate) region: String,
    /// Environment variables of the stack: endpoints and the clock.
    pub(crate) variables: BTreeMap<String, String>,
}
