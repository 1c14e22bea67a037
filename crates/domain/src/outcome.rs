//! Judging reports: by attempt number and event time, never by the order of arrival.

use jiff::{SignedDuration, Timestamp};

use crate::apply_report::{Age, blank};
use crate::early::{meet, remember};
use crate::event::{Actor, EventKind};
use crate::plausible::Plausible;
use crate::{
    Category, Change, Completion, Epoch, Extent, Failure, FailureReport, Flow, Interchange, Known, Report, ReportKind,
    Status,
};

/// The number of newest attempts whose reported outcomes are remembered. The log keeps all of them.
pub const MAX_KNOWN_ATTEMPTS: u32 = 50;

/// The number of newest report digests that are remembered.
pub const MAX_SEEN: usize = 16;

/// The circumstances in which a report arrived.
#[derive(Debug, Clone, Copy)]
pub struct Received<'a> {
    /// When it was put on the queue (SQS `SentTimestamp`).
    pub queued_at: Timestamp,
    /// Reprise's clock.
    pub now: Timestamp,
    /// The flow's configuration.
    pub flow: &'a Flow,
    /// The table's epoch.
    pub epoch: Epoch,
}

/// What a report comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is news.
    Change(Box<Change>),
    /// It was known; nothing changes.
    Repeat,
    /// It is about an interchange that never failed: acknowledged and counted, not stored. Only if the flow remembers no
    /// early outcomes.
    NeverFailed,
}

/// Judges `report` on the interchange as it stands, `None` when nothing is known of it. An outcome of what is not known
/// is a change to an interchange that [is early](Interchange::is_early), without an event.
#[must_use]
pub fn receive(current: Option<Interchange>, report: &Report, received: Received<'_>) -> Verdict {
    let known = current.as_ref().filter(|known| !known.is_early());
    let told = Plausible::of(report, known, received.queued_at, received.epoch);
    let verdict = match (current, &report.kind) {
        (Some(known), _) if !known.is_early() => judge(known, &told, received),
        (Some(early), ReportKind::Failed(failure)) => Verdict::Change(Box::new(meet(&early, failure, &told, received))),
        (None, ReportKind::Failed(failure)) => {
            let blank = blank(report, told.event_at, received.now);
            Verdict::Change(Box::new(failed(blank, told.attempt.unwrap_or(1), failure, told.event_at, received)))
        }
        (early, _) => remember(early, &told, received),
    };
    match verdict {
        Verdict::Change(mut change) => {
            change.after.remember_seen(&told);
            if let Some(event) = change.events.first_mut() {
                event.warnings = told.warnings;
            }
            Verdict::Change(change)
        }
        verdict => verdict,
    }
}

fn judge(known: Interchange, told: &Plausible<'_>, received: Received<'_>) -> Verdict {
    if told.was_seen(&known) {
        return Verdict::Repeat;
    }
    if told.foreign_epoch.is_some() {
        return of_another_epoch(known, told, received.now);
    }
    let Some(attempt) = attempt_meant(&known, told, received.queued_at) else {
        return repeat(known, told, received.now);
    };
    if attempt < known.attempt || (attempt == known.attempt && !is_news(&known, told)) {
        return late(known, attempt, told, received.now);
    }
    let event_at = told.event_at;
    let change = match &told.report.kind {
        ReportKind::Failed(failure) => failed(known, attempt, failure, event_at, received),
        ReportKind::Completed => completed(known, attempt, event_at, received.now),
        ReportKind::InNetwork => in_network(known, attempt, event_at, received),
    };
    Verdict::Change(Box::new(change))
}

