//! CloudWatch metrics: writes the counts of an invocation to the log, in the embedded metric format, when it ends.
//!
//! CloudWatch extracts the metrics from these log lines. This needs no call, no client and no permission, so it cannot fail
//! an invocation.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use app::{METRICS, Metric};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer};

use crate::clock::Clock;
use crate::settings;

const NAMESPACE: &str = "Reprise";

/// The stack's name if the template does not set `STACK_NAME`: metrics under a wrong name are better than none.
const DEFAULT_STACK_NAME: &str = "reprise";

/// CloudWatch's limit for the values of one metric in a line.
const MAX_VALUES: usize = 100;

/// The counts since the last flush. An execution environment has one invocation at a time.
static COUNTED: Mutex<Tally> = Mutex::new(Tally::new());

/// Writes the counts since the last flush, if there are any.
pub(crate) fn flush(clock: &Clock) {
    let counted = std::mem::replace(&mut *COUNTED.lock().unwrap_or_else(PoisonError::into_inner), Tally::new());
    if counted.is_empty() {
        return;
    }
    match clock.now() {
        Ok(now) => {
            let stack = settings::optional("STACK_NAME").unwrap_or_else(|| DEFAULT_STACK_NAME.to_owned());
            let lines: String = counted.lines(&stack, now).iter().map(|line| format!("{line}\n")).collect();
            // Ignored: if standard error cannot be written, the error cannot be logged either.
            let _ = std::io::stderr().lock().write_all(lines.as_bytes());
        }
        Err(error) => tracing::error!(error = format!("{error:#}"), "metrics are lost"),
    }
}

/// Adds up the counts that are reported as tracing events under [`METRICS`].
#[derive(Debug)]
pub(crate) struct Counter;

impl<S: tracing::Subscriber> Layer<S> for Counter {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == METRICS {
            let mut count = Count::default();
            event.record(&mut count);
            COUNTED.lock().unwrap_or_else(PoisonError::into_inner).add(&count);
        }
    }
}

/// The fields of one tracing event.
#[derive(Debug, Default)]
struct Count {
    metric: Option<Metric>,
    by: u64,
    since: Option<i64>,
}

impl Visit for Count {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "metric" {
            self.metric = Metric::from_name(value);
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "by" {
            self.by = value;
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        if field.name() == "since" {
            self.since = Some(value);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

#[derive(Debug)]
struct Tally {
    counts: BTreeMap<Metric, u64>,
    /// When the ingested failures happened, in milliseconds since 1970.
    since: Vec<i64>,
}

impl Tally {
    const fn new() -> Self {
        Self { counts: BTreeMap::new(), since: Vec::new() }
    }

    fn is_empty(&self) -> bool {
        self.counts.is_empty() && self.since.is_empty()
    }

    fn add(&mut self, count: &Count) {
        match (count.metric, count.since) {
            (Some(_), Some(since)) => self.since.push(since),
            (Some(metric), None) => *self.counts.entry(metric).or_default() += count.by,
            (None, _) => {}
        }
    }

    /// The counts as one log line, or more if there are more than `MAX_VALUES` lags. A lag below zero, from clocks that
    /// disagree, counts as zero.
    fn lines(&self, stack: &str, now: Timestamp) -> Vec<Value> {
        let lags: Vec<i64> = self.since.iter().map(|since| (now.as_millisecond() - since).max(0)).collect();
        let lines = lags.len().div_ceil(MAX_VALUES).max(1);
        let line = |i: usize| {
            let counts = self.counts.iter().filter(|_| i == 0).map(|(metric, count)| (*metric, json!(count)));
            let lags = lags.chunks(MAX_VALUES).nth(i).map(|lags| (Metric::IngestLag, json!(lags)));
            line(stack, now, counts.chain(lags).collect())
        };
        (0..lines).map(line).collect()
    }
}

fn line(stack: &str, now: Timestamp, values: BTreeMap<Metric, Value>) -> Value {
    let metrics: Vec<Value> =
        values.keys().map(|metric| json!({ "Name": metric.as_str(), "Unit": unit(*metric) })).collect();
    let directive = json!({ "Namespace": NAMESPACE, "Dimensions": [["Stack"]], "Metrics": metrics });
    let mut line = Map::new();
    line.insert("_aws".to_owned(), json!({ "Timestamp": now.as_millisecond(), "CloudWatchMetrics": [directive] }));
    line.insert("level".to_owned(), json!("INFO"));
    line.insert("message".to_owned(), json!("metrics"));
    line.insert("Stack".to_owned(), json!(stack));
    line.extend(values.into_iter().map(|(metric, value)| (metric.as_str().to_owned(), value)));
    Value::Object(line)
}

fn unit(metric: Metric) -> &'static str {
    match metric {
        Metric::IngestLag => "Milliseconds",
        Metric::Ingested
        | Metric::Duplicates
        | Metric::Sent
        | Metric::Completed
        | Metric::FailedAgain
        | Metric::Exhausted
        | Metric::OverdueSlots
        | Metric::JobsHalted
        | Metric::WorkSetAside
        | Metric::WorkRefused => "Count",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(metric: Metric, by: u64) -> Count {
        Count { metric: Some(metric), by, since: None }
    }

    fn lag(since: i64) -> Count {
        Count { metric: Some(Metric::IngestLag), by: 0, since: Some(since) }
    }

    fn lines(counts: &[Count], now: i64) -> Vec<Value> {
        let mut tally = Tally::new();
        counts.iter().for_each(|count| tally.add(count));
        tally.lines("orders-prod", Timestamp::from_millisecond(now).unwrap())
    }

    #[test]
    fn a_line_has_the_embedded_metric_format() {
        let counts = [count(Metric::Ingested, 1), count(Metric::Ingested, 1), lag(4_000), lag(4_500)];
        let expected = json!({
            "_aws": { "Timestamp": 5_000, "CloudWatchMetrics": [{
                "Namespace": "Reprise", "Dimensions": [["Stack"]],
                "Metrics": [{ "Name": "Ingested", "Unit": "Count" }, { "Name": "IngestLag", "Unit": "Milliseconds" }] }] },
            "level": "INFO", "message": "metrics", "Stack": "orders-prod", "Ingested": 2, "IngestLag": [1_000, 500]
        });
        assert_eq!(lines(&counts, 5_000), [expected]);
    }

    #[test]
    fn a_count_of_zero_is_written_and_a_metric_without_a_count_is_not() {
        let [line] = &lines(&[count(Metric::OverdueSlots, 0)], 0)[..] else { panic!("one line") };
        assert_eq!((&line["OverdueSlots"], line.get("Sent")), (&json!(0), None));
        assert!(Tally::new().is_empty());
    }

    #[test]
    fn a_lag_is_never_negative() {
        assert_eq!(lines(&[lag(9_000)], 5_000)[0]["IngestLag"], json!([0]));
    }

    #[test]
    fn a_metric_has_at_most_100_values_in_a_line() {
        let counts: Vec<Count> = (0..250).map(lag).chain([count(Metric::Ingested, 250)]).collect();
        let lines = lines(&counts, 1_000);
        let sizes: Vec<usize> = lines.iter().map(|line| line["IngestLag"].as_array().unwrap().len()).collect();
        assert_eq!(sizes, [100, 100, 50]);
        assert_eq!(lines.iter().filter(|line| line.get("Ingested").is_some()).count(), 1);
    }
}
