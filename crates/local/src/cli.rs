//! The command line options of `local`, and the paths of the template and the binaries.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::Parser;
use jiff::Timestamp;
use local::ClockMode;

/// The path of the template in the workspace.
const TEMPLATE: &str = "infra/template.yaml";

/// Runs Reprise on this machine: an AWS endpoint with DynamoDB, SQS and Scheduler, the production functions, the HTTP API.
#[derive(Debug, Parser)]
#[command(name = "cargo local", bin_name = "cargo local --", version, args_override_self = true)]
pub(crate) struct Options {
    /// Address of the HTTP API.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3000")]
    pub(crate) http: SocketAddr,

    /// Address of the AWS endpoint.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4566")]
    pub(crate) aws: SocketAddr,

    /// Keep all data in this directory, also after a kill. Without it the data is lost at the end.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,

    /// The clock stands still at this time until it is moved. Without it, it goes with this machine's.
    #[arg(long, value_name = "TIME")]
    clock: Option<Timestamp>,

    /// Do not start the demo, an order flow with failures and retries.
    #[arg(long)]
    no_demo: bool,

    /// Require tokens, as a deployment with an issuer does, and start a test issuer that gives tokens to everybody.
    #[arg(long)]
    auth: bool,

    /// Address of the test issuer of --auth.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3001")]
    issuer: SocketAddr,

    /// With --auth: limit each token to the flows that this claim lists. The test issuer's page asks for them.
    #[arg(long, value_name = "CLAIM", requires = "auth")]
    pub(crate) flows_claim: Option<String>,

    /// Use this template instead of infra/template.yaml.
    #[arg(long, value_name = "FILE", hide = true)]
    template: Option<PathBuf>,

    /// Directory with the functions' binaries.
    #[arg(long, value_name = "DIR", hide = true)]
    binaries: Option<PathBuf>,
}

impl Options {
    pub(crate) fn runs_demo(&self) -> bool {
        !self.no_demo
    }

    /// How the clock goes.
    pub(crate) fn clock(&self) -> ClockMode {
        self.clock.map_or(ClockMode::Flowing, ClockMode::Frozen)
    }

    /// The address of the test issuer. `None` without `--auth`.
    pub(crate) fn issuer(&self) -> Option<SocketAddr> {
        self.auth.then_some(self.issuer)
    }

    /// The path of the template: from the option, or else in the workspace of the build, or else in the current directory or
    /// above it.
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

    /// The directory of the binaries: from the option, or else the directory of this binary, where cargo puts all of them.
    pub(crate) fn binaries(&self) -> anyhow::Result<PathBuf> {
        if let Some(binaries) = &self.binaries {
            return Ok(binaries.clone());
        }
        let own = std::env::current_exe().context("cannot find the functions' binaries")?;
        own.parent().map(Path::to_owned).ok_or_else(|| anyhow!("cannot find the functions' binaries"))
    }
}
