//! Reports: the whole of one, what may be left out, and how each field is refused.

use domain::{Category, Extent, FlowName, PartStatus, Phase, ReportKind};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{at, bytes, failure, read_body};

fn full() -> Value {
    json!({
        "type": "interchange.failed", "interchangeId": "4711", "flow": "orders-inbound",
        "attempt": 1, "occurredAt": "2026-11-20T14:00:00Z", "status": "failed",
        "phase": "delivery", "origin": "Step 3 - receiver communication",
        "sender": "ACME", "receiver": "GLOBEX", "partner": "GLOBEX", "sourceId": "PO-1001",
        "correlationId": "c-1", "traceparent": "00-ab-cd-01", "orderKey": "PO-1001",
        "error": { "category": "system", "code": "ETIMEDOUT", "message": "connect timeout to erp.globex.example:443" },
        "retryAfter": "30s",
        "parts": [{ "id": "line-3", "status": "failed", "message": "no such article" }],
        "payloads": {
            "sender": { "body": "UNB+UNOC:3+…", "contentType": "application/edifact" },
            "receiver": { "body": "PD94bWwg", "encoding": "base64", "contentType": "application/xml" } }
    })
}

pub(crate) fn minimal() -> Value {
    json!({ "type": "interchange.failed", "interchangeId": "4711", "flow": "orders" })
}

pub(crate) fn with(mut report: Value, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    report.pointer_mut(parent).unwrap()[name] = value;
    report
}

/// The error message under which a broken report is kept.
pub(crate) fn complaint(body: &str) -> String {
    let intake = read_body(body);
    let report = &intake.incoming.report;
    let failed = failure(&intake);
    assert_eq!(report.flow, FlowName::unassigned(), "{body}");
    assert_eq!(report.id.as_str(), "dlq-0b1f7a7e-0000-4000-8000-000000000001");
    assert_eq!((report.attempt, &intake.source), (Some(1), &None));
    assert_eq!(bytes(&intake, &failed.sender_payload), body.as_bytes());
    assert_eq!((failed.error.category, failed.error.code.as_deref()), (Category::Unknown, Some("broken-report")));
    failed.error.message.clone().unwrap()
}

#[test]
fn a_whole_report_is_read_to_the_last_field() {
    let intake = read_body(&full().to_string());
    let report = &intake.incoming.report;
    assert_eq!((report.id.as_str(), report.flow.as_str(), report.attempt), ("4711", "orders-inbound", Some(1)));
    assert_eq!(report.occurred_at, Some(at("2026-11-20T14:00:00Z")));
    assert_eq!((intake.queued_at, &intake.source), (at("2026-11-20T14:00:05Z"), &None));
    let failed = failure(&intake);
    assert_eq!((failed.extent, failed.phase), (Extent::Whole, Some(Phase::Delivery)));
    let told = [&failed.origin, &failed.sender, &failed.receiver, &failed.partner, &failed.source_id];
    let texts = told.map(|text| text.as_deref().unwrap());
    assert_eq!(texts, ["Step 3 - receiver communication", "ACME", "GLOBEX", "GLOBEX", "PO-1001"]);
    let told = [&failed.correlation_id, &failed.traceparent, &failed.order_key, &failed.error.code];
    assert_eq!(told.map(|text| text.as_deref().unwrap()), ["c-1", "00-ab-cd-01", "PO-1001", "ETIMEDOUT"]);
    assert_eq!(failed.error.category, Category::System);
    assert_eq!(failed.retry_after, Some(SignedDuration::from_secs(30)));
    assert_eq!((failed.parts[0].id.as_str(), failed.parts[0].status), ("line-3", PartStatus::Failed));
    assert_eq!(bytes(&intake, &failed.sender_payload), "UNB+UNOC:3+…".as_bytes());
    assert_eq!(bytes(&intake, &failed.receiver_payload), b"<?xml ");
    assert_eq!(failed.receiver_payload.as_ref().unwrap().content_type.as_deref(), Some("application/xml"));
    assert_eq!((intake.incoming.bodies.len(), &failed.attributes), (2, &None));
}

