//! Messages that come twice, or late: what a standard queue may do any day.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::rule::chosen;

/// Messages of a queue that are delivered otherwise than the sender and the receiver expect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Redelivery {
    /// The queue's name.
    pub queue: String,
    pub again: Again,
    /// How much later the second delivery, or the late one, comes; by the clock, to the millisecond. Zero is at once.
    #[serde(default, with = "text")]
    pub after: Duration,
    /// `(seed, share)` of the messages that it concerns, as [`super::Rule::one_in`]; `None` is all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub one_in: Option<(u64, f64)>,
}

/// What happens to a message. A message comes a second time once, under the same id; a FIFO queue never delivers twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Again {
    /// It is delivered a second time `after` it was first received, though the receiver still works on it.
    WhileInFlight,
    /// It is delivered a second time `after` it was deleted.
    AfterDelete,
    /// It is delivered once, `after` the time at which it should appear.
    Late,
}

/// The redeliveries in use. Clones are handles to the same ones.
#[derive(Clone, Default)]
pub(crate) struct Redeliveries(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    all: Vec<Redelivery>,
    /// How many messages were looked at, for the dice.
    looked_at: u64,
    count: u64,
    /// Numbers of messages that are second deliveries, or have had one.
    repeated: HashSet<i64>,
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

    /// Whether any concerns the queue.
    pub(crate) fn concern(&self, queue: &str) -> bool {
        self.state().all.iter().any(|redelivery| redelivery.queue == queue)
    }

    /// How many milliseconds later a message that is being sent appears.
    pub(crate) fn late(&self, queue: &str) -> i64 {
        let mut state = self.state();
        let late = state.wanted(queue, Again::Late);
        state.count += u64::from(late.is_some());
        late.unwrap_or_default()
    }

    /// Whether the message of this number is to come again, and in how many milliseconds.
    pub(crate) fn repeats(&self, queue: &str, again: Again, number: i64) -> Option<i64> {
        let mut state = self.state();
        if state.repeated.contains(&number) { None } else { state.wanted(queue, again) }
    }

    /// The message has its second delivery, under a number of its own.
    pub(crate) fn repeated(&self, number: i64, copy: i64) {
        let mut state = self.state();
        state.count += 1;
        state.repeated.extend([number, copy]);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn wanted(&mut self, queue: &str, again: Again) -> Option<i64> {
        let found = self.all.iter().find(|it| it.queue == queue && it.again == again)?;
        self.looked_at += 1;
        let wanted = found.one_in.is_none_or(|share| chosen(share, self.looked_at));
        wanted.then(|| i64::try_from(found.after.as_millis()).unwrap_or(i64::MAX / 2))
    }
}

/// Durations as people type them: `30s`.
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
