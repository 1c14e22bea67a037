//! Writes the log: one JSON line for each event, to standard error, where Lambda collects it.

use app::METRICS;
use tracing::Metadata;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{FilterExt as _, filter_fn};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, fmt, registry};

use crate::metrics::Counter;

/// The variables that set the level, in order of priority. Lambda sets the second from the function's logging configuration.
const LEVEL_VARIABLES: [&str; 2] = ["RUST_LOG", "AWS_LAMBDA_LOG_LEVEL"];

/// Starts the log at the level of the environment, `info` by default. The level is never below `debug`, because at `trace`
/// the AWS clients and the runtime log what they send and receive, payloads included.
pub fn start() {
    let configured = LEVEL_VARIABLES.iter().find_map(|name| EnvFilter::try_from_env(name).ok());
    let level = configured.unwrap_or_else(|| EnvFilter::new("info"));
    let lines = fmt::layer().json().flatten_event(true).with_span_list(false).with_writer(std::io::stderr);
    let is_line = filter_fn(|m: &Metadata<'_>| *m.level() <= LevelFilter::DEBUG && m.target() != METRICS);
    let lines = lines.with_filter(level.and(is_line.with_max_level_hint(LevelFilter::DEBUG)));
    let is_count = filter_fn(|m: &Metadata<'_>| m.target() == METRICS);
    let counts = Counter.with_filter(is_count.with_max_level_hint(LevelFilter::INFO));
    registry().with(lines).with(counts).init();
}