#[test]
fn only_type_id_and_flow_are_required() {
    let intake = read_body(&minimal().to_string());
    let failed = failure(&intake);
    assert_eq!((intake.incoming.report.attempt, intake.incoming.report.occurred_at), (None, None));
    assert_eq!((failed.extent, failed.phase), (Extent::Whole, None));
    assert_eq!((failed.error.category, &failed.error.message), (Category::Unknown, &None));
    for name in ["type", "interchangeId", "flow"] {
        let mut report = minimal();
        report.as_object_mut().unwrap().remove(name);
        if name == "type" {
            assert_eq!(failure(&read_body(&report.to_string())).error.code.as_deref(), Some("dead-letter"));
        } else {
            assert!(complaint(&report.to_string()).starts_with(&format!("`{name}` is missing: must be")));
        }
    }
}

#[test]
fn a_phase_is_told_or_left_to_the_rules() {
    let receiver = json!({ "receiver": { "body": "" } });
    let report = with(minimal(), "/payloads", receiver);
    assert_eq!(failure(&read_body(&report.to_string())).phase, None);
    let told = with(report, "/phase", json!("processing"));
    assert_eq!(failure(&read_body(&told.to_string())).phase, Some(Phase::Processing));
}

#[test]
fn completed_and_in_network_reports_are_read() {
    for (word, kind) in [("completed", ReportKind::Completed), ("in_network", ReportKind::InNetwork)] {
        let body = with(minimal(), "/type", json!(format!("interchange.{word}"))).to_string();
        let incoming = read_body(&body).incoming;
        assert_eq!(incoming.report.kind, kind);
        assert!(incoming.bodies.is_empty());
    }
}

#[test]
fn nulls_empty_texts_unknown_fields_and_a_byte_order_mark_do_no_harm() {
    let mut report = minimal();
    for name in ["attempt", "occurredAt", "status", "phase", "origin", "error", "parts", "payloads", "retryAfter"] {
        report[name] = Value::Null;
    }
    for name in ["sender", "partner", "orderKey", "traceparent"] {
        report[name] = json!("");
    }
    report["pipelineVersion"] = json!({ "any": ["thing"] });
    let intake = read_body(&format!("\u{feff} {report}"));
    assert_eq!(intake.incoming.report.id.as_str(), "4711");
    assert_eq!((&failure(&intake).partner, &failure(&intake).order_key), (&None, &None));
}

#[test]
fn a_partial_failure_needs_parts_and_parts_alone_make_none() {
    let parts = json!([{ "id": "a", "status": "completed" }, { "id": "b", "status": "failed" }]);
    let whole = with(minimal(), "/parts", parts);
    assert_eq!(failure(&read_body(&whole.to_string())).extent, Extent::Whole);
    assert_eq!(failure(&read_body(&whole.to_string())).parts.len(), 2);
    let partial = with(whole, "/status", json!("partially_failed"));
    assert_eq!(failure(&read_body(&partial.to_string())).extent, Extent::Partial);
    for none in [Value::Null, json!([])] {
        let complaint = complaint(&with(partial.clone(), "/parts", none).to_string());
        assert_eq!(complaint, "`parts` is missing or empty: partially_failed needs the parts");
    }
}

