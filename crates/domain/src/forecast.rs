//! What a policy will do: the automatic retries still to come of a failure that happens now. An imagined interchange goes
//! through the very rules that real ones go through, so that a forecast cannot say anything else than what comes.

use jiff::Timestamp;

use crate::event::Actor;
use crate::schedule::Spread;
use crate::{
    Category, Cause, Claim, Digest, Epoch, ErrorInfo, Extent, FailureReport, Flow, Interchange, InterchangeId, Minute,
    NoRetry, PayloadMeta, Phase, Received, Reentry, Refusal, Report, ReportKind, Trigger, Verdict, receive,
};

/// The failure that a forecast is made for; it has both payloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HypotheticalFailure<'a> {
    /// Whose policy counts.
    pub partner: Option<&'a str>,
    /// What kind of error.
    pub category: Category,
    /// Where it failed.
    pub phase: Phase,
}

/// The automatic retries to come, each failing again as soon as it was due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forecast {
    /// What the first of them does; `None` when there is none.
    pub action: Option<Reentry>,
    /// As early as each can be: without jitter.
    pub earliest: Vec<Minute>,
    /// As late as each can be: every one before it with all its jitter, too. The same as `earliest` where there is none.
    pub latest: Vec<Minute>,
    /// Why there is none after them; `None` when there are more.
    pub end: Option<ForecastEnd>,
}

/// Why no automatic retry follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ForecastEnd {
    /// The policy has none.
    NoRetry(NoRetry),
    /// The last one shown will fall due and cannot be done.
    Refused(Refusal),
}

impl Flow {
    /// The automatic retries of a failure at `now`, at most `most`. The flow is taken as active: while it is not, retries
    /// are held. Room in the runs of a batched window is taken as given.
    #[must_use]
    pub fn forecast(&self, failure: HypotheticalFailure<'_>, most: usize, now: Timestamp) -> Forecast {
        if !self.active {
            return Self { active: true, ..self.clone() }.forecast(failure, most, now);
        }
        let (action, earliest, end) = self.follow(failure, most, now, Spread::Least);
        let (_, latest, _) = self.follow(failure, most, now, Spread::Most);
        Forecast { action, earliest, latest, end }
    }

    /// The action of the first retry, the times of all, and why there is none after them.
    fn follow(
        &self,
        failure: HypotheticalFailure<'_>,
        most: usize,
        now: Timestamp,
        share: Spread,
    ) -> (Option<Reentry>, Vec<Minute>, Option<ForecastEnd>) {
        let mut first = None;
        let mut times = Vec::new();
        let mut failed_at = now;
        let mut next = self.fails(None, failure, now);
        while let Some(failed) = next {
            match self.next_retry_spread(&failed, None, failed_at, share) {
                Err(none) => return (first, times, Some(ForecastEnd::NoRetry(none))),
                Ok(_) if times.len() >= most => return (first, times, None),
                Ok(retry) => {
                    times.push(retry.at);
                    failed_at = retry.at.timestamp();
                }
            }
            let action = failed.automatic_action(self);
            first = first.or(Some(action));
            match failed.reenter(action, &by_schedule(), self, failed_at) {
                Err(refusal) => return (first, times, Some(ForecastEnd::Refused(refusal))),
                Ok(change) => next = self.fails(Some(change.after), failure, failed_at),
            }
        }
        (first, times, None)
    }

    /// The interchange when its newest attempt has failed.
    fn fails(
        &self,
        known: Option<Interchange>,
        failure: HypotheticalFailure<'_>,
        now: Timestamp,
    ) -> Option<Interchange> {
        let report = Report {
            id: InterchangeId::closest_to("forecast"),
            flow: self.name.clone(),
            attempt: Some(known.as_ref().map_or(1, |known| known.attempt)),
            occurred_at: Some(now),
            kind: ReportKind::Failed(Box::new(failure.report())),
            epoch: None,
            digest: None,
            warnings: Vec::new(),
        };
        match receive(known, &report, Received { queued_at: now, now, flow: self, epoch: Epoch::FIRST }) {
            Verdict::Change(change) => Some(change.after),
            Verdict::Repeat | Verdict::NeverFailed => None,
        }
    }
}

impl HypotheticalFailure<'_> {
    fn report(self) -> FailureReport {
        let payload = PayloadMeta { digest: Digest::of(b""), bytes: 0, content_type: None };
        FailureReport {
            extent: Extent::Whole,
            phase: Some(self.phase),
            origin: None,
            sender: None,
            receiver: None,
            partner: self.partner.map(str::to_owned),
            source_id: None,
            correlation_id: None,
            traceparent: None,
            order_key: None,
            error: ErrorInfo { category: self.category, code: None, message: None },
            retry_after: None,
            parts: Vec::new(),
            sender_payload: Some(payload.clone()),
            receiver_payload: Some(payload),
            attributes: None,
        }
    }
}

fn by_schedule() -> Cause {
    Cause {
        claim: Claim::Request("forecast".to_owned()),
        actor: Actor::Scheduler,
        trigger: Trigger::Scheduled,
        reason: None,
        job: None,
        canary: false,
    }
}
