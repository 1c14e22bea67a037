//! Stores the grants: authorization codes that are not yet redeemed, and refresh tokens.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

/// The subject of a token and its rights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) subject: String,
    pub(crate) scopes: Vec<String>,
    /// The flows that the subject may see. They are in the token only if the issuer has a claim for them.
    pub(crate) flows: Vec<String>,
    /// Whether the client also requested an id token.
    pub(crate) openid: bool,
}

/// The data of an authorization code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Code {
    pub(crate) grant: Grant,
    pub(crate) redirect_uri: String,
    /// The S256 digest of the code verifier, which only the requesting client knows (PKCE).
    pub(crate) challenge: String,
    pub(crate) nonce: Option<String>,
    /// The time when the code expires, in Unix seconds.
    pub(crate) expires: i64,
}

/// How many characters a name may have.
const MAX_NAME_CHARS: usize = 100;

/// Whether `name` can be the subject of a token: 1 to 100 characters, no control characters.
pub(crate) fn is_valid_name(name: &str) -> bool {
    !name.is_empty() && name.chars().count() <= MAX_NAME_CHARS && !name.chars().any(char::is_control)
}

/// The stored codes and refresh tokens.
#[derive(Default)]
pub(crate) struct Grants(Mutex<Stored>);

#[derive(Default)]
struct Stored {
    codes: HashMap<String, Code>,
    refresh_tokens: HashMap<String, Grant>,
}

impl Grants {
    pub(crate) fn insert_code(&self, code: Code) -> String {
        let name = secret();
        self.lock().codes.insert(name.clone(), code);
        name
    }

    /// Removes the code and returns its data: a code can be redeemed only once.
    pub(crate) fn take_code(&self, name: &str) -> Option<Code> {
        self.lock().codes.remove(name)
    }

    /// Stores a grant and returns its refresh token, which is valid until the issuer stops.
    pub(crate) fn insert_refresh_token(&self, grant: Grant) -> String {
        let name = secret();
        self.lock().refresh_tokens.insert(name.clone(), grant);
        name
    }

    pub(crate) fn refresh_token(&self, name: &str) -> Option<Grant> {
        self.lock().refresh_tokens.get(name).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Stored> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn secret() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}
