//! Prints measurements as Markdown tables.

use std::collections::BTreeMap;

use local_aws::{Call, Service, round_trips};

use crate::scenarios::Measurement;

/// A limit for a scenario, per message or request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    Calls(f64),
    /// DynamoDB calls beyond those of another scenario.
    CallsBeyond(&'static str, f64),
    WriteUnits(f64),
    SqsCalls(f64),
    RoundTrips(usize),
}

const HEAD: &str = "\
| per message or request | DynamoDB calls | WRU | RRU | SQS calls | Scheduler calls | round trips | target |
|---|--:|--:|--:|--:|--:|--:|---|
";

/// The table: one row per scenario.
pub(crate) fn table(measurements: &[Measurement]) -> String {
    let rows = measurements.iter().map(|row| {
        let share = |sum: f64| figure(sum / count(row.messages));
        let calls = |service| share(row.calls(service));
        let trips = if row.messages == 1 { row.round_trips().to_string() } else { String::new() };
        let targets: Vec<String> = row.targets.iter().map(|target| target.describe(row, measurements)).collect();
        format!(
            "| {} | {} | {} | {} | {} | {} | {} | {} |\n",
            row.name,
            calls(Service::DynamoDb),
            share(row.write_units()),
            share(row.read_units()),
            calls(Service::Sqs),
            calls(Service::Scheduler),
            trips,
            targets.join(", "),
        )
    });
    std::iter::once(HEAD.to_owned()).chain(rows).collect()
}

/// The calls and units of each scenario by operation, and its writes by kind of item.
pub(crate) fn detail(measurements: &[Measurement]) -> String {
    measurements.iter().map(|it| format!("\n### {}\n\n{}\n{}", it.name, operations(it), kinds(it))).collect()
}

fn operations(measurement: &Measurement) -> String {
    let mut sums: BTreeMap<(Service, &str), (usize, usize, f64, f64)> = BTreeMap::new();
    for call in &measurement.calls {
        let (calls, refused, written, read) = sums.entry((call.service, &call.operation)).or_default();
        *calls += 1;
        *refused += usize::from(call.status >= 300);
        *written += call.write_units;
        *read += call.read_units;
    }
    let rows = sums.into_iter().map(|((_, operation), (calls, refused, written, read))| {
        format!("| {operation} | {calls} | {refused} | {} | {} |\n", figure(written), figure(read))
    });
    let head = format!(
        "{} messages\n\n| operation | calls | refused | WRU | RRU |\n|---|--:|--:|--:|--:|\n",
        measurement.messages
    );
    std::iter::once(head).chain(rows).collect()
}

fn kinds(measurement: &Measurement) -> String {
    let mut sums: BTreeMap<(&str, String), (usize, usize, u64, u64)> = BTreeMap::new();
    for call in &measurement.calls {
        for write in &call.writes {
            let kind: Vec<&str> = write.key.iter().map(|part| kind(part)).collect();
            let (items, bytes, table, index) = sums.entry((&call.operation, kind.join(" "))).or_default();
            *items += 1;
            *bytes = (*bytes).max(write.bytes);
            *table += write.table_units;
            *index += write.index_units;
        }
    }
    let rows = sums.into_iter().map(|((operation, kind), (items, bytes, table, index))| {
        format!("| {operation} | {kind} | {items} | {bytes} | {table} | {index} |\n")
    });
    let head = "| operation | item | items | largest, bytes | table WRU | index WRU |\n|---|---|--:|--:|--:|--:|\n";
    std::iter::once(head.to_owned()).chain(rows).collect()
}

/// The word at the beginning of a key; `…` when the key is a name or an id.
fn kind(key: &str) -> &str {
    let word = key.split('#').next().unwrap_or_default();
    let is_word = word.chars().all(|c| c.is_ascii_uppercase() || c == '-');
    if is_word { word } else { "…" }
}

impl Measurement {
    fn of(&self, service: Service) -> impl Iterator<Item = &Call> {
        self.calls.iter().filter(move |call| call.service == service)
    }

    fn calls(&self, service: Service) -> f64 {
        count(self.of(service).count())
    }

    fn write_units(&self) -> f64 {
        self.calls.iter().map(|call| call.write_units).sum()
    }

    fn read_units(&self) -> f64 {
        self.calls.iter().map(|call| call.read_units).sum()
    }

    fn round_trips(&self) -> usize {
        round_trips(&self.calls)
    }
}

impl Target {
    fn describe(self, row: &Measurement, all: &[Measurement]) -> String {
        let calls = |row: &Measurement| row.calls(Service::DynamoDb) / count(row.messages);
        let (what, max, is) = match self {
            Self::Calls(max) => ("calls".to_owned(), max, calls(row)),
            Self::CallsBeyond(name, max) => {
                let Some(other) = all.iter().find(|other| other.name == name) else { return String::new() };
                (format!("calls beyond {name}"), max, calls(row) - calls(other))
            }
            Self::WriteUnits(max) => ("WRU".to_owned(), max, row.write_units() / count(row.messages)),
            Self::SqsCalls(max) => ("SQS".to_owned(), max, row.calls(Service::Sqs) / count(row.messages)),
            Self::RoundTrips(max) => ("round trips".to_owned(), count(max), count(row.round_trips())),
        };
        let result = if is <= max { "met" } else { "**missed**" };
        format!("{what} ≤ {} {result}", figure(max))
    }
}

/// A number with at most three decimals and without trailing zeros.
fn figure(number: f64) -> String {
    let text = format!("{number:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn count(number: usize) -> f64 {
    number as f64
}
