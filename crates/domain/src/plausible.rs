//! What is believed of a report: an attempt number or a time that cannot be right is replaced, and a warning says so.

use jiff::Timestamp;

use crate::{Epoch, Interchange, Report, Warning};

/// How far a report's attempt may be ahead of the newest attempt that is known.
pub const MAX_ATTEMPT_JUMP: u32 = 1_000;

/// A report with what is believed of it.
#[derive(Debug)]
pub(crate) struct Plausible<'a> {
    pub(crate) report: &'a Report,
    /// `None` where the report names none, or one that is too far ahead.
    pub(crate) attempt: Option<u32>,
    /// By the pipeline's clock, and never later than the report was queued.
    pub(crate) occurred_at: Option<Timestamp>,
    /// `occurred_at`; when it was queued where the report does not say.
    pub(crate) event_at: Timestamp,
    /// The epoch that the report names, where it is not the table's.
    pub(crate) foreign_epoch: Option<Epoch>,
    /// What was replaced, and what the reading of the report replaced before.
    pub(crate) warnings: Vec<Warning>,
}

impl<'a> Plausible<'a> {
    /// `known` is the interchange as it stands, `None` where nothing is known of it.
    pub(crate) fn of(report: &'a Report, known: Option<&Interchange>, queued_at: Timestamp, epoch: Epoch) -> Self {
        let mut warnings = report.warnings.clone();
        let foreign_epoch = report.epoch.filter(|named| *named != epoch);
        if let Some(named) = foreign_epoch {
            let problem = format!("is {}, and the table has epoch {}: attempts are not comparable", named.0, epoch.0);
            warnings.push(Warning::new("epoch", problem));
        }
        let newest = known.map_or(0, |known| known.attempt);
        let is_comparable = foreign_epoch.is_none() || known.is_none();
        let attempt = match report.attempt {
            // The numbers of another epoch are logged and say nothing about those that are known.
            Some(attempt) if is_comparable && attempt > newest.saturating_add(MAX_ATTEMPT_JUMP) => {
                let problem =
                    format!("is {attempt}, more than {MAX_ATTEMPT_JUMP} above {newest}, the newest known: left out");
                warnings.push(Warning::new("attempt", problem));
                None
            }
            attempt => attempt,
        };
        let occurred_at = report.occurred_at.map(|at| {
            // SQS tells milliseconds.
            if at.as_millisecond() <= queued_at.as_millisecond() {
                return at;
            }
            let problem = format!("is {at}, later than the report was sent: it counts as {queued_at}");
            warnings.push(Warning::new("occurredAt", problem));
            queued_at
        });
        let event_at = occurred_at.unwrap_or(queued_at);
        Self { report, attempt, occurred_at, event_at, foreign_epoch, warnings }
    }

    /// Whether the same words can only be a repeat: they name a time, or an attempt of another epoch. A report that names
    /// its attempt is judged by that, and one that names neither attempt nor time may say the same of two attempts.
    pub(crate) fn is_known_by_digest(&self) -> bool {
        self.foreign_epoch.is_some() || (self.attempt.is_none() && self.occurred_at.is_some())
    }

    /// Whether it came before.
    pub(crate) fn was_seen(&self, known: &Interchange) -> bool {
        self.is_known_by_digest() && self.report.digest.is_some_and(|digest| known.seen.contains(&digest))
    }
}
