//! The options of `local`, and where it finds what it runs.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::Parser;
use jiff::Timestamp;
use local::ClockMode;

/// Where the template lies in the workspace.
const TEMPLATE: &str = "infra/template.yaml";

/// Runs Reprise on this machine: DynamoDB, SQS and Scheduler on one AWS endpoint, the production functions, the HTTP API.
#[derive(Debug, Parser)]
#[command(name = "cargo local", bin_name = "cargo local --", version, args_override_self = true)]
pub(crate) struct Options {
    /// Where the HTTP API listens.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3000")]
    pub(crate) http: SocketAddr,

    /// Where the AWS endpoint listens.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4566")]
    pub(crate) aws: SocketAddr,

    /// Keep everything in this directory: it survives a restart, and a kill. Without it all is gone at the end.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,

    /// The clock stands still at this time until it is moved. Without it, it goes with this machine's.
    #[arg(long, value_name = "TIME")]
    clock: Option<Timestamp>,

    /// Without the order flow that fails, is retried and recovers.
    #[arg(long)]
    no_demo: bool,

    /// Ask for tokens as a deployment with an issuer does, and start a test issuer that gives them to anybody here.
    #[arg(long)]
    auth: bool,

    /// Where the test issuer of --auth listens.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3001")]
    issuer: SocketAddr,

    /// With --auth: limit bearers to the flows that this claim of their token lists. The test issuer asks for them.
    #[arg(long, value_name = "CLAIM", requires = "auth")]
    pub(crate) flows_claim: Option<String>,

    /// Another template.
    #[arg(long, value_name = "FILE", hide = true)]
    template: Option<PathBuf>,

    /// Where the functions' binaries are.
    #[arg(long, value_name = "DIR", hide = true)]
    binaries: Option<PathBuf>,
}

impl Options {
    pub(crate) fn wants_demo(&self) -> bool {
        !self.no_demo
    }

    /// How the clock goes.
    pub(crate) fn clock(&self) -> ClockMode {
        self.clock.map_or(ClockMode::Flowing, ClockMode::Frozen)
    }

    /// Where the test issuer listens, if there is to be one.
    pub(crate) fn issuer(&self) -> Option<SocketAddr> {
        self.auth.then_some(self.issuer)
    }

    /// The template asked for, else that of the workspace this was built in, else of the one it is started in.
    pub(crate) fn template(&self) -> anyhow::Result<PathBuf> {
        if let Some(template) = &self.template {
            return Ok(template.clone());
        }
        let here = std::env::current_dir().context("there is no current directory")?;
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
        let places = workspace.into_iter().chain(here.ancestors());
        let found = places.map(|place| place.join(TEMPLATE)).find(|template| template.is_file());
        found.ok_or_else(|| anyhow!("there is no {TEMPLATE} in {} or above it", here.display()))
    }

    /// Cargo builds all binaries of the workspace into one directory.
    pub(crate) fn binaries(&self) -> anyhow::Result<PathBuf> {
        if let Some(binaries) = &self.binaries {
            return Ok(binaries.clone());
        }
        let own = std::env::current_exe().context("cannot find the functions' binaries")?;
        own.parent().map(Path::to_owned).ok_or_else(|| anyhow!("cannot find the functions' binaries"))
    }
}
