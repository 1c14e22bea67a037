//! Judging a batch: all reports on one interchange, in the order they came, fold into one commit.

use std::borrow::Cow;
use std::collections::HashMap;

use contract::intake::{Body, Intake, QueueRecord};
use domain::{Change, Epoch, Flow, FlowName, Interchange, Minute, Received, Stages, Timestamp, receive};
use table::Work;

use crate::{Ingested, journal};

/// A message that was read, with the message itself, should it have to be refused.
pub(crate) struct Arrival<'a> {
    pub(crate) record: &'a QueueRecord<'a>,
    pub(crate) intake: Intake,
}

/// The work on one interchange, with the bytes its reports brought.
pub(crate) struct Taken<'a> {
    pub(crate) work: Work,
    pub(crate) bodies: Vec<&'a Body>,
}

/// What a message came to, told once that is certain: news is none before its commit.
pub(crate) struct Told<'a> {
    pub(crate) intake: &'a Intake,
    pub(crate) verdict: Verdict,
    /// The fields that were not taken as they came.
    pub(crate) warnings: Option<String>,
}

/// What a message came to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Verdict {
    /// It changes the interchange.
    News {
        /// The first of its events.
        kind: &'static str,
        attempt: u32,
        next_retry_at: Option<Minute>,
        exhausted: bool,
    },
    /// It was known.
    Repeat,
    /// It is an outcome of what is not known, and is remembered in case that the failure comes later.
    Early,
    /// It is an outcome of what is not known, and its flow remembers none.
    NeverFailed,
}

/// What is to be committed of one interchange, `None` when nothing changes, and what each of its messages came to.
pub(crate) struct Decided<'a> {
    pub(crate) taken: Option<Taken<'a>>,
    pub(crate) told: Vec<Told<'a>>,
}

/// Folds all reports on one interchange, in the order they came, into one work.
pub(crate) fn decide<'a>(
    mut head: Option<Interchange>,
    arrivals: &'a [Arrival<'_>],
    flows: &HashMap<FlowName, Flow>,
    epoch: Epoch,
    now: Timestamp,
) -> Decided<'a> {
    let mut taken: Option<Taken<'a>> = None;
    let mut told = Vec::new();
    for Arrival { intake, .. } in arrivals {
        let report = &intake.incoming.report;
        // Nobody configured the flow and nothing of it failed: an outcome is judged as the flow would be registered.
        let registered = || Flow::registered(report.flow.clone(), &Stages::default(), now);
        let flow = flows.get(&report.flow).map_or_else(|| Cow::Owned(registered()), Cow::Borrowed);
        let received = Received { queued_at: intake.queued_at, now, flow: &flow, epoch };
        let mut warnings = None;
        let current = taken.as_ref().map_or_else(|| head.clone(), |taken| Some(taken.work.after.clone()));
        let verdict = match receive(current, report, received) {
            domain::Verdict::Change(change) => {
                let verdict = Verdict::of(&change);
                warnings = warned(&change);
                let bodies = intake.incoming.bodies.iter();
                match &mut taken {
                    Some(taken) => {
                        taken.work.then(*change);
                        taken.bodies.extend(bodies);
                    }
                    None => taken = Some(Taken { work: Work::new(head.take(), *change), bodies: bodies.collect() }),
                }
                verdict
            }
            domain::Verdict::Repeat => Verdict::Repeat,
            domain::Verdict::NeverFailed => Verdict::NeverFailed,
        };
        told.push(Told { intake, verdict, warnings });
    }
    Decided { taken, told }
}

impl Verdict {
    fn of(change: &Change) -> Self {
        let after = &change.after;
        if after.is_early() {
            return Self::Early;
        }
        Self::News {
            kind: change.events.first().map_or("noted", |event| event.kind.as_str()),
            attempt: change.events.first().map_or(after.attempt, |event| event.attempt),
            next_retry_at: after.next_retry_at,
            exhausted: after.exhausted,
        }
    }
}

fn warned(change: &Change) -> Option<String> {
    let fields: Vec<&str> = change.events.first()?.warnings.iter().map(|warning| warning.field.as_str()).collect();
    (!fields.is_empty()).then(|| fields.join(","))
}

/// Tells what messages came to, and counts it.
pub(crate) fn settle(told: &[Told<'_>], stands: Option<&Interchange>, tally: &mut Ingested) {
    for told in told {
        match told.verdict {
            Verdict::News { .. } => {}
            Verdict::Repeat => tally.repeats += 1,
            Verdict::Early => tally.early += 1,
            Verdict::NeverFailed => tally.never_failed += 1,
        }
        journal::report(told, stands);
    }
}
