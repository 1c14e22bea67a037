//! An OpenID Connect issuer for a developer's machine and for tests: it asks for a name and does not verify it.
//!
//! It implements the protocol like a real issuer (discovery, keys, authorization code with PKCE, refresh, client
//! credentials), so that tests use the API's rules and the console's sign-in as they are deployed. It must never be
//! reachable from another machine, and must not depend on the meaning of the scopes.

mod authorize;
mod cors;
mod discovery;
mod error;
mod fields;
mod grants;
mod issuer;
mod key;
mod page;
mod redirect;
mod state;
mod token;

pub use error::IssuerError;
pub use issuer::{IssuerListener, TestIssuer};
pub use state::Settings;
