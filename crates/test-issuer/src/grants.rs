//! What people have agreed to: codes that wait to be exchanged, and refresh tokens.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

/// Whose token it is, and what for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) subject: String,
    pub(crate) scopes: Vec<String>,
    /// The flows that it opens, where the issuer has a claim for them.
    pub(crate) flows: Vec<String>,
    /// Whether an id token was asked for, too.
    pub(crate) openid: bool,
}

/// A grant on its way through the browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Code {
    pub(crate) grant: Grant,
    pub(crate) redirect_uri: String,
    /// The S256 digest of what only the rightful client knows.
    pub(crate) challenge: String,
    pub(crate) nonce: Option<String>,
    /// In Unix seconds.
    pub(crate) expires: i64,
}

#[derive(Default)]
pub(crate) struct Grants(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    codes: HashMap<String, Code>,
    refreshable: HashMap<String, Grant>,
}

impl Grants {
    pub(crate) fn keep_code(&self, code: Code) -> String {
        let name = secret();
        self.kept().codes.insert(name.clone(), code);
        name
    }

    /// A code is good for one try.
    pub(crate) fn take_code(&self, name: &str) -> Option<Code> {
        self.kept().codes.remove(name)
    }

    /// A refresh token, good for as long as the issuer runs.
    pub(crate) fn keep_refreshable(&self, grant: Grant) -> String {
        let name = secret();
        self.kept().refreshable.insert(name.clone(), grant);
        name
    }

    pub(crate) fn refreshable(&self, name: &str) -> Option<Grant> {
        self.kept().refreshable.get(name).cloned()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn secret() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}
