//! The `reprise` attribute, kept attributes, and what SQS takes as text.

use contract::{
    AttributeValue, Encoding, MessageAttribute, RepriseAttribute, decode_attributes, encode_attributes, sqs_text,
};
use domain::{FlowName, InterchangeId, JobId, Reentry, Trigger};
use proptest::prelude::*;

use super::text_attribute;

fn bare() -> RepriseAttribute {
    RepriseAttribute {
        interchange_id: InterchangeId::new("4711").unwrap(),
        flow: FlowName::new("orders").unwrap(),
        attempt: 2,
        epoch: domain::Epoch::FIRST,
        action: Reentry::Retry,
        trigger: Trigger::Scheduled,
        encoding: None,
        content_type: None,
        parts: Vec::new(),
        correlation_id: None,
        traceparent: None,
        job: None,
    }
}

#[test]
fn what_has_no_value_is_left_out() {
    let json: serde_json::Value = serde_json::from_str(&bare().to_json()).unwrap();
    let expected = serde_json::json!({
        "interchangeId": "4711", "flow": "orders", "attempt": 2, "epoch": 1, "action": "retry", "trigger": "scheduled" });
    assert_eq!(json, expected);
}

#[test]
fn a_full_attribute_is_as_the_design_shows_it() {
    let full = RepriseAttribute {
        encoding: Some(Encoding::Base64),
        content_type: Some("application/xml".to_owned()),
        parts: vec!["line-3".to_owned()],
        correlation_id: Some("c-1".to_owned()),
        traceparent: Some("00-ab".to_owned()),
        job: Some(JobId("j-1".to_owned())),
        action: Reentry::Restart,
        trigger: Trigger::Manual,
        ..bare()
    };
    let json: serde_json::Value = serde_json::from_str(&full.to_json()).unwrap();
    let expected = serde_json::json!({
        "interchangeId": "4711", "flow": "orders", "attempt": 2, "epoch": 1, "action": "restart", "trigger": "manual",
        "encoding": "base64", "contentType": "application/xml", "parts": ["line-3"], "correlationId": "c-1",
        "traceparent": "00-ab", "job": "j-1" });
    assert_eq!(json, expected);
    assert_eq!(RepriseAttribute::from_json(&full.to_json()).unwrap(), full);
}

#[test]
fn a_wrong_field_of_the_attribute_is_named() {
    for (json, field) in [
        ("[]", "body"),
        (r#"{"interchangeId":"a b"}"#, "interchangeId"),
        (r#"{"interchangeId":"1"}"#, "flow"),
        (r#"{"interchangeId":"1","flow":"a"}"#, "attempt"),
        (r#"{"interchangeId":"1","flow":"a","attempt":0}"#, "attempt"),
        (r#"{"interchangeId":"1","flow":"a","attempt":1}"#, "action"),
        (r#"{"interchangeId":"1","flow":"a","attempt":1,"action":"delete"}"#, "action"),
        (r#"{"interchangeId":"1","flow":"a","attempt":1,"action":"retry","trigger":"x"}"#, "trigger"),
        (r#"{"interchangeId":"1","flow":"a","attempt":1,"action":"retry","parts":[1]}"#, "parts[0]"),
    ] {
        assert_eq!(RepriseAttribute::from_json(json).unwrap_err().field, field, "{json}");
    }
}

#[test]
fn kept_attributes_are_sorted_and_leave_reprise_out() {
    let attributes = [text_attribute("b", "2"), text_attribute("reprise", "{}"), text_attribute("a", "1")];
    let other_order = [text_attribute("a", "1"), text_attribute("b", "2")];
    assert_eq!(encode_attributes(&attributes), encode_attributes(&other_order));
    assert_eq!(
        encode_attributes(&other_order),
        br#"[{"dataType":"String","name":"a","text":"1"},{"dataType":"String","name":"b","text":"2"}]"#
    );
    assert!(decode_attributes(b"{").is_err());
    assert!(decode_attributes(br#"[{"name":"a","dataType":"Binary","binary":"?"}]"#).is_err());
}

#[test]
fn sqs_text_is_what_xml_allows() {
    for text in ["a", "\t\n\r ", "\u{d7ff}\u{e000}\u{fffd}\u{10000}\u{10ffff}", "\u{7f}\u{85}"] {
        assert_eq!(sqs_text(text.as_bytes()), Some(text));
    }
    for bytes in [&b""[..], b"\0", b"\x1c", b"\x0b", b"\x1f", b"\xff", "a\u{fffe}".as_bytes(), "\u{ffff}".as_bytes()] {
        assert_eq!(sqs_text(bytes), None, "{bytes:?}");
    }
}

fn any_attribute() -> impl Strategy<Value = MessageAttribute> {
    let value = prop_oneof![
        any::<String>().prop_map(AttributeValue::Text),
        proptest::collection::vec(any::<u8>(), 0..50).prop_map(AttributeValue::Binary),
    ];
    ("[a-z]{1,8}", "[A-Z][a-z.]{1,8}", value)
        .prop_filter("reprise is left out", |(name, _, _)| name != "reprise")
        .prop_map(|(name, data_type, value)| MessageAttribute { name, data_type, value })
}

proptest! {
    #[test]
    fn any_attributes_read_back(mut attributes in proptest::collection::vec(any_attribute(), 0..10)) {
        let decoded = decode_attributes(&encode_attributes(&attributes)).unwrap();
        attributes.sort_by(|a, b| a.name.cmp(&b.name));
        prop_assert_eq!(decoded, attributes);
    }

    #[test]
    fn the_attribute_is_ascii_and_reads_back_whatever_its_texts_are(
        correlation in proptest::option::of(".{1,256}"),
        parts in proptest::collection::vec(any::<String>(), 0..5),
        attempt in 1u32..=1_000_000,
    ) {
        let attribute = RepriseAttribute { correlation_id: correlation, parts, attempt, ..bare() };
        let json = attribute.to_json();
        prop_assert!(json.is_ascii());
        prop_assert!(sqs_text(json.as_bytes()).is_some());
        prop_assert_eq!(RepriseAttribute::from_json(&json).unwrap(), attribute);
    }
}

#[test]
fn an_attribute_without_an_epoch_is_of_the_first_one() {
    let json = r#"{"interchangeId":"1","flow":"a","attempt":2,"action":"retry"}"#;
    assert_eq!(RepriseAttribute::from_json(json).unwrap().epoch, domain::Epoch::FIRST);
    let renewed = RepriseAttribute { epoch: domain::Epoch(1_795_183_200), ..bare() };
    assert_eq!(RepriseAttribute::from_json(&renewed.to_json()).unwrap(), renewed);
}
