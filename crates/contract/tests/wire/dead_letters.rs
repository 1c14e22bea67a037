//! Dead letters: plain ones, those of a re-entry, and how a flow takes them.

use contract::intake::{QueueRecord, Source, read, refuse};
use contract::{AttributeValue, MessageAttribute, decode_attributes};
use domain::{Category, FlowName, Phase};

use super::{bytes, failure, record, text_attribute};

const QUEUE: &str = "arn:aws:sqs:eu-west-1:000000000000:orders-dlq";

fn reprise(json: &str) -> MessageAttribute {
    text_attribute("reprise", json)
}

fn with<'a>(body: &'a str, attributes: &'a [MessageAttribute]) -> QueueRecord<'a> {
    QueueRecord { dead_letter_source: Some(QUEUE), attributes, ..record(body) }
}

#[test]
fn a_dead_letter_is_kept_byte_for_byte_with_its_attributes() {
    let binary = MessageAttribute {
        name: "blob".to_owned(),
        data_type: "Binary.zip".to_owned(),
        value: AttributeValue::Binary(vec![0, 255]),
    };
    let attributes = [text_attribute("tenant", "é\n"), binary.clone()];
    let body = "UNB+UNOC:3'\r\n\tü";
    let intake = read(&with(body, &attributes));
    let report = &intake.incoming.report;
    assert_eq!(report.id.as_str(), "dlq-0b1f7a7e-0000-4000-8000-000000000001");
    assert_eq!((&report.flow, report.attempt, report.occurred_at), (&FlowName::unassigned(), Some(1), None));
    let failed = failure(&intake);
    assert_eq!((failed.phase, &failed.receiver_payload), (Some(Phase::Processing), &None));
    assert_eq!(failed.origin.as_deref(), Some(QUEUE));
    assert_eq!(bytes(&intake, &failed.sender_payload), body.as_bytes());
    assert_eq!(failed.error.message.as_deref(), Some("arrived through a dead-letter queue"));
    assert_eq!(intake.source, Some(Source::Queue(QUEUE.to_owned())));
    let kept = decode_attributes(bytes(&intake, &failed.attributes)).unwrap();
    assert_eq!(kept, [binary, text_attribute("tenant", "é\n")]);
}

#[test]
fn a_flow_takes_its_dead_letters_and_its_phase_decides_what_they_can_do() {
    let mut intake = read(&with("<order/>", &[]));
    let flow = FlowName::new("orders").unwrap();
    intake.assign(flow.clone(), Some(Phase::Delivery));
    assert_eq!(intake.incoming.report.flow, flow);
    let failed = failure(&intake);
    assert_eq!(failed.phase, Some(Phase::Delivery));
    assert_eq!(bytes(&intake, &failed.receiver_payload), b"<order/>");
    assert_eq!(failed.receiver_payload, failed.sender_payload);
    assert_eq!(intake.incoming.bodies.len(), 1);
    intake.assign(flow, Some(Phase::Processing));
    assert_eq!((failure(&intake).phase, &failure(&intake).receiver_payload), (Some(Phase::Processing), &None));
}

#[test]
fn a_message_that_was_sent_straight_to_the_queue_belongs_to_no_flow() {
    let mut intake = read(&record("hello"));
    assert_eq!(intake.source, None);
    assert_eq!(failure(&intake).error.message.as_deref(), Some("arrived on the failures queue and is no report"));
    intake.assign(FlowName::new("orders").unwrap(), Some(Phase::Delivery));
    assert_eq!(intake.incoming.report.flow, FlowName::unassigned());
}

#[test]
fn the_dead_letter_of_a_retry_is_the_failure_of_that_attempt() {
    let json = r#"{"interchangeId":"4711","flow":"orders","attempt":3,"action":"retry","trigger":"scheduled",
        "encoding":"base64","contentType":"application/xml","correlationId":"c-1"}"#;
    let attributes = [reprise(json), text_attribute("tenant", "a")];
    let intake = read(&with("AAH/", &attributes));
    let report = &intake.incoming.report;
    assert_eq!((report.id.as_str(), report.flow.as_str(), report.attempt), ("4711", "orders", Some(3)));
    assert_eq!(intake.source, None);
    let failed = failure(&intake);
    assert_eq!((failed.phase, &failed.sender_payload), (Some(Phase::Delivery), &None));
    assert_eq!(bytes(&intake, &failed.receiver_payload), [0, 1, 255]);
    assert_eq!(failed.receiver_payload.as_ref().unwrap().content_type.as_deref(), Some("application/xml"));
    assert_eq!(failed.error.code.as_deref(), Some("dead-letter"));
    assert_eq!(failed.correlation_id.as_deref(), Some("c-1"));
    let kept = decode_attributes(bytes(&intake, &failed.attributes)).unwrap();
    assert_eq!(kept, [text_attribute("tenant", "a")]);
}

#[test]
fn the_dead_letter_of_a_restart_brings_the_sender_payload_back() {
    let json = r#"{"interchangeId":"4711","flow":"orders","attempt":2,"action":"restart"}"#;
    let intake = read(&with("UNB", &[reprise(json)]));
    let failed = failure(&intake);
    assert_eq!((failed.phase, &failed.receiver_payload, &failed.attributes), (Some(Phase::Processing), &None, &None));
    assert_eq!(bytes(&intake, &failed.sender_payload), b"UNB");
}

