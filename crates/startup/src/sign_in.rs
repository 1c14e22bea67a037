//! How people sign in on the page, as the template tells the function that serves it.

use crate::settings::optional;

/// An issuer of tokens and what the page is called there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// The issuer's URL.
    pub issuer: String,
    /// The page's client id: a public client, without a secret.
    pub client_id: String,
    /// Origins beside the issuer's that the page calls to sign in.
    pub origins: Vec<String>,
}

impl SignIn {
    /// What the environment names. `None` without an issuer or without a client id: nobody signs in on the page then.
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
    fn origins_are_separated_by_commas_and_empty_ones_are_none() {
        assert_eq!(separated("https://a.example, https://b.example,"), ["https://a.example", "https://b.example"]);
    }
}
