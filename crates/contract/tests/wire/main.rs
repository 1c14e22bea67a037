//! The wire shapes against DESIGN: what is read, what is refused and how, what is written.

#![cfg(test)]

mod attributes;
mod dead_letters;
mod events;
mod filters;
mod flows;
mod forecasts;
mod interchanges;
mod lambda_records;
mod policies;
mod report_payloads;
mod reports;
mod requests;
mod stored_flows;

use contract::MessageAttribute;
use contract::intake::{Body, Intake, QueueRecord, read};
use domain::{FailureReport, PayloadMeta, ReportKind, Timestamp};

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

fn record(body: &str) -> QueueRecord<'_> {
    QueueRecord {
        sender: None,
        body,
        message_id: "0b1f7a7e-0000-4000-8000-000000000001",
        queued_at: at("2026-11-20T14:00:05Z"),
        dead_letter_source: None,
        attributes: &[],
    }
}

fn read_body(body: &str) -> Intake {
    read(&record(body))
}

fn failure(intake: &Intake) -> &FailureReport {
    match &intake.incoming.report.kind {
        ReportKind::Failed(failure) => failure,
        other => panic!("not a failure: {other:?}"),
    }
}

/// The kept bytes that `meta` speaks of.
fn bytes<'a>(intake: &'a Intake, meta: &Option<PayloadMeta>) -> &'a [u8] {
    let meta = meta.as_ref().expect("a payload is told");
    let body = intake.incoming.bodies.iter().find(|body: &&Body| body.meta.digest == meta.digest);
    &body.expect("its bytes are kept").bytes
}

fn text_attribute(name: &str, text: &str) -> MessageAttribute {
    MessageAttribute {
        name: name.to_owned(),
        data_type: "String".to_owned(),
        value: contract::AttributeValue::Text(text.to_owned()),
    }
}