/// The attempt a report speaks of; `None` when it can only be a repeat.
fn attempt_meant(known: &Interchange, told: &Plausible<'_>, queued_at: Timestamp) -> Option<u32> {
    if told.attempt.is_some() {
        return told.attempt;
    }
    if let Some(flight) = known.flight.as_ref().filter(|_| known.status.is_in_flight()) {
        // SQS gives milliseconds: a report queued in the same millisecond as the send may be its outcome.
        return (queued_at.as_millisecond() >= flight.sent_at.as_millisecond()).then_some(known.attempt);
    }
    told.occurred_at.is_some_and(|at| at > known.failure.at).then_some(known.attempt)
}

/// Whether an outcome of the newest attempt changes where the interchange stands.
fn is_news(known: &Interchange, told: &Plausible<'_>) -> bool {
    let event_at = told.event_at;
    match (known.status, told.report.known_as()) {
        (status, _) if status.is_waiting() => true,
        // Any reported outcome replaces a failure that was only assumed.
        (Status::Failed, _) if known.failure_is_assumed() => true,
        (Status::InNetwork, Known::InNetwork) => false,
        (Status::InNetwork, _) => true,
        // A report that names an attempt which is known to have failed is a repeat, whatever its time is.
        (Status::Failed | Status::PartiallyFailed, Known::Failed) => told.attempt.is_none(),
        (Status::Failed | Status::PartiallyFailed, _) => event_at > known.failure.at,
        (Status::Completed, Known::Failed) => match known.completion {
            Some(Completion::Reported(at)) => event_at > at,
            Some(Completion::Assumed) | None => true,
        },
        (Status::Completed, Known::Completed) => known.completion == Some(Completion::Assumed),
        (Status::Completed, Known::InNetwork) => false,
        (Status::Deleted | Status::Erased, _) => false,
        (Status::WaitingForRetry | Status::WaitingForRestart, _) => true,
    }
}

/// Logs a late outcome once, and again if it brings bytes that are not stored. For an attempt that is too old
/// to be remembered, every outcome counts as already logged.
fn late(known: Interchange, attempt: u32, told: &Plausible<'_>, now: Timestamp) -> Verdict {
    let outcome = told.report.known_as();
    let is_known = known.is_forgotten(attempt) || known.known.contains(&(attempt, outcome));
    if is_known && !known.lacks(told.report) {
        return Verdict::Repeat;
    }
    let mut change = log_late(known, attempt, told, now);
    if !is_known {
        change.after.known.push((attempt, outcome));
    }
    Verdict::Change(Box::new(change))
}

/// Logs an outcome of an attempt from another epoch of the table: it says nothing about the attempt that has the same
/// number now. What it brings is kept.
fn of_another_epoch(known: Interchange, told: &Plausible<'_>, now: Timestamp) -> Verdict {
    let attempt = told.attempt.unwrap_or(known.attempt);
    Verdict::Change(Box::new(log_late(known, attempt, told, now)))
}

fn log_late(known: Interchange, attempt: u32, told: &Plausible<'_>, now: Timestamp) -> Change {
    let (report, occurred_at) = (told.report, told.event_at);
    let mut change = Change::of(known);
    let after = &mut change.after;
    let is_older = told.foreign_epoch.is_some() || attempt < after.attempt || occurred_at < after.failure.at;
    let [sender_payload, receiver_payload] = after.keep(report, if is_older { Age::Older } else { Age::Newest });
    let kind = EventKind::LateOutcome { outcome: report.known_as(), occurred_at, sender_payload, receiver_payload };
    change.log_attempt(now, attempt, Actor::Pipeline, kind);
    change
}

/// A report that can only be a repeat changes nothing, unless it brings bytes that are not stored: it then counts for the newest attempt
/// that was known when it was sent.
fn repeat(known: Interchange, told: &Plausible<'_>, now: Timestamp) -> Verdict {
    if !known.lacks(told.report) {
        return Verdict::Repeat;
    }
    let attempt = if known.status.is_in_flight() { (known.attempt - 1).max(1) } else { known.attempt };
    late(known, attempt, told, now)
}

