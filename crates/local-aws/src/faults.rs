//! Faults on demand: which calls over HTTP fail, and how, so that tests and people can rehearse what AWS does on a bad day.
//! Without rules and recording nothing changes. Calls in process (`Aws::sqs` and the like) never meet a fault.

mod answer;
mod arrival;
mod caller;
mod keys;
mod redelivery;
mod rule;
mod split;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tokio::sync::watch;

pub use self::caller::Caller;
pub use self::redelivery::{Again, Redelivery};
pub use self::rule::{Fault, Match, Rule};

pub(crate) use self::answer::{conflict, in_progress, server_error, throttled};
pub(crate) use self::arrival::Arrival;
pub(crate) use self::keys::Schemas;
pub(crate) use self::redelivery::Redeliveries;
pub(crate) use self::split::Split;
use crate::clock::Clock;
use crate::meter::Service;

/// How many calls, and how many firings, are kept. Later ones are not.
const MAX_KEPT: usize = 100_000;

/// The faults of an endpoint. Clones are handles to the same ones.
#[derive(Clone)]
pub struct Faults {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Clock,
    state: Mutex<State>,
    redeliveries: Redeliveries,
    /// Changes when hanging calls are to end.
    released: watch::Sender<()>,
    stopped: watch::Receiver<bool>,
}

#[derive(Default)]
struct State {
    last_id: u64,
    rules: Vec<PlacedRule>,
    fired: Vec<Fired>,
    recording: Recording,
    calls: Vec<SeenCall>,
}

/// A rule in use.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlacedRule {
    /// What [`Faults::add`] gave.
    pub id: u64,
    /// How many calls have matched, whether it fired or not.
    pub matched: u64,
    /// How often it fired.
    pub fired: u64,
    /// The rule as it was added.
    pub rule: Rule,
}

/// A fault that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fired {
    /// The rule's id.
    pub rule: u64,
    /// The call that met it.
    pub call: SeenCall,
    /// What was done to the call.
    pub fault: Fault,
}

/// One call over HTTP. A call that the SDK repeats is a call more.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SeenCall {
    pub service: Service,
    /// As AWS names it: `TransactWriteItems`.
    pub operation: String,
    /// DynamoDB: the first key of the request, `<partition key>/<sort key>`. SQS: the queue. Scheduler: the schedule or
    /// its group. Empty when the request names none.
    pub key: String,
    /// The function whose process called; `None` for anyone else.
    pub caller: Option<String>,
}

/// Whether calls are recorded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Recording {
    On,
    #[default]
    Off,
}

/// What a call is to meet.
pub(crate) struct Meeting {
    pub(crate) fault: Fault,
    /// How often the rule has fired before: faults with several forms take turns by it.
    pub(crate) turn: u64,
    released: watch::Receiver<()>,
    stopped: watch::Receiver<bool>,
}

impl Faults {
    pub(crate) fn new(clock: Clock, redeliveries: Redeliveries, stopped: watch::Receiver<bool>) -> Self {
        let (released, _) = watch::channel(());
        Self { inner: Arc::new(Inner { clock, state: Mutex::default(), redeliveries, released, stopped }) }
    }

    /// Puts a rule into use and gives its id. Rules are tried in the order of their ids; the first that fires decides.
    pub fn add(&self, rule: Rule) -> u64 {
        let mut state = self.state();
        state.last_id += 1;
        let id = state.last_id;
        state.rules.push(PlacedRule { id, matched: 0, fired: 0, rule });
        id
    }

    /// Removes all rules and redeliveries and ends every hanging call: its connection closes without an answer.
    /// What fired and what was recorded stays.
    pub fn clear(&self) {
        self.state().rules.clear();
        self.inner.redeliveries.clear();
        self.inner.released.send_replace(());
    }

    /// The rules in use, those that are used up included.
    #[must_use]
    pub fn rules(&self) -> Vec<PlacedRule> {
        self.state().rules.clone()
    }

    /// What fired since the endpoint started, in order; the first 100,000.
    #[must_use]
    pub fn fired(&self) -> Vec<Fired> {
        self.state().fired.clone()
    }

    /// Starts the recording of calls over HTTP, forgetting earlier ones, or stops it.
    pub fn record(&self, on: Recording) {
        let mut state = self.state();
        if on == Recording::On {
            state.calls.clear();
        }
        state.recording = on;
    }

    /// The calls since recording was started, in the order of their arrival; the first 100,000.
    #[must_use]
    pub fn calls(&self) -> Vec<SeenCall> {
        self.state().calls.clone()
    }

    /// From now on messages of a queue come twice, or late.
    pub fn redeliver(&self, redelivery: Redelivery) {
        self.inner.redeliveries.add(redelivery);
    }

    /// The redeliveries in use.
    #[must_use]
    pub fn redeliveries(&self) -> Vec<Redelivery> {
        self.inner.redeliveries.all()
    }

    /// How many messages came twice or late so far.
    #[must_use]
    pub fn redelivered(&self) -> u64 {
        self.inner.redeliveries.count()
    }

    /// Whether a call need not be looked at.
    pub(crate) fn are_idle(&self) -> bool {
        let state = self.state();
        state.rules.is_empty() && state.recording == Recording::Off
    }

    pub(crate) fn recording(&self) -> Recording {
        self.state().recording
    }

    /// Records the call, counts it for every rule that it matches, and says what it is to meet.
    pub(crate) fn meet(&self, call: &Arrival) -> Option<Meeting> {
        let now = self.inner.clock.now();
        let mut state = self.state();
        if state.recording == Recording::On && state.calls.len() < MAX_KEPT {
            state.calls.push(call.seen.clone());
        }
        let mut firing = None;
        for placed in state.rules.iter_mut().filter(|placed| placed.rule.matches(call)) {
            placed.matched += 1;
            if firing.is_none() && placed.rule.fires(placed.matched, placed.fired, now) {
                firing = Some((placed.id, placed.rule.fault, placed.fired));
                placed.fired += 1;
            }
        }
        let (rule, fault, turn) = firing?;
        if state.fired.len() < MAX_KEPT {
            state.fired.push(Fired { rule, call: call.seen.clone(), fault });
        }
        // Subscribed under the lock, so that a `clear` after this ends the call.
        let released = self.inner.released.subscribe();
        Some(Meeting { fault, turn, released, stopped: self.inner.stopped.clone() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Meeting {
    /// Resolves when the rules were cleared, or the endpoint stops.
    pub(crate) async fn released(&mut self) {
        tokio::select! {
            _ = self.released.changed() => {}
            _ = self.stopped.wait_for(|stop| *stop) => {}
        }
    }
}
