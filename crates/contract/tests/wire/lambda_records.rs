//! Lambda failure records, as an on-failure destination sends them.

use contract::intake::{Source, read};
use domain::{Category, FlowName, Phase};
use serde_json::json;

use super::{at, bytes, failure, read_body, record, text_attribute};

const ARN: &str = "arn:aws:lambda:eu-west-1:000000000000:function:orders_import";

/// The record with `payload` as its request payload, exactly as written.
fn thrown(payload: &str) -> String {
    format!(
        r#"{{"version":"1.0","timestamp":"2026-11-20T13:59:00.123Z","requestContext":{{"requestId":"e4b46cbf-b738-xmpl-8880-a18cdf61200e",
        "functionArn":"{ARN}:$LATEST","condition":"RetriesExhausted","approximateInvokeCount":3}},
        "requestPayload":{payload},"responseContext":{{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"}},
        "responsePayload":{{"errorMessage":"order 17 has no lines","errorType":"ValueError"}}}}"#
    )
}

#[test]
fn a_failure_record_is_the_failure_of_the_flow_named_after_the_function() {
    let intake = read_body(&thrown(r#"{"order":17}"#));
    let report = &intake.incoming.report;
    assert_eq!(report.id.as_str(), "lambda-e4b46cbf-b738-xmpl-8880-a18cdf61200e");
    assert_eq!((report.flow.as_str(), report.attempt), ("orders_import", Some(1)));
    assert_eq!(report.occurred_at, Some(at("2026-11-20T13:59:00.123Z")));
    assert_eq!(intake.source, Some(Source::Function(ARN.to_owned())));
    let failed = failure(&intake);
    assert_eq!((failed.phase, failed.origin.as_deref()), (Some(Phase::Processing), Some("orders_import")));
    assert_eq!((failed.error.category, failed.error.code.as_deref()), (Category::Unknown, Some("ValueError")));
    assert_eq!(failed.error.message.as_deref(), Some("order 17 has no lines"));
}

#[test]
fn the_request_payload_is_kept_to_the_last_blank() {
    for raw in ["{ \"b\": 1.50,\n \"a\": 1e2, \"a\": 2 }", "[1,  2]", "12345678901234567890123", "false"] {
        let intake = read_body(&thrown(raw));
        let sender = &failure(&intake).sender_payload;
        assert_eq!(bytes(&intake, sender), raw.as_bytes());
        assert_eq!(sender.as_ref().unwrap().content_type.as_deref(), Some("application/json"));
    }
    let intake = read_body(&thrown(r#""UNB+UNOC:3\u0027\r\n""#));
    let sender = &failure(&intake).sender_payload;
    assert_eq!(bytes(&intake, sender), b"UNB+UNOC:3'\r\n");
    assert_eq!(sender.as_ref().unwrap().content_type, None);
}

#[test]
fn without_a_request_payload_the_record_itself_is_kept() {
    let stream = r#"{"requestContext":{"condition":"RetryAttemptsExhausted"},"KinesisBatchInfo":{"shardId":"0"}}"#;
    for body in [thrown("null"), stream.to_owned()] {
        let intake = read_body(&body);
        assert_eq!(bytes(&intake, &failure(&intake).sender_payload), body.as_bytes());
    }
    let intake = read_body(stream);
    assert_eq!((&intake.incoming.report.flow, &intake.source), (&FlowName::unassigned(), &None));
    assert_eq!(intake.incoming.report.id.as_str(), "lambda-0b1f7a7e-0000-4000-8000-000000000001");
}

#[test]
fn a_flow_that_lists_the_function_takes_its_failures() {
    let mut intake = read_body(&thrown("1"));
    intake.assign(FlowName::new("orders").unwrap(), None);
    assert_eq!(intake.incoming.report.flow.as_str(), "orders");
    assert_eq!((failure(&intake).phase, &failure(&intake).receiver_payload), (Some(Phase::Processing), &None));
}

#[test]
fn an_alias_is_no_part_of_the_function() {
    for qualifier in ["", ":live", ":7"] {
        let body = json!({ "requestContext": { "condition": "X", "functionArn": format!("{ARN}{qualifier}") } });
        assert_eq!(read_body(&body.to_string()).source, Some(Source::Function(ARN.to_owned())));
    }
}

#[test]
fn timeouts_throttles_and_the_runtimes_own_errors_are_the_systems() {
    let table = [
        (json!({ "errorType": "Sandbox.Timedout", "errorMessage": "x" }), "RetriesExhausted", Category::System),
        (json!({ "errorType": "Runtime.ExitError", "errorMessage": "x" }), "RetriesExhausted", Category::System),
        (json!({ "errorMessage": "2026 e4b Task timed out after 3.00 seconds" }), "RetriesExhausted", Category::System),
        (json!(null), "EventAgeExceeded", Category::System),
        (json!({ "errorType": "ValueError", "errorMessage": "x" }), "RetriesExhausted", Category::Unknown),
        (json!(null), "RetriesExhausted", Category::Unknown),
    ];
    for (response, condition, category) in table {
        let body = json!({ "requestContext": { "condition": condition }, "responsePayload": response });
        assert_eq!(failure(&read_body(&body.to_string())).error.category, category, "{body}");
    }
}

#[test]
fn without_a_response_the_condition_is_the_error() {
    let body = json!({
        "requestContext": { "condition": "EventAgeExceeded", "approximateInvokeCount": 1 },
        "responseContext": { "statusCode": 429, "functionError": null } });
    let intake = read_body(&body.to_string());
    let error = &failure(&intake).error;
    assert_eq!(error.code.as_deref(), Some("EventAgeExceeded"));
    let message = "the invocation ended with EventAgeExceeded after 1 invocations, status 429";
    assert_eq!(error.message.as_deref(), Some(message));
}

#[test]
fn an_endless_error_text_is_cut_since_the_function_knows_none_of_our_limits() {
    let body = json!({ "requestContext": { "condition": "X" },
        "responsePayload": { "errorMessage": "é".repeat(20_000), "errorType": "é".repeat(200) } });
    let intake = read_body(&body.to_string());
    let error = &failure(&intake).error;
    assert_eq!(error.message.as_ref().unwrap().chars().count(), 10_000);
    assert_eq!(error.code.as_ref().unwrap().chars().count(), 128);
}

#[test]
fn a_failure_record_that_dead_letters_as_a_re_entry_is_that_re_entry() {
    let json = r#"{"interchangeId":"lambda-1","flow":"orders","attempt":2,"action":"restart"}"#;
    let attributes = [text_attribute("reprise", json)];
    let body = thrown("1");
    let intake = read(&contract::intake::QueueRecord { attributes: &attributes, ..record(&body) });
    assert_eq!((intake.incoming.report.id.as_str(), intake.incoming.report.attempt), ("lambda-1", Some(2)));
}

#[test]
fn a_request_that_nests_deeper_than_anyone_reads_is_kept_with_its_function_and_error() {
    let deep = format!("{}{}", "{\"a\":".repeat(5_000) + "1", "}".repeat(5_000));
    let intake = read_body(&thrown(&deep));
    assert_eq!(intake.source, Some(Source::Function(ARN.to_owned())));
    let failed = failure(&intake);
    assert_eq!(failed.error.message.as_deref(), Some("order 17 has no lines"));
    assert!(bytes(&intake, &failed.sender_payload) == deep.as_bytes());
}
