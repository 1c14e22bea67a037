//! The log: one JSON line an event, to standard error, where Lambda picks it up.

use tracing_subscriber::EnvFilter;

/// Starts the log. `RUST_LOG` says what is told; `info` when it does not.
pub(crate) fn start() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(std::io::stderr).flatten_event(true).init();
}
