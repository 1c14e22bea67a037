//! The command `local`: runs Reprise on this machine.

mod cli;
mod run;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

/// The log filter without `RUST_LOG`. It hides warnings of DynamoDB such as failed conditions, which its clients handle.
const DEFAULT_FILTER: &str = "warn,dynoxide=error";

#[tokio::main]
async fn main() -> ExitCode {
    let options = cli::Options::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    tracing_subscriber::fmt().with_env_filter(filter).with_target(false).with_writer(std::io::stderr).init();
    match run::run(options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
