//! Invariants of an idle stack, whatever happened before. The table is counted independently and compared with the API, with the
//! messages that were reported, and with the messages that the harness saw on the stages. Used by the exploration and by tests.

mod answers;
mod evidence;
mod jobs;
mod logs;
mod order;
mod rest;
mod sends;
mod stored;
mod sums;

use std::fmt;

pub use evidence::{Disturbances, Evidence, Outcome, Sighting};
pub(crate) use rest::DEAD_SCHEDULES;
pub use rest::pending_work;
pub use stored::{Head, Logged, Stored};

use crate::World;

/// A broken invariant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// The invariant, in a few words.
    pub rule: &'static str,
    /// What was found.
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.detail)
    }
}

/// Collects violations.
#[derive(Debug, Default)]
pub(crate) struct Findings(Vec<Violation>);

impl Findings {
    pub(crate) fn add(&mut self, rule: &'static str, detail: impl Into<String>) {
        self.0.push(Violation { rule, detail: detail.into() });
    }

    pub(crate) fn unless(&mut self, holds: bool, rule: &'static str, detail: impl FnOnce() -> String) {
        if !holds {
            self.add(rule, detail());
        }
    }
}

/// Checks every invariant of an idle world. Empty when all hold.
///
/// # Panics
/// When the table or the API cannot be read.
pub async fn check(world: &World, evidence: &Evidence) -> Vec<Violation> {
    let stored = Stored::read(world);
    let mut found = Findings::default();
    rest::check(world, &stored, evidence, &mut found);
    logs::check(&stored, evidence, &mut found);
    sends::check(&stored, evidence, &mut found);
    order::check(evidence, &mut found);
    answers::check(world, evidence, &mut found);
    for flow in evidence.flows() {
        sums::check(world, &stored, flow, &mut found).await;
        jobs::check(world, &stored, flow, &mut found).await;
    }
    found.0
}
