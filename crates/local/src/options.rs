//! The options of a stack, and the errors of its start.

use std::net::SocketAddr;
use std::path::PathBuf;

use local_aws::ClockMode;
use test_issuer::IssuerError;

use crate::provision::ProvisionError;
use crate::template::TemplateError;

/// The template, the binaries, the addresses and the data of a stack.
#[derive(Debug, Clone)]
pub struct StackOptions {
    /// The address of the HTTP API. Port 0 uses any free port.
    pub http: SocketAddr,
    /// The address of the AWS endpoint. Port 0 uses any free port.
    pub aws: SocketAddr,
    /// The directory for all data. `None` keeps the data in memory.
    pub data: Option<PathBuf>,
    pub clock: ClockMode,
    /// The directory with the functions' binaries.
    pub binaries: PathBuf,
    /// The file with the SAM template.
    pub template: PathBuf,
    /// The address of a test issuer, whose tokens the API then requires. `None` leaves every route open.
    pub issuer: Option<SocketAddr>,
    /// The token claim that lists the flows that the bearer may see. `None` gives every bearer all flows.
    pub flows_claim: Option<String>,
}

/// The reason why a stack did not start.
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
    #[error("the template's resources cannot be created")]
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
