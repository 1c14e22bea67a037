//! What must be true of a stack that is quiet, whatever happened before: recounted from the table and compared with what the API
//! says, what was put on the queues, and what the harness saw on the stages. Written once, for exploration and for tests.

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
pub use rest::unrest;
pub use stored::{Head, Logged, Stored};

use crate::World;

/// Something that must not be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// Which invariant is broken, in a few words.
    pub rule: &'static str,
    /// What was seen.
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.detail)
    }
}

/// What is found while the invariants are checked.
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

/// Checks every invariant of a world in which nothing is going on any more. Empty when all hold.
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
