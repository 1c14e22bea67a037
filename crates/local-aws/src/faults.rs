//! Fault injection: rules decide which calls over HTTP fail and how, so that tests and people can try failures of AWS.
//! Without rules and recording it has no effect. Faults never apply to calls in the same process (`Aws::sqs` and the like).

mod caller;
mod incoming_call;
mod keys;
pub(crate) mod messages;
mod redelivery;
mod rule;
mod split;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tokio::sync::watch;

pub use self::caller::Caller;
pub use self::incoming_call::SeenCall;
pub use self::redelivery::{Redelivery, RedeliveryKind};
pub use self::rule::{Fault, Match, Rule};

pub(crate) use self::incoming_call::IncomingCall;
pub(crate) use self::keys::Schemas;
pub(crate) use self::redelivery::Redeliveries;
pub(crate) use self::rule::is_transaction;
pub(crate) use self::split::Split;
use crate::clock::Clock;

/// How many calls, and how many injected faults, are recorded. Later ones are not recorded.
const MAX_RECORDED: usize = 100_000;

/// The faults of an endpoint. Clones are handles to the same faults.
#[derive(Clone)]
pub struct Faults {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Clock,
    state: Mutex<State>,
    redeliveries: Redeliveries,
    /// Notifies hanging calls that they must end.
    released: watch::Sender<()>,
    stopped: watch::Receiver<bool>,
}

#[derive(Default)]
struct State {
    last_id: u64,
    rules: Vec<ActiveRule>,
    fired: Vec<Fired>,
    recording: Recording,
    calls: Vec<SeenCall>,
}

/// A rule that was added, with its counts.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ActiveRule {
    /// The id that [`Faults::add`] returned.
    pub id: u64,
    /// How many calls matched, including those for which the rule did not fire.
    pub matched: u64,
    /// How often the rule fired.
    pub fired: u64,
    /// The rule as it was added.
    pub rule: Rule,
}

/// An injected fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fired {
    /// The rule's id.
    pub rule: u64,
    /// The affected call.
    pub call: SeenCall,
    pub fault: Fault,
}

/// Whether calls are recorded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Recording {
    On,
    #[default]
    Off,
}

/// The fault that a rule selected for a call.
pub(crate) struct InjectedFault {
    pub(crate) fault: Fault,
    /// How often the rule fired before. A fault with several forms alternates between them by this number.
    pub(crate) turn: u64,
    released: watch::Receiver<()>,
    stopped: watch::Receiver<bool>,
}

impl Faults {
    pub(crate) fn new(clock: Clock, redeliveries: Redeliveries, stopped: watch::Receiver<bool>) -> Self {
        let (released, _) = watch::channel(());
        Self { inner: Arc::new(Inner { clock, state: Mutex::default(), redeliveries, released, stopped }) }
    }

    /// Adds a rule and returns its id. Rules are checked in the order of their ids; the first one that fires determines the
    /// fault.
    pub fn add(&self, rule: Rule) -> u64 {
        let mut state = self.state();
        state.last_id += 1;
        let id = state.last_id;
        state.rules.push(ActiveRule { id, matched: 0, fired: 0, rule });
        id
    }

    /// Removes all rules and redeliveries, and closes the connections of hanging calls without a response. Keeps the records
    /// of faults and calls.
    pub fn clear(&self) {
        self.state().rules.clear();
        self.inner.redeliveries.clear();
        self.inner.released.send_replace(());
    }

    /// All rules, including those that have fired as often as they may.
    #[must_use]
    pub fn rules(&self) -> Vec<ActiveRule> {
        self.state().rules.clone()
    }

    /// The first 100,000 faults since the endpoint started, in order.
    #[must_use]
    pub fn fired(&self) -> Vec<Fired> {
        self.state().fired.clone()
    }

    /// Starts or stops the recording of calls over HTTP. A start deletes earlier records.
    pub fn record(&self, on: Recording) {
        let mut state = self.state();
        if on == Recording::On {
            state.calls.clear();
        }
        state.recording = on;
    }

    /// The first 100,000 calls since the start of the recording, in the order of their arrival.
    #[must_use]
    pub fn calls(&self) -> Vec<SeenCall> {
        self.state().calls.clone()
    }

    /// Makes a queue deliver messages twice or late from now on.
    pub fn redeliver(&self, redelivery: Redelivery) {
        self.inner.redeliveries.add(redelivery);
    }

    /// All redeliveries that were added.
    #[must_use]
    pub fn redeliveries(&self) -> Vec<Redelivery> {
        self.inner.redeliveries.all()
    }

    /// How many messages were delivered twice or late so far.
    #[must_use]
    pub fn redelivered(&self) -> u64 {
        self.inner.redeliveries.count()
    }

    /// Whether there are no rules and no recording, so that calls need no check.
    pub(crate) fn is_idle(&self) -> bool {
        let state = self.state();
        state.rules.is_empty() && state.recording == Recording::Off
    }

    pub(crate) fn recording(&self) -> Recording {
        self.state().recording
    }

    /// Records the call, counts it for each rule that it matches, and returns the fault to inject.
    pub(crate) fn select(&self, call: &IncomingCall) -> Option<InjectedFault> {
        let now = self.inner.clock.now();
        let mut state = self.state();
        if state.recording == Recording::On && state.calls.len() < MAX_RECORDED {
            state.calls.push(call.seen.clone());
        }
        let mut firing = None;
        for active in state.rules.iter_mut().filter(|active| active.rule.matches(call)) {
            active.matched += 1;
            if firing.is_none() && active.rule.fires(active.matched, active.fired, now) {
                firing = Some((active.id, active.rule.fault, active.fired));
                active.fired += 1;
            }
        }
        let (rule, fault, turn) = firing?;
        if state.fired.len() < MAX_RECORDED {
            state.fired.push(Fired { rule, call: call.seen.clone(), fault });
        }
        // Subscribes under the lock, so that a later `clear` ends the call.
        let released = self.inner.released.subscribe();
        Some(InjectedFault { fault, turn, released, stopped: self.inner.stopped.clone() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl InjectedFault {
    /// Waits until the rules are cleared or the endpoint stops.
    pub(crate) async fn released(&mut self) {
        tokio::select! {
            _ = self.released.changed() => {}
            _ = self.stopped.wait_for(|stop| *stop) => {}
        }
    }
}
