//! Reads what lands on the failures queue. Nothing is refused here: what is no report is a dead letter.

mod dead_letter;
mod lambda;
mod members;
mod payload;
mod report;
mod shorten;

use domain::{Digest, ErrorInfo, Extent, FailureReport, FlowName, PayloadMeta, Phase, Report, ReportKind, Timestamp};

use crate::MessageAttribute;

/// One message of the failures queue.
#[derive(Debug, Clone, Copy)]
pub struct QueueRecord<'a> {
    pub body: &'a str,
    /// The id SQS gave it.
    pub message_id: &'a str,
    /// When it was put on the queue (`SentTimestamp`).
    pub queued_at: Timestamp,
    /// Who put it on a queue (`SenderId`): the unique id of an IAM user, or of a role with its session after a colon.
    pub sender: Option<&'a str>,
    /// `DeadLetterQueueSourceArn`, when it came through a dead-letter queue.
    pub dead_letter_source: Option<&'a str>,
    /// Its message attributes.
    pub attributes: &'a [MessageAttribute],
}

/// Bytes to keep under their digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// What they are.
    pub meta: PayloadMeta,
    /// The bytes, exactly as the pipeline had them.
    pub bytes: Vec<u8>,
}

/// A report and the bytes that its payload metas speak of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// What is reported.
    pub report: Report,
    /// Every payload and the encoded message attributes, found by digest.
    pub bodies: Vec<Body>,
}

/// What may be listed in a flow's configuration, and so decides whose failure it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Source {
    /// The ARN of the queue that the dead letter came from.
    Queue(String),
    /// The ARN of the function that failed, without version or alias.
    Function(String),
}

/// What a message of the failures queue comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intake {
    /// The report it is, or is taken as.
    pub incoming: Incoming,
    /// Where it came from, when a flow's configuration may claim it.
    pub source: Option<Source>,
    /// When it was put on the queue.
    pub queued_at: Timestamp,
}

/// Reads a message. Never fails: a broken report is kept as a dead letter of `unassigned`.
///
/// In this order it is: a report; the dead letter of a re-entry, told by its `reprise` attribute; a broken report, unless
/// a flow claims the queue it came from; a Lambda failure record; any other dead letter.
#[must_use]
pub fn read(record: &QueueRecord<'_>) -> Intake {
    let broken = match report::read(unmarked(record.body)) {
        Some(Ok(incoming)) => return Intake { incoming, source: None, queued_at: record.queued_at },
        Some(Err(error)) => Some(error),
        None => None,
    };
    match (dead_letter::reentry(record), broken) {
        (Some(Ok(reentry)), _) => dead_letter::of_reentry(record, reentry),
        (Some(Err(problem)), _) => dead_letter::plain(record, Some(&problem)),
        (None, Some(error)) => dead_letter::broken(record, &error.to_string()),
        (None, None) => lambda::read(record).unwrap_or_else(|| dead_letter::plain(record, None)),
    }
}

/// Keeps a message as a dead letter of `unassigned` with `why` as its error message: for a report that reads
/// well and still cannot be taken, as when its id belongs to another flow, or its flow does not list who sent it.
#[must_use]
pub fn refuse(record: &QueueRecord<'_>, why: &str) -> Intake {
    dead_letter::unassigned(record, "refused", why)
}

impl Intake {
    /// Puts it under the flow whose configuration lists its source. A `phase` that is configured replaces the
    /// default; with `Delivery` the body is kept as the receiver payload too, since that is what the stage was given.
    /// What looks like a broken report is a message of that stage like any other.
    ///
    /// Does nothing without a source: a report and a re-entry's dead letter name their flow themselves.
    pub fn assign(&mut self, flow: FlowName, phase: Option<Phase>) {
        if self.source.is_none() {
            return;
        }
        self.incoming.report.flow = flow;
        let ReportKind::Failed(failure) = &mut self.incoming.report.kind else { return };
        dead_letter::claim(failure);
        if let Some(phase) = phase {
            failure.phase = Some(phase);
            failure.receiver_payload = match phase {
                Phase::Delivery => failure.sender_payload.clone(),
                Phase::Processing => None,
            };
        }
    }
}

impl Body {
    fn new(bytes: Vec<u8>, content_type: Option<String>) -> Self {
        let meta = PayloadMeta { digest: Digest::of(&bytes), bytes: bytes.len() as u64, content_type };
        Self { meta, bytes }
    }
}

/// A body without the byte order mark that some pipelines write before their JSON.
fn unmarked(body: &str) -> &str {
    body.strip_prefix('\u{feff}').unwrap_or(body)
}

/// A failure of which only this much is told.
fn failure(phase: Phase, error: ErrorInfo) -> FailureReport {
    FailureReport {
        extent: Extent::Whole,
        phase: Some(phase),
        origin: None,
        sender: None,
        receiver: None,
        partner: None,
        source_id: None,
        correlation_id: None,
        traceparent: None,
        order_key: None,
        error,
        retry_after: None,
        parts: Vec::new(),
        sender_payload: None,
        receiver_payload: None,
        attributes: None,
    }
}