#[test]
fn each_wrong_or_oversized_field_makes_a_broken_report_that_names_it() {
    let long = |n: usize| json!("é".repeat(n));
    let table = [
        ("/type", json!("interchange.exploded"), "type"),
        ("/interchangeId", json!(4711), "interchangeId"),
        ("/interchangeId", json!("a/b"), "interchangeId"),
        ("/interchangeId", json!("x".repeat(129)), "interchangeId"),
        ("/flow", json!("a flow"), "flow"),
        ("/attempt", json!(0), "attempt"),
        ("/attempt", json!("1"), "attempt"),
        ("/attempt", json!(1.5), "attempt"),
        ("/occurredAt", json!("yesterday"), "occurredAt"),
        ("/occurredAt", json!("2026-11-20"), "occurredAt"),
        ("/status", json!("broken"), "status"),
        ("/phase", json!("mapping"), "phase"),
        ("/origin", long(257), "origin"),
        ("/sender", long(257), "sender"),
        ("/receiver", long(257), "receiver"),
        ("/partner", long(257), "partner"),
        ("/sourceId", json!(1001), "sourceId"),
        ("/correlationId", long(257), "correlationId"),
        ("/traceparent", json!("ä"), "traceparent"),
        ("/traceparent", json!("x".repeat(129)), "traceparent"),
        ("/orderKey", json!("two words"), "orderKey"),
        ("/orderKey", json!("x".repeat(129)), "orderKey"),
        ("/error", json!("boom"), "error"),
        ("/error/category", json!("weather"), "error.category"),
        ("/error/code", long(129), "error.code"),
        ("/error/message", long(10_001), "error.message"),
        ("/retryAfter", json!("0s"), "retryAfter"),
        ("/retryAfter", json!("366d"), "retryAfter"),
        ("/retryAfter", json!(30), "retryAfter"),
        ("/parts", json!({}), "parts"),
        ("/parts", json!(vec![json!({ "id": "a", "status": "failed" }); 101]), "parts"),
        ("/parts/0", json!("line-3"), "parts[0]"),
        ("/parts/0/id", json!(""), "parts[0].id"),
        ("/parts/0/id", long(129), "parts[0].id"),
        ("/parts/0/status", json!("lost"), "parts[0].status"),
        ("/parts/0/message", long(1_001), "parts[0].message"),
        ("/payloads", json!("UNB"), "payloads"),
        ("/payloads/sender", json!("UNB"), "payloads.sender"),
        ("/payloads/sender", json!({}), "payloads.sender.body"),
        ("/payloads/sender/body", json!(1), "payloads.sender.body"),
        ("/payloads/sender/encoding", json!("gzip"), "payloads.sender.encoding"),
        ("/payloads/receiver/body", json!("=?"), "payloads.receiver.body"),
        ("/payloads/sender/contentType", json!(""), "payloads.sender.contentType"),
        ("/payloads/sender/contentType", json!("text/ä"), "payloads.sender.contentType"),
        ("/payloads/sender/contentType", json!("x".repeat(257)), "payloads.sender.contentType"),
        ("/payloads/sender/ref", json!("s3://bucket/key"), "payloads.sender.ref"),
    ];
    for (pointer, value, field) in table {
        let report = match pointer.strip_prefix("/parts/0") {
            Some("") => with(full(), "/parts", json!([value])),
            _ => with(full(), pointer, value),
        };
        let complaint = complaint(&report.to_string());
        assert!(complaint.starts_with(&format!("`{field}` ")), "{pointer}: {complaint}");
    }
}

#[test]
fn what_is_as_long_as_allowed_is_taken() {
    let text = json!("é".repeat(256));
    let mut report = full();
    for name in ["origin", "sender", "receiver", "partner", "sourceId", "correlationId"] {
        report[name] = text.clone();
    }
    report["attempt"] = json!(1_000_000);
    report["error"]["message"] = json!("é".repeat(10_000));
    report["orderKey"] = json!("!~".repeat(64));
    report["parts"] = json!(vec![json!({ "id": "é".repeat(128), "status": "failed" }); 100]);
    report["payloads"]["sender"]["contentType"] = json!("multipart/mixed; boundary=\"x y\"");
    report["retryAfter"] = json!("365d");
    assert_eq!(read_body(&report.to_string()).incoming.report.id.as_str(), "4711");
}

#[test]
fn a_refusal_says_the_value_and_what_is_allowed() {
    let complaint = |pointer, value| complaint(&with(full(), pointer, value).to_string());
    assert_eq!(
        complaint("/error/category", json!("weather")),
        "`error.category` is `\"weather\"`: must be system, business, mapping, validation, no_outcome or unknown"
    );
    assert_eq!(complaint("/attempt", json!(0)), "`attempt` is `0`: must be a whole number from 1 to 1000000");
    assert_eq!(complaint("/origin", json!("é".repeat(300))), "`origin` has 300 characters: at most 256 are allowed");
}

