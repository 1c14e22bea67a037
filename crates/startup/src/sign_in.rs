//! Reads the console's sign-in settings from the environment.

use crate::settings::optional;

/// The OpenID Connect issuer, and the page's client id there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// The issuer's URL.
    pub issuer: String,
    /// The page's client id. It is a public client, so it has no secret.
    pub client_id: String,
    /// The other origins that the page calls to sign in, in addition to the issuer's.
    pub origins: Vec<String>,
}

impl SignIn {
    /// Reads the settings. `None` without an issuer or a client id; the page then offers no sign-in.
    #[must_use]
    pub fn from_env() -> Option<Self> {
        Some(Self {
            issuer: optional("CONSOLE_ISSUER")?,
            client_id: optional("CONSOLE_CLIENT_ID")?,
            origins: optional("CONSOLE_SIGN_IN_ORIGINS").map(|list| separated(&list)).unwrap_or_default(),
        })
    }
}

fn separated(list: &str) -> Vec<String> {
    list.split(',').map(|origin| origin.trim().to_owned()).filter(|origin| !origin.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_separated_by_commas_and_empty_ones_are_ignored() {
        assert_eq!(separated("https://a.example, https://b.example,"), ["https://a.example", "https://b.example"]);
    }
}
