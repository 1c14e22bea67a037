//! Payloads inside a report, byte for byte.

use serde_json::json;

use super::reports::{complaint, minimal, with};
use super::{bytes, failure, read_body};

#[test]
fn base64_is_taken_with_padding_or_without_and_wrapped_into_lines() {
    for text in ["_", "QQ==", "QQ", "Q\r\nQ=="] {
        let payload = json!({ "sender": { "body": text, "encoding": if text == "_" { "utf-8" } else { "base64" } } });
        let intake = read_body(&with(minimal(), "/payloads", payload).to_string());
        let expected: &[u8] = if text == "_" { b"_" } else { b"A" };
        assert_eq!(bytes(&intake, &failure(&intake).sender_payload), expected);
    }
}

#[test]
fn an_empty_payload_is_a_payload() {
    let intake = read_body(&with(minimal(), "/payloads", json!({ "sender": { "body": "" } })).to_string());
    assert_eq!(bytes(&intake, &failure(&intake).sender_payload), b"");
}

#[test]
fn every_character_of_a_body_is_kept() {
    let body = "\u{0}\u{1}\u{1c}\u{7f}ü\u{fffe}😀\r\n";
    let intake = read_body(&with(minimal(), "/payloads", json!({ "sender": { "body": body } })).to_string());
    assert_eq!(bytes(&intake, &failure(&intake).sender_payload), body.as_bytes());
}

#[test]
fn a_claim_check_is_kept_as_it_goes_back() {
    let check = json!({ "ref": "s3://bucket/a key/1" });
    for payload in [
        json!({ "ref": "s3://bucket/a key/1", "contentType": "text/plain" }),
        json!({ "body": check, "contentType": "text/plain" }),
    ] {
        let intake = read_body(&with(minimal(), "/payloads", json!({ "sender": payload })).to_string());
        let sender = &failure(&intake).sender_payload;
        assert_eq!(bytes(&intake, sender), br#"{"ref":"s3://bucket/a key/1"}"#);
        assert_eq!(sender.as_ref().unwrap().content_type.as_deref(), Some("text/plain"));
    }
    // What the pipeline tells beside it is its own, to the last blank.
    let whole = r#"{ "versionId":"7", "ref": "s3://b/k",  "size": 1.50 }"#;
    let body = format!(
        r#"{{"type":"interchange.failed","interchangeId":"1","flow":"a","payloads":{{"sender":{{"body":{whole}}}}}}}"#
    );
    let intake = read_body(&body);
    assert_eq!(bytes(&intake, &failure(&intake).sender_payload), whole.as_bytes());
    let beside = json!({ "ref": "s3://b/k", "size": 12, "versionId": "7", "contentType": "text/plain" });
    let intake = read_body(&with(minimal(), "/payloads", json!({ "receiver": beside })).to_string());
    let receiver = &failure(&intake).receiver_payload;
    assert_eq!(bytes(&intake, receiver), br#"{"ref":"s3://b/k","size":12,"versionId":"7"}"#);
    for uri in ["s3://bucket", "s3:///key", "s3://bucket/", "https://bucket/key", ""] {
        let report = with(minimal(), "/payloads", json!({ "sender": { "ref": uri } }));
        assert!(complaint(&report.to_string()).starts_with("`payloads.sender.ref` "), "{uri}");
    }
}
