//! Converts an SQS message to a record of a Lambda event.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use local_aws::{Attribute, AttributeValue, Message, REGION};
use serde_json::{Map, Value, json};

/// One element of an SQS event's `Records`.
pub(super) fn record(message: &Message, queue_arn: &str) -> Value {
    let attributes: Map<_, _> =
        message.attributes.iter().map(|(name, value)| (name.clone(), attribute(value))).collect();
    let mut record = json!({
        "messageId": message.id,
        "receiptHandle": message.receipt,
        "body": message.body,
        "attributes": message.system,
        "messageAttributes": attributes,
        "md5OfBody": message.body_md5,
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": REGION,
    });
    if let Some(md5) = &message.attributes_md5 {
        record["md5OfMessageAttributes"] = Value::from(md5.as_str());
    }
    record
}

fn attribute(attribute: &Attribute) -> Value {
    let mut value = json!({ "stringListValues": [], "binaryListValues": [], "dataType": attribute.data_type });
    match &attribute.value {
        AttributeValue::Text(text) => value["stringValue"] = Value::from(text.as_str()),
        AttributeValue::Binary(bytes) => value["binaryValue"] = Value::from(STANDARD.encode(bytes)),
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn a_record_has_the_format_of_lambda() {
        let attribute = |data_type: &str, value| Attribute { data_type: data_type.into(), value };
        let message = Message {
            id: "m-1".into(),
            receipt: "r-1".into(),
            body: "UNB+".into(),
            body_md5: "abc".into(),
            system: BTreeMap::from([("SentTimestamp".to_owned(), "1".to_owned())]),
            attributes: BTreeMap::from([
                ("bytes".to_owned(), attribute("Binary", AttributeValue::Binary(vec![0, 255]))),
                ("text".to_owned(), attribute("String", AttributeValue::Text("x".into()))),
            ]),
            attributes_md5: Some("def".into()),
        };
        assert_eq!(
            record(&message, "arn:aws:sqs:eu-west-1:000000000000:q"),
            json!({
                "messageId": "m-1",
                "receiptHandle": "r-1",
                "body": "UNB+",
                "attributes": { "SentTimestamp": "1" },
                "messageAttributes": {
                    "bytes": { "binaryValue": "AP8=", "stringListValues": [], "binaryListValues": [], "dataType": "Binary" },
                    "text": { "stringValue": "x", "stringListValues": [], "binaryListValues": [], "dataType": "String" },
                },
                "md5OfBody": "abc",
                "md5OfMessageAttributes": "def",
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:eu-west-1:000000000000:q",
                "awsRegion": "eu-west-1",
            })
        );
    }
}
