//! Measures what the calls over HTTP would cost on AWS: the number of each operation, and the read and write units of
//! DynamoDB. It does not change results; it only runs DynamoDB calls one at a time.

mod dynamodb;
mod items;
mod units;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

pub(crate) use self::dynamodb::forward;

/// Counts calls if it runs. A meter that does not run does nothing.
#[derive(Debug, Clone, Default)]
pub struct Meter(Option<Arc<Counting>>);

#[derive(Debug, Default)]
struct Counting {
    calls: Mutex<Vec<Call>>,
    /// Held during a DynamoDB call, so that no other call changes the items between the reads before and after it.
    turn: tokio::sync::Mutex<()>,
    gate: Mutex<Option<ResponseGate>>,
}

/// Holds back DynamoDB's responses until there was no request for `idle`.
#[derive(Debug, Clone, Copy)]
struct ResponseGate {
    idle: Duration,
    last_request: Instant,
}

/// The called service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    DynamoDb,
    Sqs,
    Scheduler,
}

/// A completed call over HTTP.
#[derive(Debug, Clone)]
pub struct Call {
    pub service: Service,
    /// The name of the operation, as in AWS's API: `TransactWriteItems`.
    pub operation: String,
    /// The HTTP status of the response.
    pub status: u16,
    /// The read units of DynamoDB, for table and indexes together.
    pub read_units: f64,
    /// The write units of DynamoDB, for table and indexes together.
    pub write_units: f64,
    /// The items that the call wrote or tried to write. Empty for statements, whose requests do not contain the items.
    pub writes: Vec<Write>,
    began: Instant,
    ended: Instant,
}

/// The cost of one item of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The table's name.
    pub table: String,
    /// The values of its key, partition key first.
    pub key: Vec<String>,
    /// The larger of the item's sizes before and after the write.
    pub bytes: usize,
    /// The write units of the table.
    pub table_units: u64,
    /// The write units of all indexes together.
    pub index_units: u64,
}

impl Meter {
    pub(crate) fn running() -> Self {
        Self(Some(Arc::default()))
    }

    /// Whether the meter counts, which it does if the endpoint was started with [`crate::Aws::start_metered`].
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.0.is_some()
    }

    /// Returns and removes the calls since the last `take`, in the order of their responses.
    #[must_use]
    pub fn take(&self) -> Vec<Call> {
        self.0.as_ref().map_or_else(Vec::new, |counting| std::mem::take(&mut *lock(&counting.calls)))
    }

    /// Holds back DynamoDB's responses from now on, until there was no request for `idle` of real time. Then all concurrent
    /// calls get their responses together, however slow the client is, so [`round_trips`] can distinguish them from
    /// consecutive calls.
    pub fn hold_responses(&self, idle: Duration) {
        if let Some(counting) = &self.0 {
            *lock(&counting.gate) = Some(ResponseGate { idle, last_request: Instant::now() });
        }
    }

    /// Records a call without read or write units.
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
    fn note_request(&self) {
        if let Some(gate) = lock(&self.gate).as_mut() {
            gate.last_request = Instant::now();
        }
    }

    /// Waits until responses may be returned.
    async fn wait_until_idle(&self) {
        let respond_at = || lock(&self.gate).map(|gate| gate.last_request + gate.idle);
        while let Some(at) = respond_at().filter(|at| *at > Instant::now()) {
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

/// The number of round trips: how often a client waited for a response before its next call. Concurrent calls are one
/// round trip. The number is exact only with [`Meter::hold_responses`].
#[must_use]
pub fn round_trips(calls: &[Call]) -> usize {
    let mut intervals: Vec<(Instant, Instant)> = calls.iter().map(|call| (call.ended, call.began)).collect();
    intervals.sort_unstable();
    let mut trips = 0;
    let mut last: Option<Instant> = None;
    for (ended, began) in intervals {
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
    fn concurrent_calls_are_one_round_trip() {
        let start = Instant::now();
        assert_eq!(round_trips(&[]), 0);
        assert_eq!(round_trips(&[call(start, 0, 20), call(start, 1, 40), call(start, 19, 60)]), 1);
        assert_eq!(round_trips(&[call(start, 0, 20), call(start, 5, 25), call(start, 26, 46)]), 2);
        assert_eq!(round_trips(&[call(start, 0, 20), call(start, 20, 40), call(start, 40, 60)]), 3);
    }

    #[test]
    fn a_meter_that_does_not_run_records_nothing() {
        let meter = Meter::default();
        meter.note(Service::Sqs, "SendMessage", 200, Instant::now());
        assert!(!meter.is_running() && meter.take().is_empty());
    }
}
