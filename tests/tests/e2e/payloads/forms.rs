//! Every sample as a report, as a raw dead letter and inside a Lambda failure record.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tests::{FAILURES, RECEIVER_STAGE, SENDER_STAGE, Sample, World, binary_attribute, report, samples, text_attribute};

use super::{act, assert_bytes_and_attribute, assert_sent, assert_shown, by_id, failure_record, listed};

#[tokio::test(flavor = "multi_thread")]
async fn both_payloads_of_a_report_are_sent_byte_for_byte() {
    let world = World::start().await;
    let samples = samples();
    // Each sample is once a sender payload and once a receiver payload.
    let pairs: Vec<(&Sample, &Sample)> = samples.iter().zip(samples.iter().cycle().skip(1)).collect();
    for (sender, receiver) in &pairs {
        let payloads = json!({ "sender": sender.in_report(), "receiver": receiver.in_report() });
        let members = json!({ "payloads": payloads, "correlationId": "c-1", "traceparent": "00-0af7-b7ad-01" });
        world.put_message(FAILURES, &report(sender.name, "shapes", members).to_string(), &[]).await;
    }
    world.settle().await;
    assert_eq!(listed(&world, "shapes").await, names(&samples));
    for (sender, receiver) in &pairs {
        assert_shown(&world, sender.name, "sender", sender).await;
        assert_shown(&world, sender.name, "receiver", receiver).await;
        act(&world, sender.name, "retry").await;
    }
    let retried = by_id(world.drain(RECEIVER_STAGE).await);
    assert_eq!(retried.len(), pairs.len());
    for (sender, receiver) in &pairs {
        let more = json!({ "correlationId": "c-1", "traceparent": "00-0af7-b7ad-01",
                           "contentType": receiver.content_type });
        assert_sent(&retried[sender.name], receiver, "retry", 2, more);
        let again = report(sender.name, "shapes", json!({ "attempt": 2, "payloads": null }));
        world.put_message(FAILURES, &again.to_string(), &[]).await;
    }
    world.settle().await;
    for (sender, _) in &pairs {
        act(&world, sender.name, "restart").await;
    }
    let restarted = by_id(world.drain(SENDER_STAGE).await);
    assert_eq!(restarted.len(), pairs.len());
    for (sender, _) in &pairs {
        let more = json!({ "correlationId": "c-1", "traceparent": "00-0af7-b7ad-01",
                           "contentType": sender.content_type });
        assert_sent(&restarted[sender.name], sender, "restart", 3, more);
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_raw_dead_letter_is_sent_byte_for_byte_with_its_own_attributes() {
    let world = World::start().await;
    let samples: Vec<Sample> = samples().into_iter().filter(|sample| sample.as_sqs_text().is_some()).collect();
    let own = [
        ("tenant", text_attribute("String", "Łódź 🚚")),
        ("order", text_attribute("String.uuid", "6f1c")),
        ("weight", text_attribute("Number", "12.50")),
        ("signature", binary_attribute(&[0, 255, 10, 13])),
    ];
    let mut ids = Vec::new();
    for sample in &samples {
        let message = world.put_message(FAILURES, sample.as_sqs_text().unwrap(), &own).await;
        ids.push(format!("dlq-{message}"));
    }
    world.settle().await;
    let mut sorted = ids.clone();
    sorted.sort();
    assert_eq!(listed(&world, "unassigned").await, sorted);
    let stages = json!({ "sender": { "queueUrl": world.queue_url(SENDER_STAGE) } });
    world.put("/flows/unassigned", json!({ "stages": stages })).await.ok();
    for (id, sample) in ids.iter().zip(&samples) {
        let payload = world.get(&format!("/interchanges/{id}/payloads/sender")).await;
        assert_eq!(payload.bytes, sample.bytes, "{}", sample.name);
        world.get(&format!("/interchanges/{id}/payloads/receiver")).await.is_problem(404, "not-found");
        let restarted = act(&world, id, "restart").await;
        assert_eq!(restarted["status"], "waiting_for_restart");
    }
    let restarted = by_id(world.drain(SENDER_STAGE).await);
    assert_eq!(restarted.len(), ids.len());
    for (id, sample) in ids.iter().zip(&samples) {
        let staged = &restarted[id.as_str()];
        assert_bytes_and_attribute(
            staged,
            &sample.bytes,
            json!({
                "interchangeId": id, "flow": "unassigned", "attempt": 2, "epoch": 1, "action": "restart",
                "trigger": "manual",
            }),
        );
        let mut attributes = staged.message.message_attributes.clone().unwrap();
        attributes.remove("reprise");
        assert_eq!(attributes, own.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect());
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_request_of_a_lambda_failure_record_is_sent_byte_for_byte() {
    let world = World::start().await;
    let samples = samples();
    let mut sent = Vec::new();
    for sample in &samples {
        // A function receives text as it is and bytes in base64. A restart sends what the function received.
        let (request, bytes) = match sample.as_json_text() {
            Some(text) => (Value::from(text).to_string(), sample.bytes.clone()),
            None => {
                let body = STANDARD.encode(&sample.bytes);
                let json = format!("{{ \"isBase64Encoded\" : true,\"body\": \"{body}\", \"weight\": 1.50 }}");
                (json.clone(), json.into_bytes())
            }
        };
        let function = "arn:aws:lambda:eu-west-1:000000000000:function:order-mapping:$LATEST";
        world.put_message(FAILURES, &failure_record(sample.name, function, &request), &[]).await;
        sent.push((format!("lambda-{}", sample.name), bytes));
    }
    world.settle().await;
    let mut ids: Vec<String> = sent.iter().map(|(id, _)| id.clone()).collect();
    ids.sort();
    assert_eq!(listed(&world, "order-mapping").await, ids);
    for (id, bytes) in &sent {
        let interchange = world.interchange(id).await;
        assert_eq!(interchange["phase"], "processing");
        assert_eq!(interchange["error"]["code"], "MappingError");
        assert_eq!(interchange["error"]["message"], "no rule for segment FTX");
        let payload = world.get(&format!("/interchanges/{id}/payloads/sender")).await;
        assert_eq!(&payload.bytes, bytes, "{id}");
        act(&world, id, "restart").await;
    }
    let restarted = by_id(world.drain(SENDER_STAGE).await);
    assert_eq!(restarted.len(), sent.len());
    for (id, bytes) in &sent {
        let staged = &restarted[id.as_str()];
        assert_eq!(&staged.payload(), bytes, "{id}");
        assert_eq!((staged.attempt(), staged.reprise["flow"].as_str()), (2, Some("order-mapping")));
    }
    world.stop().await;
}

fn names(samples: &[Sample]) -> Vec<&'static str> {
    let mut names: Vec<_> = samples.iter().map(|sample| sample.name).collect();
    names.sort_unstable();
    names
}
