//! Outcomes that come before the failure of their attempt: they are remembered for a while, and the failure is judged by
//! event time when it comes.

use jiff::{SignedDuration, Timestamp};

use crate::apply_report::blank;
use crate::event::{Actor, EventKind};
use crate::outcome::{failed, record};
use crate::plausible::Plausible;
use crate::{Change, Completion, FailureReport, Interchange, Known, Received, Status, Verdict};

/// How long an outcome waits for the failure of its attempt.
pub const EARLY_OUTCOME_KEPT: SignedDuration = SignedDuration::from_hours(14 * 24);

impl Interchange {
    /// Whether nothing but an early outcome is known of it: it has no log, stands in no list and counts nowhere, and for
    /// everybody but the next report it is not there.
    #[must_use]
    pub fn is_early(&self) -> bool {
        self.sequence == 0
    }

    fn early_outcome(&self) -> Known {
        if self.status == Status::InNetwork { Known::InNetwork } else { Known::Completed }
    }

    fn is_forgotten_early(&self, now: Timestamp) -> bool {
        now.duration_since(self.failure.recorded_at) > EARLY_OUTCOME_KEPT
    }
}

/// Remembers an outcome of what is not known. `earlier` is the early outcome that is remembered already: of two the one
/// of the higher attempt counts, of one attempt the completion.
pub(crate) fn remember(earlier: Option<Interchange>, told: &Plausible<'_>, received: Received<'_>) -> Verdict {
    if !received.flow.confirmation.early || told.foreign_epoch.is_some() {
        return Verdict::NeverFailed;
    }
    let outcome = told.report.known_as();
    let attempt = told.attempt.unwrap_or(1);
    if let Some(earlier) = earlier.as_ref().filter(|earlier| !earlier.is_forgotten_early(received.now)) {
        let is_newer = (attempt, outcome) > (earlier.attempt, earlier.early_outcome());
        if earlier.flow != told.report.flow || !is_newer {
            return Verdict::Repeat;
        }
    }
    let mut early = blank(told.report, told.event_at, received.now);
    early.version = earlier.map_or(0, |earlier| earlier.version);
    early.attempt = attempt;
    early.known = vec![(attempt, outcome)];
    if outcome == Known::InNetwork {
        early.status = Status::InNetwork;
    } else {
        early.completes(Completion::Reported(told.event_at));
    }
    Verdict::Change(Box::new(Change::of(early)))
}

/// A first failure that meets an early outcome. The log has both; which of them counts is decided by attempt and event
/// time, and by arrival where both are the same.
pub(crate) fn meet(
    early: &Interchange,
    failure: &FailureReport,
    told: &Plausible<'_>,
    received: Received<'_>,
) -> Change {
    let attempt = told.attempt.unwrap_or(1);
    let mut blank = blank(told.report, told.event_at, received.now);
    blank.version = early.version;
    blank.seen.clone_from(&early.seen);
    let counts = early.flow == told.report.flow && !early.is_forgotten_early(received.now);
    if !counts {
        return failed(blank, attempt, failure, told.event_at, received);
    }
    let happened_at = early.failure.at;
    let outcome = early.early_outcome();
    if (early.attempt, happened_at) < (attempt, told.event_at) {
        let mut change = failed(blank, attempt, failure, told.event_at, received);
        change.after.known.push((early.attempt, outcome));
        let (sender_payload, receiver_payload) = (None, None);
        let kind = EventKind::LateOutcome { outcome, occurred_at: happened_at, sender_payload, receiver_payload };
        change.log_attempt(received.now, early.attempt, Actor::Pipeline, kind);
        return change;
    }
    let mut change = record(blank, attempt, failure, told.event_at, received.now);
    change.after.arrives(early.attempt, outcome);
    let kind = if outcome == Known::InNetwork {
        change.after.status = Status::InNetwork;
        change.after.due = received.flow.confirmation.in_network_deadline(happened_at, received.now);
        EventKind::InNetwork { occurred_at: happened_at }
    } else {
        change.after.completes(Completion::Reported(happened_at));
        EventKind::Completed { occurred_at: happened_at }
    };
    change.log(received.now, Actor::Pipeline, kind);
    change
}
