//! Triage of a batch: all reports on one interchange, in the order they came, become one commit.

use std::borrow::Cow;
use std::collections::HashMap;

use contract::intake::{Body, Intake, QueueRecord};
use domain::{Change, Epoch, Flow, FlowName, Interchange, Minute, Received, Stages, Timestamp, receive};
use table::Work;

use crate::{Ingested, journal};

/// A message and what was read from it.
pub(crate) struct Arrival<'a> {
    pub(crate) record: &'a QueueRecord<'a>,
    pub(crate) intake: Intake,
}

/// The change of one interchange that is to be committed, with the payloads of its reports.
pub(crate) struct PendingCommit<'a> {
    pub(crate) work: Work,
    pub(crate) bodies: Vec<&'a Body>,
}

/// The result of a message. It is logged and counted after the commit.
pub(crate) struct ReportResult<'a> {
    pub(crate) intake: &'a Intake,
    pub(crate) verdict: Verdict,
    /// The fields that were replaced or left out.
    pub(crate) warnings: Option<String>,
}

/// The result of a message.
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
    /// It was known already.
    Repeat,
    /// It is an outcome of what is not known, and is remembered in case that the failure comes later.
    Early,
    /// It is an outcome of what is not known, and its flow remembers none.
    NeverFailed,
}

/// The pending commit of one interchange (`None` when nothing changes) and the result of each of its messages.
pub(crate) struct Decided<'a> {
    pub(crate) pending: Option<PendingCommit<'a>>,
    pub(crate) results: Vec<ReportResult<'a>>,
}

/// Folds all reports on one interchange, in the order they came, into one work.
pub(crate) fn decide<'a>(
    mut head: Option<Interchange>,
    arrivals: &'a [Arrival<'_>],
    flows: &HashMap<FlowName, Flow>,
    epoch: Epoch,
    now: Timestamp,
) -> Decided<'a> {
    let mut pending: Option<PendingCommit<'a>> = None;
    let mut results = Vec::new();
    for Arrival { intake, .. } in arrivals {
        let report = &intake.incoming.report;
        // Nobody configured the flow and nothing of it failed: an outcome is judged as the flow would be registered.
        let registered = || Flow::registered(report.flow.clone(), &Stages::default(), now);
        let flow = flows.get(&report.flow).map_or_else(|| Cow::Owned(registered()), Cow::Borrowed);
        let received = Received { queued_at: intake.queued_at, now, flow: &flow, epoch };
        let mut warnings = None;
        let current = pending.as_ref().map_or_else(|| head.clone(), |pending| Some(pending.work.after.clone()));
        let verdict = match receive(current, report, received) {
            domain::Verdict::Change(change) => {
                let verdict = Verdict::of(&change);
                warnings = warned(&change);
                let bodies = intake.incoming.bodies.iter();
                match &mut pending {
                    Some(pending) => {
                        pending.work.then(*change);
                        pending.bodies.extend(bodies);
                    }
                    None => {
                        pending =
                            Some(PendingCommit { work: Work::new(head.take(), *change), bodies: bodies.collect() })
                    }
                }
                verdict
            }
            domain::Verdict::Repeat => Verdict::Repeat,
            domain::Verdict::NeverFailed => Verdict::NeverFailed,
        };
        results.push(ReportResult { intake, verdict, warnings });
    }
    Decided { pending, results }
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

/// Logs and counts the results of messages.
pub(crate) fn record_results(results: &[ReportResult<'_>], stands: Option<&Interchange>, tally: &mut Ingested) {
    for result in results {
        match result.verdict {
            Verdict::News { .. } => {}
            Verdict::Repeat => tally.repeats += 1,
            Verdict::Early => tally.early += 1,
            Verdict::NeverFailed => tally.never_failed += 1,
        }
        journal::report(result, stands);
    }
}
