//! The measurements as Markdown.

use std::collections::BTreeMap;

use local_aws::{Call, Service, round_trips};

use crate::scenarios::Measured;

/// A figure that a scenario must not exceed, per message or request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    Calls(f64),
    /// More calls than another scenario takes.
    CallsBeyond(&'static str, f64),
    WriteUnits(f64),
    SqsCalls(f64),
    RoundTrips(usize),
}

const HEAD: &str = "\
| per message or request | DynamoDB calls | WRU | RRU | SQS calls | Scheduler calls | round trips | target |
|---|--:|--:|--:|--:|--:|--:|---|
";

/// One row a scenario.
pub(crate) fn table(measured: &[Measured]) -> String {
    let rows = measured.iter().map(|row| {
        let share = |sum: f64| figure(sum / count(row.messages));
        let calls = |service| share(row.calls(service));
        let trips = if row.messages == 1 { row.round_trips().to_string() } else { String::new() };
        let targets: Vec<String> = row.targets.iter().map(|target| target.told(row, measured)).collect();
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

/// Where the calls and units of each scenario go: by operation, and the writes by kind of item.
pub(crate) fn detail(measured: &[Measured]) -> String {
    measured
        .iter()
        .map(|measured| format!("\n### {}\n\n{}\n{}", measured.name, operations(measured), kinds(measured)))
        .collect()
}

fn operations(measured: &Measured) -> String {
    let mut sums: BTreeMap<(Service, &str), (usize, usize, f64, f64)> = BTreeMap::new();
    for call in &measured.calls {
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
        measured.messages
    );
    std::iter::once(head).chain(rows).collect()
}

fn kinds(measured: &Measured) -> String {
    let mut sums: BTreeMap<(&str, String), (usize, usize, u64, u64)> = BTreeMap::new();
    for call in &measured.calls {
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

/// The word that a key begins with; the part of a key that begins with none is somebody's name.
fn kind(key: &str) -> &str {
    let word = key.split('#').next().unwrap_or_default();
    let is_word = word.chars().all(|c| c.is_ascii_uppercase() || c == '-');
    if is_word { word } else { "…" }
}

impl Measured {
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
    fn told(self, row: &Measured, all: &[Measured]) -> String {
        let calls = |row: &Measured| row.calls(Service::DynamoDb) / count(row.messages);
        let (what, most, is) = match self {
            Self::Calls(most) => ("calls".to_owned(), most, calls(row)),
            Self::CallsBeyond(name, most) => {
                let Some(other) = all.iter().find(|other| other.name == name) else { return String::new() };
                (format!("calls beyond {name}"), most, calls(row) - calls(other))
            }
            Self::WriteUnits(most) => ("WRU".to_owned(), most, row.write_units() / count(row.messages)),
            Self::SqsCalls(most) => ("SQS".to_owned(), most, row.calls(Service::Sqs) / count(row.messages)),
            Self::RoundTrips(most) => ("round trips".to_owned(), count(most), count(row.round_trips())),
        };
        let verdict = if is <= most { "met" } else { "**missed**" };
        format!("{what} ≤ {} {verdict}", figure(most))
    }
}

/// At most three decimals, and none that says nothing.
fn figure(number: f64) -> String {
    let text = format!("{number:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn count(number: usize) -> f64 {
    number as f64
}
