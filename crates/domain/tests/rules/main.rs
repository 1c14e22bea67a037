//! The rules of DESIGN sections 2 and 5, without IO: tables and properties over reports, re-entries and schedules.

#![cfg(test)]

mod early;
mod epochs;
mod erasures;
mod fingerprints;
mod flows;
mod forecasts;
mod job_counts;
mod jobs;
mod late_payloads;
mod orders_of_arrival;
mod outcomes;
mod plausible;
mod postponed;
mod properties;
mod reentries;
mod repeats;
mod schedules;
mod selections;
mod windows;

use domain::{
    Actor, Category, Cause, Change, Claim, Digest, Epoch, ErrorInfo, EventKind, Extent, FailureReport, Flow, FlowName,
    Interchange, InterchangeId, JobId, Minute, PayloadMeta, Phase, Received, RecordedSend, Reentry, Report, ReportKind,
    Slot, Stages, Timestamp, Trigger, Verdict, receive,
};

/// A time of 20 November 2026: `14:00`, `14:00:30`.
fn at(time: &str) -> Timestamp {
    let seconds = if time.len() == 5 { ":00" } else { "" };
    format!("2026-11-20T{time}{seconds}Z").parse().unwrap()
}

/// A flow that was activated at 12:00.
fn flow() -> Flow {
    let url = |name: &str| Some(format!("https://sqs/1/{name}"));
    let stages = Stages { sender: url("sender"), receiver: url("receiver") };
    Flow::registered(FlowName::new("orders").unwrap(), &stages, at("12:00"))
}

fn meta(bytes: &[u8]) -> PayloadMeta {
    PayloadMeta { digest: Digest::of(bytes), bytes: bytes.len() as u64, content_type: None }
}

/// A failure in delivery with both payloads.
fn failure() -> FailureReport {
    FailureReport {
        extent: Extent::Whole,
        phase: Some(Phase::Delivery),
        origin: None,
        sender: None,
        receiver: None,
        partner: None,
        source_id: None,
        correlation_id: None,
        traceparent: None,
        order_key: None,
        error: ErrorInfo { category: Category::System, code: None, message: Some("connect timeout".to_owned()) },
        retry_after: None,
        parts: Vec::new(),
        sender_payload: Some(meta(b"UNB")),
        receiver_payload: Some(meta(b"<a/>")),
        attributes: None,
    }
}

fn failed() -> ReportKind {
    ReportKind::Failed(Box::new(failure()))
}

fn report(attempt: impl Into<Option<u32>>, occurred: impl Into<Option<&'static str>>, kind: ReportKind) -> Report {
    Report {
        id: InterchangeId::new("4711").unwrap(),
        flow: FlowName::new("orders").unwrap(),
        attempt: attempt.into(),
        occurred_at: occurred.into().map(at),
        kind,
        epoch: None,
        digest: None,
        warnings: Vec::new(),
    }
}

/// Judges a report that was put on the queue and arrived at `now`.
fn judge(known: Option<&Interchange>, report: &Report, now: &str) -> Verdict {
    judge_under(&flow(), known, report, now)
}

fn judge_under(flow: &Flow, known: Option<&Interchange>, report: &Report, now: &str) -> Verdict {
    receive(known.cloned(), report, Received { queued_at: at(now), now: at(now), flow, epoch: Epoch::FIRST })
}

fn change(verdict: Verdict) -> Change {
    match verdict {
        Verdict::Change(change) => *change,
        other => panic!("no change: {other:?}"),
    }
}

/// An interchange that failed in its main execution at 14:00.
fn failed_at_two() -> Interchange {
    change(judge(None, &report(1, "14:00", failed()), "14:00")).after
}

/// A send that was recorded long ago.
const RECORDED: RecordedSend = RecordedSend::At(Timestamp::UNIX_EPOCH);

fn chunk(number: u64) -> Claim {
    Claim::Chunk { job: JobId("j-1".to_owned()), number }
}

fn by_hand() -> Cause {
    Cause {
        claim: chunk(1),
        actor: Actor::Person("ann".to_owned()),
        trigger: Trigger::Manual,
        reason: Some("partner is back".to_owned()),
        job: None,
        canary: false,
    }
}

fn by_schedule() -> Cause {
    let slot = Slot { minute: Minute::at_or_after(at("14:05")), flow: flow().name };
    Cause {
        claim: Claim::Batch { slot, batch: "1".to_owned() },
        actor: Actor::Scheduler,
        trigger: Trigger::Scheduled,
        reason: None,
        job: None,
        canary: false,
    }
}

/// Failed at 14:00, retried by hand at 14:10: attempt 2 is on its way.
fn waiting() -> Interchange {
    failed_at_two().reenter(Reentry::Retry, &by_hand(), &flow(), at("14:10")).unwrap().after
}

fn kinds(change: &Change) -> Vec<&'static str> {
    change.events.iter().map(|event| name(&event.kind)).collect()
}

fn name(kind: &EventKind) -> &'static str {
    match kind {
        EventKind::Failed(_) => "failed",
        EventKind::PartiallyFailed(_) => "partially_failed",
        EventKind::RetryScheduled { .. } => "retry_scheduled",
        EventKind::RetryHeld => "retry_held",
        EventKind::RetrySkipped { .. } => "retry_skipped",
        EventKind::Requested(_) => "requested",
        EventKind::InNetwork { .. } => "in_network",
        EventKind::Completed { .. } => "completed",
        EventKind::AssumedCompleted => "assumed_completed",
        EventKind::OutcomeOverdue => "outcome_overdue",
        EventKind::SendFailed { .. } => "send_failed",
        EventKind::Exhausted { .. } => "exhausted",
        EventKind::LateOutcome { .. } => "late_outcome",
        EventKind::Deleted { .. } => "deleted",
        EventKind::Erased { .. } => "erased",
        EventKind::Other { .. } => "other",
    }
}
