//! Messages that are delivered twice or late, which a standard queue may do at any time.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::rule::is_selected;

/// Delivers messages of a queue twice or late.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Redelivery {
    /// The queue's name.
    pub queue: String,
    #[serde(rename = "again")]
    pub kind: RedeliveryKind,
    /// The delay of the second or late delivery, by the clock, with millisecond precision. Zero is immediately.
    #[serde(default, with = "text")]
    pub after: Duration,
    /// `(seed, share)` selects a random share of the messages, like [`super::Rule::one_in`]. `None` is all messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub one_in: Option<(u64, f64)>,
}

/// How a message is delivered. A message has at most one second delivery, with the same id. A FIFO queue never delivers twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RedeliveryKind {
    /// A second delivery, `after` the first receive, while the receiver may still process the message.
    WhileInFlight,
    /// A second delivery, `after` the delete.
    AfterDelete,
    /// One delivery, `after` the time at which the message should become visible.
    Late,
}

/// The redeliveries of an endpoint. Clones are handles to the same redeliveries.
#[derive(Clone, Default)]
pub(crate) struct Redeliveries(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    all: Vec<Redelivery>,
    /// How many messages were considered so far: the input of the random selection.
    considered: u64,
    count: u64,
    /// The numbers of messages that have a second delivery, and of the copies.
    copied: HashSet<i64>,
}

impl Redeliveries {
    pub(super) fn add(&self, redelivery: Redelivery) {
        self.state().all.push(redelivery);
    }

    pub(super) fn clear(&self) {
        self.state().all.clear();
    }

    pub(super) fn all(&self) -> Vec<Redelivery> {
        self.state().all.clone()
    }

    pub(super) fn count(&self) -> u64 {
        self.state().count
    }

    /// Whether there is a redelivery for the queue.
    pub(crate) fn apply_to(&self, queue: &str) -> bool {
        self.state().all.iter().any(|redelivery| redelivery.queue == queue)
    }

    /// The delay of a message that is being sent, in milliseconds.
    pub(crate) fn delay(&self, queue: &str) -> i64 {
        let mut state = self.state();
        let late = state.find_delay(queue, RedeliveryKind::Late);
        state.count += u64::from(late.is_some());
        late.unwrap_or_default()
    }

    /// The delay of the message's second delivery, in milliseconds. `None` if it gets none.
    pub(crate) fn copy_delay(&self, queue: &str, kind: RedeliveryKind, number: i64) -> Option<i64> {
        let mut state = self.state();
        if state.copied.contains(&number) { None } else { state.find_delay(queue, kind) }
    }

    /// Records that the second delivery of message `number` is message `copy`.
    pub(crate) fn record_copy(&self, number: i64, copy: i64) {
        let mut state = self.state();
        state.count += 1;
        state.copied.extend([number, copy]);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn find_delay(&mut self, queue: &str, kind: RedeliveryKind) -> Option<i64> {
        let found = self.all.iter().find(|it| it.queue == queue && it.kind == kind)?;
        self.considered += 1;
        let selected = found.one_in.is_none_or(|share| is_selected(share, self.considered));
        selected.then(|| i64::try_from(found.after.as_millis()).unwrap_or(i64::MAX / 2))
    }
}

/// Serializes durations as text such as `30s`.
mod text {
    use std::time::Duration;

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{}s", duration.as_secs()))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let text = String::deserialize(deserializer)?;
        let duration = crate::duration::parse_duration(&text).map_err(D::Error::custom)?;
        Ok(duration.unsigned_abs())
    }
}
