//! What an interchange takes over from a failure report: all of it where the report is news, the bytes that were never
//! seen where it is not. Which of the two it is, `outcome.rs` judges.

use jiff::Timestamp;

use crate::{
    Category, ErrorInfo, Failure, FailureReport, Fingerprint, Flight, Interchange, Known, Parties, PayloadMeta,
    PayloadSide, Payloads, Phase, Reentry, Report, ReportKind, Revision, Status, StorageLayout, Unknown,
};

impl Interchange {
    /// Deleting purged the bytes: what the log still names can be neither read nor sent.
    pub(crate) fn forget_payloads(&mut self) {
        self.sender_payloads = Payloads::default();
        self.receiver_payloads = Payloads::default();
        self.attributes = Payloads::default();
        self.storage.chunked.clear();
    }

    /// Takes over what a failure report tells; what it leaves out stays as it was known.
    pub(crate) fn take(&mut self, report: &FailureReport, attempt: u32) {
        self.phase = self.phase_of(report, attempt);
        self.arrives(attempt, Known::Failed);
        self.origin.clone_from(&report.origin);
        self.error.clone_from(&report.error);
        self.parts.clone_from(&report.parts);
        let parties = &mut self.parties;
        for (field, told) in [
            (&mut parties.sender, &report.sender),
            (&mut parties.receiver, &report.receiver),
            (&mut parties.partner, &report.partner),
            (&mut parties.source_id, &report.source_id),
            (&mut parties.correlation_id, &report.correlation_id),
            (&mut parties.traceparent, &report.traceparent),
            (&mut parties.order_key, &report.order_key),
        ] {
            if told.is_some() {
                field.clone_from(told);
            }
        }
        let event = self.sequence + 1;
        for (kind, told) in brought(report) {
            if let Some(meta) = told {
                let event = self.brought_by(meta.digest).unwrap_or(event);
                self.kept_mut(kind).revise(meta, event);
            }
        }
        self.trim_payloads();
    }

    fn trim_payloads(&mut self) {
        let in_flight = |side: PayloadSide| {
            let flight = self.flight.as_ref().filter(|flight| flight.action.side() == side);
            flight.map(|flight| flight.payload.number)
        };
        let [sender, receiver] = [PayloadSide::Sender, PayloadSide::Receiver].map(in_flight);
        self.storage.older |= self.sender_payloads.trim(sender);
        self.storage.older |= self.receiver_payloads.trim(receiver);
        self.storage.older |= self.attributes.trim(None);
    }

    /// Whether a report brings bytes of which nothing is kept where they belong. What was deleted or erased stays without them.
    pub(crate) fn lacks(&self, report: &Report) -> bool {
        let ReportKind::Failed(failure) = &report.kind else { return false };
        let unseen = |(kind, told): (Bytes, &Option<PayloadMeta>)| told.as_ref().is_some_and(|t| !self.has(kind, t));
        !self.status.has_no_payloads() && brought(failure).into_iter().any(unseen)
    }

    /// Keeps the bytes a report brings which were never seen, and changes nothing else. Gives back the new revisions of
    /// the sender and the receiver payload.
    pub(crate) fn keep(&mut self, report: &Report, age: Age) -> [Option<Revision>; 2] {
        let mut kept = [None, None];
        let ReportKind::Failed(failure) = &report.kind else { return kept };
        if self.status.has_no_payloads() {
            return kept;
        }
        let event = self.sequence + 1;
        for (kind, told) in brought(failure) {
            let Some(meta) = told.as_ref().filter(|meta| !self.has(kind, meta)) else { continue };
            let event = self.brought_by(meta.digest).unwrap_or(event);
            let payloads = self.kept_mut(kind);
            match age {
                Age::Newest => payloads.revise(meta, event),
                Age::Older => payloads.revise_earlier(meta, event),
            }
            let revision = payloads.0.iter().find(|revision| revision.meta.digest == meta.digest).cloned();
            match kind {
                Bytes::Payload(PayloadSide::Sender) => kept[0] = revision,
                Bytes::Payload(PayloadSide::Receiver) => kept[1] = revision,
                Bytes::Attributes => {}
            }
        }
        self.trim_payloads();
        kept
    }

    fn has(&self, kind: Bytes, meta: &PayloadMeta) -> bool {
        let payloads = match kind {
            Bytes::Payload(side) => self.payloads(side),
            Bytes::Attributes => &self.attributes,
        };
        payloads.0.iter().any(|revision| revision.meta.digest == meta.digest)
    }

    fn kept_mut(&mut self, kind: Bytes) -> &mut Payloads {
        match kind {
            Bytes::Payload(PayloadSide::Sender) => &mut self.sender_payloads,
            Bytes::Payload(PayloadSide::Receiver) => &mut self.receiver_payloads,
            Bytes::Attributes => &mut self.attributes,
        }
    }

    /// Where an attempt failed, unless its report says: in delivery where a receiver payload came of it or a retry began
    /// it, in processing where mapping had to run. More news of an attempt that had ended leave it where it was.
    fn phase_of(&self, report: &FailureReport, attempt: u32) -> Phase {
        let entered = match &self.flight {
            _ if attempt != self.attempt => Phase::Processing,
            Some(Flight { action: Reentry::Retry, .. }) => Phase::Delivery,
            Some(Flight { action: Reentry::Restart, .. }) => Phase::Processing,
            None => self.phase,
        };
        report.phase.unwrap_or(if report.receiver_payload.is_some() { Phase::Delivery } else { entered })
    }
}

/// How what comes late stands to what is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Age {
    /// It speaks of the last failure or of what came after it.
    Newest,
    /// It speaks of something before the last failure.
    Older,
}

/// What a failure report may bring along.
#[derive(Debug, Clone, Copy)]
enum Bytes {
    Payload(PayloadSide),
    Attributes,
}

fn brought(report: &FailureReport) -> [(Bytes, &Option<PayloadMeta>); 3] {
    [
        (Bytes::Payload(PayloadSide::Sender), &report.sender_payload),
        (Bytes::Payload(PayloadSide::Receiver), &report.receiver_payload),
        (Bytes::Attributes, &report.attributes),
    ]
}

/// An interchange of which nothing is known yet but the report that is about to be taken.
pub(crate) fn blank(report: &Report, event_at: Timestamp, now: Timestamp) -> Interchange {
    Interchange {
        id: report.id.clone(),
        flow: report.flow.clone(),
        status: Status::Failed,
        attempt: 1,
        tries: 0,
        automatic: 0,
        phase: Phase::Processing,
        origin: None,
        parties: Parties::default(),
        error: ErrorInfo { category: Category::Unknown, code: None, message: None },
        group: Fingerprint::of(None, None),
        parts: Vec::new(),
        failure: Failure { at: event_at, recorded_at: now },
        flight: None,
        completion: None,
        due: None,
        next_retry_at: None,
        retry_note: None,
        exhausted: false,
        job: None,
        sent_by_job: false,
        sender_payloads: Payloads::default(),
        receiver_payloads: Payloads::default(),
        attributes: Payloads::default(),
        known: Vec::new(),
        seen: Vec::new(),
        sequence: 0,
        version: 0,
        storage: StorageLayout::default(),
        unknown: Unknown::default(),
    }
}