pub(crate) fn failed(
    known: Interchange,
    attempt: u32,
    failure: &FailureReport,
    event_at: Timestamp,
    received: Received<'_>,
) -> Change {
    let mut change = record(known, attempt, failure, event_at, received.now);
    change.plan(received.flow, failure.retry_after, received.now);
    change
}

/// Applies a failure and logs it, without planning the next retry.
pub(crate) fn record(
    known: Interchange,
    attempt: u32,
    failure: &FailureReport,
    event_at: Timestamp,
    now: Timestamp,
) -> Change {
    let mut change = Change::of(known);
    let next = &mut change.after;
    let job = next.flight.is_some().then(|| next.job.clone()).flatten();
    if next.status.is_resolved() {
        next.automatic = 0;
        next.exhausted = false;
    }
    if next.status.has_no_payloads() {
        next.forget_payloads();
    }
    next.take(failure, attempt);
    let status = match failure.extent {
        Extent::Whole => Status::Failed,
        Extent::Partial => Status::PartiallyFailed,
    };
    next.fails(status, event_at, now);
    let mut noted = next.failure_noted(event_at);
    noted.job = job;
    let kind = match status {
        Status::PartiallyFailed => EventKind::PartiallyFailed(noted),
        _ => EventKind::Failed(noted),
    };
    change.log(now, Actor::Pipeline, kind);
    change
}

fn completed(known: Interchange, attempt: u32, event_at: Timestamp, now: Timestamp) -> Change {
    let mut change = Change::of(known);
    change.after.arrives(attempt, Known::Completed);
    change.after.completes(Completion::Reported(event_at));
    change.log(now, Actor::Pipeline, EventKind::Completed { occurred_at: event_at });
    change
}

fn in_network(known: Interchange, attempt: u32, event_at: Timestamp, received: Received<'_>) -> Change {
    let mut change = Change::of(known);
    let next = &mut change.after;
    next.arrives(attempt, Known::InNetwork);
    let flight = next.flight.take();
    next.leave_schedule();
    next.flight = flight;
    next.completion = None;
    next.status = Status::InNetwork;
    next.due = received.flow.confirmation.in_network_deadline(event_at, received.now);
    change.log(received.now, Actor::Pipeline, EventKind::InNetwork { occurred_at: event_at });
    change
}

impl Interchange {
    /// Whether it counts as failed only because nothing was heard of its attempt.
    fn failure_is_assumed(&self) -> bool {
        self.error.category == Category::NoOutcome && !self.known.contains(&(self.attempt, Known::Failed))
    }

    /// Whether the attempt is so old that its outcomes are not remembered.
    fn is_forgotten(&self, attempt: u32) -> bool {
        attempt.saturating_add(MAX_KNOWN_ATTEMPTS) <= self.attempt
    }

    /// Remembers the digest of a report if only the digest can show that it is repeated.
    fn remember_seen(&mut self, told: &Plausible<'_>) {
        let Some(digest) = told.report.digest.filter(|_| told.is_known_by_digest()) else { return };
        self.seen.push(digest);
        let surplus = self.seen.len().saturating_sub(MAX_SEEN);
        self.seen.drain(..surplus);
    }

    pub(crate) fn arrives(&mut self, attempt: u32, outcome: Known) {
        if self.status.has_no_payloads() {
            // An outcome after a deletion or erasure does not belong to the job that deleted.
            self.job = None;
        }
        self.attempt = attempt;
        self.known.retain(|(known, _)| known.saturating_add(MAX_KNOWN_ATTEMPTS) > attempt);
        if !self.known.contains(&(attempt, outcome)) {
            self.known.push((attempt, outcome));
        }
    }
}

/// The instant from which a retry's delay counts: the failure, or its recording where the pipeline's clock is ahead.
pub(crate) fn delay_base(failure: Failure) -> Timestamp {
    failure.at.min(failure.recorded_at)
}

/// Adds a duration, staying within the calendar.
pub(crate) fn after(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}
