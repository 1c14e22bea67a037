//! An OpenID Connect issuer for a developer's machine and for tests: it asks for a name and believes it.
//!
//! It speaks the protocol as a real one does (discovery, keys, authorization code with PKCE, refresh, client credentials),
//! so that the API's rules and the console's sign-in are tried as they are deployed. It must never be reachable from
//! another machine, and never know what its scopes mean.

mod authorize;
mod cors;
mod discovery;
mod fields;
mod grants;
mod issuer;
mod key;
mod page;
mod redirect;
mod token;

pub use issuer::{IssuerError, Listening, Settings, TestIssuer};
