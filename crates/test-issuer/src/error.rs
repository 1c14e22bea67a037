//! The errors of starting the issuer.

use std::net::SocketAddr;

/// The reason why the issuer did not start.
#[derive(Debug, thiserror::Error)]
pub enum IssuerError {
    /// The address is not a loopback address. The issuer gives everybody all rights, so other machines must not reach it.
    #[error("the test issuer listens on loopback addresses only, not on {0}")]
    NotLoopback(SocketAddr),
    /// The address cannot be bound.
    #[error("the test issuer cannot listen on {address}")]
    Listen {
        /// The requested address.
        address: SocketAddr,
        /// The error of the operating system.
        #[source]
        source: std::io::Error,
    },
    /// The signing key could not be created.
    #[error("the test issuer cannot create a signing key")]
    Key,
}