#[test]
fn an_empty_payload_comes_back_as_the_line_feed_it_had_to_be_sent_as() {
    let json = r#"{"interchangeId":"4711","flow":"orders","attempt":2,"action":"restart","encoding":"base64"}"#;
    let intake = read(&with("\n", &[reprise(json)]));
    assert_eq!(bytes(&intake, &failure(&intake).sender_payload), b"");
}

#[test]
fn a_broken_reprise_attribute_makes_a_plain_dead_letter_that_says_so() {
    let valid = r#"{"interchangeId":"4711","flow":"orders","attempt":3,"action":"retry","trigger":"manual""#;
    let table = [
        (reprise("{"), "`body` is not JSON"),
        (reprise("{}"), "`interchangeId` is missing"),
        (reprise(&format!("{valid},\"encoding\":\"gzip\"}}")), "`encoding` is"),
        (reprise(&format!("{valid},\"encoding\":\"base64\"}}")), "the body is not base64"),
        (MessageAttribute { value: AttributeValue::Binary(vec![1]), ..reprise("") }, "it is binary"),
    ];
    for (attribute, problem) in table {
        let attributes = [attribute, text_attribute("tenant", "a")];
        let intake = read(&with("no base64!", &attributes));
        let failed = failure(&intake);
        assert_eq!(intake.incoming.report.flow, FlowName::unassigned());
        assert_eq!(intake.source, Some(Source::Queue(QUEUE.to_owned())));
        assert!(failed.attributes.is_some());
        let message = failed.error.message.as_deref().unwrap();
        assert!(message.contains(&format!("its reprise attribute is broken: {problem}")), "{message}");
    }
}

#[test]
fn a_report_is_a_report_whatever_attributes_it_carries() {
    let body = r#"{"type":"interchange.completed","interchangeId":"1","flow":"a"}"#;
    let json = r#"{"interchangeId":"4711","flow":"orders","attempt":3,"action":"retry"}"#;
    assert_eq!(read(&with(body, &[reprise(json)])).incoming.report.id.as_str(), "1");
}

#[test]
fn a_refused_message_is_kept_for_unassigned_with_the_reason() {
    let body = r#"{"type":"interchange.failed","interchangeId":"1","flow":"a"}"#;
    let attributes = [text_attribute("tenant", "a")];
    let intake = refuse(&with(body, &attributes), "the id belongs to flow b");
    let failed = failure(&intake);
    assert_eq!((&intake.incoming.report.flow, &intake.source), (&FlowName::unassigned(), &None));
    assert_eq!((failed.error.category, failed.error.code.as_deref()), (Category::Unknown, Some("refused")));
    assert_eq!(failed.error.message.as_deref(), Some("the id belongs to flow b"));
    assert_eq!(bytes(&intake, &failed.sender_payload), body.as_bytes());
    assert!(failed.attributes.is_some());
}

/// What only looks like a report: the type is the stage's own.
const LOOKALIKE: &str = r#"{"type":"interchange.exploded","order":17}"#;

#[test]
fn what_looks_like_a_report_and_carries_reprise_is_the_dead_letter_of_that_re_entry() {
    let json = r#"{"interchangeId":"4711","flow":"orders","attempt":3,"action":"retry"}"#;
    for body in [LOOKALIKE, r#"{"type":"interchange.failed" oops"#, r#"{"type":"interchange.failed","order":17}"#] {
        let intake = read(&with(body, &[reprise(json)]));
        let report = &intake.incoming.report;
        assert_eq!((report.id.as_str(), report.flow.as_str(), report.attempt), ("4711", "orders", Some(3)));
        assert_eq!(bytes(&intake, &failure(&intake).receiver_payload), body.as_bytes());
    }
}

#[test]
fn what_looks_like_a_report_is_a_dead_letter_of_the_flow_that_lists_its_queue() {
    let mut intake = read(&with(LOOKALIKE, &[]));
    let failed = failure(&intake);
    assert_eq!(
        (&intake.incoming.report.flow, failed.error.code.as_deref()),
        (&FlowName::unassigned(), Some("broken-report"))
    );
    assert!(failed.error.message.as_deref().unwrap().starts_with("`type` is"));
    intake.assign(FlowName::new("orders").unwrap(), Some(Phase::Delivery));
    let failed = failure(&intake);
    assert_eq!((intake.incoming.report.flow.as_str(), failed.phase), ("orders", Some(Phase::Delivery)));
    assert_eq!(failed.error.code.as_deref(), Some("dead-letter"));
    assert_eq!(failed.error.message.as_deref(), Some("arrived through a dead-letter queue"));
    assert_eq!(bytes(&intake, &failed.receiver_payload), LOOKALIKE.as_bytes());
}

#[test]
fn a_dead_letter_says_which_of_ten_attributes_cannot_go_along() {
    let names = ["j", "a", "b", "c", "d", "e", "f", "g", "h", "i"].map(|name| text_attribute(name, "x"));
    let intake = read(&with("hello", &names));
    let failed = failure(&intake);
    let says = "arrived through a dead-letter queue; \
        its message attribute `j` is kept and not sent along: SQS takes ten, and `reprise` is one";
    assert_eq!(failed.error.message.as_deref(), Some(says));
    assert_eq!(decode_attributes(bytes(&intake, &failed.attributes)).unwrap().len(), 10);
    let nine = read(&with("hello", &names[1..]));
    assert_eq!(failure(&nine).error.message.as_deref(), Some("arrived through a dead-letter queue"));
}
