//! What the calls that pass the endpoint would cost at AWS: how many of each operation, and the read and write units
//! that DynamoDB charges for them. It measures and never changes what happens; it only makes DynamoDB calls take turns.

mod dynamodb;
mod items;
mod units;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

pub(crate) use self::dynamodb::forward;

/// Counts calls, when it runs; else it is nothing, and costs nothing.
#[derive(Debug, Clone, Default)]
pub struct Meter(Option<Arc<Counting>>);

#[derive(Debug, Default)]
struct Counting {
    calls: Mutex<Vec<Call>>,
    /// One DynamoDB call at a time, so that the items before and after it are its own doing.
    turn: tokio::sync::Mutex<()>,
    waves: Mutex<Option<Waves>>,
}

/// When DynamoDB was asked last, and for how long nobody must have asked before it answers.
#[derive(Debug, Clone, Copy)]
struct Waves {
    quiet: Duration,
    asked: Instant,
}

/// Who was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    DynamoDb,
    Sqs,
    Scheduler,
}

/// One call over HTTP, answered or refused.
#[derive(Debug, Clone)]
pub struct Call {
    pub service: Service,
    /// As AWS names it: `TransactWriteItems`.
    pub operation: String,
    /// The HTTP status of the answer.
    pub status: u16,
    /// DynamoDB's read units, of table and indexes.
    pub read_units: f64,
    /// DynamoDB's write units, of table and indexes.
    pub write_units: f64,
    /// The items it wrote or tried to, as far as the request names them (a statement does not).
    pub writes: Vec<Write>,
    began: Instant,
    ended: Instant,
}

/// One item of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The table's name.
    pub table: String,
    /// The values of its key, partition key first.
    pub key: Vec<String>,
    /// The larger of its sizes before and after.
    pub bytes: usize,
    /// What the table charges.
    pub table_units: u64,
    /// What the indexes charge, together.
    pub index_units: u64,
}

impl Meter {
    pub(crate) fn running() -> Self {
        Self(Some(Arc::default()))
    }

    /// Whether it counts: the endpoint was started with [`crate::Aws::start_metered`].
    #[must_use]
    pub fn runs(&self) -> bool {
        self.0.is_some()
    }

    /// The calls that were answered since the last time, in the order of their answers.
    #[must_use]
    pub fn take(&self) -> Vec<Call> {
        self.0.as_ref().map_or_else(Vec::new, |counting| std::mem::take(&mut *lock(&counting.calls)))
    }

    /// From now on DynamoDB answers when nobody has asked it anything for so long, in real time. What is asked side by
    /// side is then answered together, however slow the client, and [`round_trips`] tells it from what is asked in turn.
    pub fn answer_in_waves(&self, quiet: Duration) {
        if let Some(counting) = &self.0 {
            *lock(&counting.waves) = Some(Waves { quiet, asked: Instant::now() });
        }
    }

    /// Notes a call that costs nothing but itself.
    pub(crate) fn note(&self, service: Service, operation: &str, status: u16, began: Instant) {
        self.add(|| Call { status, ..Call::new(service, operation, began) });
    }

    fn add(&self, call: impl FnOnce() -> Call) {
        if let Some(counting) = &self.0 {
            let call = call();
            lock(&counting.calls).push(call);
        }
    }
}

impl Counting {
    fn asked(&self) {
        if let Some(waves) = lock(&self.waves).as_mut() {
            waves.asked = Instant::now();
        }
    }

    /// Resolves when an answer may be given.
    async fn quiet(&self) {
        let answer_at = || lock(&self.waves).map(|waves| waves.asked + waves.quiet);
        while let Some(at) = answer_at().filter(|at| *at > Instant::now()) {
            tokio::time::sleep_until(at.into()).await;
        }
    }
}

impl Call {
    fn new(service: Service, operation: &str, began: Instant) -> Self {
        Self {
            service,
            operation: operation.to_owned(),
            status: 0,
            read_units: 0.0,
            write_units: 0.0,
            writes: Vec::new(),
            began,
            ended: Instant::now(),
        }
    }
}

/// How many times somebody waited for an answer before asking on: calls side by side are one round trip. It takes
/// [`Meter::answer_in_waves`] to tell them surely.
#[must_use]
pub fn round_trips(calls: &[Call]) -> usize {
    let mut spans: Vec<(Instant, Instant)> = calls.iter().map(|call| (call.ended, call.began)).collect();
    spans.sort_unstable();
    let mut trips = 0;
    let mut last: Option<Instant> = None;
    for (ended, began) in spans {
        if last.is_none_or(|last| began >= last) {
            trips += 1;
            last = Some(ended);
        }
    }
    trips
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(start: Instant, began: u64, ended: u64) -> Call {
        let at = |ms| start + Duration::from_millis(ms);
        Call { ended: at(ended), ..Call::new(Service::DynamoDb, "Query", at(began)) }
    }

    #[test]
    fn calls_side_by_side_are_one_round_trip() {
        let start = Instant::now();
        assert_eq!(round_trips(&[]), 0);
        assert_eq!(round_trips(&[call(start, 0, 20), call(start, 1, 40), call(start, 19, 60)]), 1);
        assert_eq!(round_trips(&[call(start, 0, 20), call(start, 5, 25), call(start, 26, 46)]), 2);
        assert_eq!(round_trips(&[call(start, 0, 20), call(start, 20, 40), call(start, 40, 60)]), 3);
    }

    #[test]
    fn a_meter_that_does_not_run_has_nothing_to_tell() {
        let meter = Meter::default();
        meter.note(Service::Sqs, "SendMessage", 200, Instant::now());
        assert!(!meter.runs() && meter.take().is_empty());
    }
}
