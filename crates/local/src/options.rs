//! What a stack is started with, and what may stand in its way.

use std::net::SocketAddr;
use std::path::PathBuf;

use local_aws::ClockMode;
use test_issuer::IssuerError;

use crate::provision::ProvisionError;
use crate::template::TemplateError;

/// What to start, and where.
#[derive(Debug, Clone)]
pub struct StackOptions {
    /// Where the HTTP API listens; port 0 takes a free one.
    pub http: SocketAddr,
    /// Where the AWS endpoint listens; port 0 takes a free one.
    pub aws: SocketAddr,
    /// Where everything is kept. `None` keeps it in memory.
    pub data: Option<PathBuf>,
    pub clock: ClockMode,
    /// The directory with the functions' binaries.
    pub binaries: PathBuf,
    /// The SAM template.
    pub template: PathBuf,
    /// Where a test issuer listens, whose tokens the API then asks for. `None` leaves every route open.
    pub issuer: Option<SocketAddr>,
    /// The claim of its tokens that lists the flows their bearers may see. `None` limits nobody.
    pub flows_claim: Option<String>,
}

/// Why the stack did not start.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    #[error("the template {} cannot be read", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the template cannot be run here")]
    Template(#[from] TemplateError),
    #[error("function {function} has no binary {}", path.display())]
    NoBinary { function: String, path: PathBuf },
    #[error("the data directory {} is used by another stack", path.display())]
    DataInUse { path: PathBuf },
    #[error("the data directory {} cannot be used", path.display())]
    Data {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the AWS endpoint does not start")]
    Aws(#[from] local_aws::StartError),
    #[error("the template's resources cannot be made")]
    Provision(#[from] ProvisionError),
    #[error("the HTTP API cannot listen on {address}")]
    Http {
        address: SocketAddr,
        #[source]
        source: std::io::Error,
    },
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    #[error("the HTTP API does not start")]
    Gateway(#[source] reqwest::Error),
    #[error("the Lambda Runtime API does not start")]
    Runtime(#[source] std::io::Error),
}
