//! Payloads are stored, shown and sent byte for byte, in every form in which they arrive.

mod forms;
mod revisions;
mod sources;
mod stages;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tests::{START, Sample, StageMessage, World};

async fn act(world: &World, id: &str, action: &str) -> Value {
    let reason = json!({ "reason": "the partner is back" });
    world.post(&format!("/interchanges/{id}/{action}"), reason).await.ok()
}

/// The record that Lambda sends to the on-failure destination of a function.
fn failure_record(request_id: &str, function: &str, request: &str) -> String {
    format!(
        r#"{{"version":"1.0","timestamp":"{START}","requestContext":{{"requestId":"{request_id}","functionArn":"{function}","condition":"RetriesExhausted","approximateInvokeCount":3}},"requestPayload":{request},"responseContext":{{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"}},"responsePayload":{{"errorMessage":"no rule for segment FTX","errorType":"MappingError"}}}}"#
    )
}

/// The ids that a flow's list shows, sorted.
async fn listed(world: &World, flow: &str) -> Vec<String> {
    let page = world.get(&format!("/flows/{flow}/interchanges?limit=200")).await.ok();
    let mut ids: Vec<String> =
        page["items"].as_array().unwrap().iter().map(|i| i["interchangeId"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

fn by_id(staged: Vec<StageMessage>) -> BTreeMap<String, StageMessage> {
    staged.into_iter().map(|staged| (staged.id().to_owned(), staged)).collect()
}

/// Checks the bytes and the metadata of a payload in the API.
async fn assert_shown(world: &World, id: &str, side: &str, sample: &Sample) {
    let payload = world.get(&format!("/interchanges/{id}/payloads/{side}")).await;
    assert_eq!(payload.status, 200, "{id} {side}");
    assert!(payload.bytes == sample.bytes, "{id}: the {side} payload is not {}", sample.name);
    assert_eq!(payload.content_type, sample.content_type, "{id} {side}");
    let shown = &world.interchange(id).await["payloads"][side];
    assert_eq!(shown["bytes"], sample.bytes.len(), "{id} {side}");
    assert_eq!(payload.etag, Some(format!("\"{}\"", shown["sha256"].as_str().unwrap())));
}

/// Checks the payload and the attribute `reprise` of a message that was sent manually. The attribute has the members `more` and
/// those that every message has.
fn assert_sent(staged: &StageMessage, sample: &Sample, action: &str, attempt: u64, more: Value) {
    let mut reprise = more;
    for (name, value) in [
        ("interchangeId", Value::from(staged.id())),
        ("flow", "shapes".into()),
        ("attempt", attempt.into()),
        ("epoch", 1.into()),
        ("action", action.into()),
        ("trigger", "manual".into()),
    ] {
        reprise[name] = value;
    }
    if sample.as_sqs_text().is_none() {
        reprise["encoding"] = "base64".into();
    }
    if sample.bytes.is_empty() {
        assert_eq!(staged.body, "\n");
    }
    assert_bytes_and_attribute(staged, &sample.bytes, reprise);
}

fn assert_bytes_and_attribute(staged: &StageMessage, bytes: &[u8], reprise: Value) {
    assert_eq!(staged.reprise, reprise);
    assert!(staged.payload() == bytes, "{}: the payload has other bytes", staged.id());
}
