//! The log: one JSON line an event, to standard error, where Lambda picks it up.

use app::METRICS;
use tracing::Metadata;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{FilterExt as _, filter_fn};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, fmt, registry};

use crate::metrics::Counter;

/// Where the level may stand: the usual variable, then the one that Lambda sets from the function's logging configuration.
const LEVELS: [&str; 2] = ["RUST_LOG", "AWS_LAMBDA_LOG_LEVEL"];

/// Starts the log. The environment says what is told; `info` when it does not. Never more than `debug`: below it, clients
/// and the runtime write down what they send and receive, payloads too.
pub fn start() {
    let asked = LEVELS.iter().find_map(|name| EnvFilter::try_from_env(name).ok());
    let told = asked.unwrap_or_else(|| EnvFilter::new("info"));
    let lines = fmt::layer().json().flatten_event(true).with_span_list(false).with_writer(std::io::stderr);
    let is_line = filter_fn(|m: &Metadata<'_>| *m.level() <= LevelFilter::DEBUG && m.target() != METRICS);
    let lines = lines.with_filter(told.and(is_line.with_max_level_hint(LevelFilter::DEBUG)));
    let is_count = filter_fn(|m: &Metadata<'_>| m.target() == METRICS);
    let counts = Counter.with_filter(is_count.with_max_level_hint(LevelFilter::INFO));
    registry().with(lines).with(counts).init();
}