#[test]
fn text_that_is_meant_as_a_report_and_is_no_json_is_a_broken_report() {
    for body in [
        r#"{"type":"interchange.failed","interchangeId":"1""#,
        "{ \"flow\": \"a\", \"type\" :\n \"interchange.completed\", oops }",
        r#"{"type":"interchange.failed","flow":"a","interchangeId":"\ud800"}"#,
    ] {
        assert!(complaint(body).starts_with("`body` is not JSON: "));
    }
}

#[test]
fn text_that_only_speaks_of_reports_is_a_plain_dead_letter() {
    for body in [
        "",
        "{",
        "interchange.failed",
        r#"{"kind":"interchange.failed" oops"#,
        r#"[{"type":"interchange.failed"}]"#,
        r#"{"type":"order"}"#,
        r#"{"type":7}"#,
        r#""interchange.failed""#,
    ] {
        let intake = read_body(body);
        let failed = failure(&intake);
        assert_eq!(failed.error.code.as_deref(), Some("dead-letter"), "{body}");
        assert_eq!(bytes(&intake, &failed.sender_payload), body.as_bytes());
    }
}

#[test]
fn what_parts_say_is_shortened_only_where_all_of_it_is_too_much_for_the_table() {
    let parts = |count: usize, message: &str| {
        let part = |n| json!({ "id": format!("{n}"), "status": "failed", "message": message });
        let report = with(minimal(), "/parts", (0..count).map(part).collect());
        failure(&read_body(&report.to_string())).parts.iter().map(|p| p.message.clone().unwrap()).collect::<Vec<_>>()
    };
    for (count, message) in [(100, "é".repeat(1_000)), (40, "𝄞".repeat(1_000)), (33, "\u{1}".repeat(1_000))] {
        assert!(parts(count, &message).iter().all(|kept| *kept == message));
    }
    for character in ["𝄞", "\u{1}", "世"] {
        let messages = parts(100, &character.repeat(1_000));
        let says = "… (shortened: it had 1000 characters)";
        assert!(messages.iter().all(|kept| kept.starts_with(character) && kept.ends_with(says)));
        let stored = json!(messages).to_string().len();
        assert!((180_000..201_000).contains(&stored), "{stored}");
    }
}

#[test]
fn text_that_is_json_and_too_deep_is_a_report_only_where_its_own_type_says_so() {
    let deep = format!("{}{{\"type\":\"interchange.failed\"}}{}", "[".repeat(200), "]".repeat(200));
    assert_eq!(failure(&read_body(&format!(r#"{{"a":{deep}}}"#))).error.code.as_deref(), Some("dead-letter"));
    assert!(
        complaint(&format!(r#"{{"a":{deep},"type":"interchange.failed"}}"#))
            .starts_with("`body` is not JSON: recursion")
    );
}

#[test]
fn an_attempt_beyond_all_limits_and_an_epoch_that_is_none_are_left_out_with_a_warning() {
    for attempt in [json!(1_000_001), json!(4_294_967_296_u64), json!(u64::MAX)] {
        let report = read_body(&with(full(), "/attempt", attempt).to_string()).incoming.report;
        let fields: Vec<&str> = report.warnings.iter().map(|warning| warning.field.as_str()).collect();
        assert_eq!((report.attempt, fields), (None, vec!["attempt"]));
    }
    for (epoch, read) in [(json!(1_795_183_200), Some(1_795_183_200)), (json!("first"), None), (json!(0), None)] {
        let mut report = full();
        report["epoch"] = epoch;
        let report = read_body(&report.to_string()).incoming.report;
        assert_eq!(report.epoch.map(|epoch| epoch.0), read);
        assert_eq!(report.warnings.iter().any(|warning| warning.field == "epoch"), read.is_none());
    }
}

#[test]
fn a_report_has_a_digest_where_its_attempt_does_not_tell_it_from_its_repeat() {
    let named = full();
    assert_eq!(read_body(&named.to_string()).incoming.report.digest, None);
    let mut unnamed = full();
    unnamed.as_object_mut().unwrap().remove("attempt");
    let text = unnamed.to_string();
    assert_eq!(read_body(&text).incoming.report.digest, Some(domain::ReportDigest::of(text.as_bytes())));
}
