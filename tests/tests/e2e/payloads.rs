//! Payloads: byte for byte in, shown, and out again, in whatever form they came.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tests::{
    FAILURES, RECEIVER_STAGE, SENDER_STAGE, START, Sample, Staged, World, binary_attribute, report, samples,
    text_attribute,
};

const BECAUSE: &str = "the partner is back";

#[tokio::test(flavor = "multi_thread")]
async fn both_payloads_of_a_report_come_back_byte_for_byte() {
    let world = World::start().await;
    let samples = samples();
    // Each sample is a sender payload once and a receiver payload once.
    let pairs: Vec<(&Sample, &Sample)> = samples.iter().zip(samples.iter().cycle().skip(1)).collect();
    for (sender, receiver) in &pairs {
        let payloads = json!({ "sender": sender.in_report(), "receiver": receiver.in_report() });
        let more = json!({ "payloads": payloads, "correlationId": "c-1", "traceparent": "00-0af7-b7ad-01" });
        world.put_message(FAILURES, &report(sender.name, "shapes", more).to_string(), &[]).await;
    }
    world.settle().await;
    assert_eq!(listed(&world, "shapes").await, names(&samples));
    for (sender, receiver) in &pairs {
        shows(&world, sender.name, "sender", sender).await;
        shows(&world, sender.name, "receiver", receiver).await;
        world.post(&format!("/interchanges/{}/retry", sender.name), json!({ "reason": BECAUSE })).await.ok();
    }
    let retried = by_id(world.drain(RECEIVER_STAGE).await);
    assert_eq!(retried.len(), pairs.len());
    for (sender, receiver) in &pairs {
        let told = json!({ "correlationId": "c-1", "traceparent": "00-0af7-b7ad-01",
                           "contentType": receiver.content_type });
        carries(&retried[sender.name], receiver, "retry", 2, told);
        let again = report(sender.name, "shapes", json!({ "attempt": 2, "payloads": null }));
        world.put_message(FAILURES, &again.to_string(), &[]).await;
    }
    world.settle().await;
    for (sender, _) in &pairs {
        world.post(&format!("/interchanges/{}/restart", sender.name), json!({ "reason": BECAUSE })).await.ok();
    }
    let restarted = by_id(world.drain(SENDER_STAGE).await);
    assert_eq!(restarted.len(), pairs.len());
    for (sender, _) in &pairs {
        let told = json!({ "correlationId": "c-1", "traceparent": "00-0af7-b7ad-01",
                           "contentType": sender.content_type });
        carries(&restarted[sender.name], sender, "restart", 3, told);
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_raw_dead_letter_comes_back_byte_for_byte_with_its_own_attributes() {
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
        let restarted = world.post(&format!("/interchanges/{id}/restart"), json!({ "reason": BECAUSE })).await.ok();
        assert_eq!(restarted["status"], "waiting_for_restart");
    }
    let restarted = by_id(world.drain(SENDER_STAGE).await);
    assert_eq!(restarted.len(), ids.len());
    for (id, sample) in ids.iter().zip(&samples) {
        let staged = &restarted[id.as_str()];
        carries_as(
            staged,
            &sample.bytes,
            json!({
                "interchangeId": id, "flow": "unassigned", "attempt": 2, "action": "restart", "trigger": "manual",
            }),
        );
        let mut attributes = staged.message.message_attributes.clone().unwrap();
        attributes.remove("reprise");
        assert_eq!(attributes, own.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect());
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_request_of_a_lambda_failure_record_comes_back_byte_for_byte() {
    let world = World::start().await;
    let samples = samples();
    let mut sent = Vec::new();
    for sample in &samples {
        // A function gets text as it is and bytes in base64; what it got is what comes back.
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
        world.post(&format!("/interchanges/{id}/restart"), json!({ "reason": BECAUSE })).await.ok();
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

#[tokio::test(flavor = "multi_thread")]
async fn a_fifo_stage_gets_the_order_key_or_the_id_as_group_and_id_and_attempt_as_deduplication_id() {
    let world = World::start().await;
    let stages = json!({ "sender": { "queueUrl": world.fifo_queue("mapping.fifo").await },
                         "receiver": { "queueUrl": world.fifo_queue("delivery.fifo").await } });
    world.put("/flows/orders", json!({ "stages": stages })).await.ok();
    let long = "x".repeat(128);
    world.report(report("4711", "orders", json!({ "orderKey": "PO-1001" }))).await;
    world.report(report("4712", "orders", json!({}))).await;
    world.report(report(&long, "orders", json!({}))).await;
    for id in ["4711", "4712", long.as_str()] {
        world.post(&format!("/interchanges/{id}/retry"), json!({ "reason": BECAUSE })).await.ok();
    }
    let retried = by_id(world.drain("delivery.fifo").await);
    assert_eq!(system(&retried["4711"]), ("PO-1001", "4711#2"));
    assert_eq!(system(&retried["4712"]), ("4712", "4712#2"));
    // SQS takes 128 characters: the longest ids are told apart by their digest.
    assert_eq!(system(&retried[long.as_str()]).0, long);
    assert_eq!(system(&retried[long.as_str()]).1.len(), 64);
    world.report(report("4711", "orders", json!({ "attempt": 2 }))).await;
    world.post("/interchanges/4711/restart", json!({ "reason": BECAUSE })).await.ok();
    let restarted = world.drain("mapping.fifo").await;
    assert_eq!(system(&restarted[0]), ("PO-1001", "4711#3"));
    assert_eq!(restarted[0].payload(), b"sender of 4711");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_re_entry_that_its_stage_gives_up_is_the_failure_of_that_interchange_and_attempt() {
    let world = World::start().await;
    let stage = world.stage_with_dead_letters("delivery", FAILURES).await;
    // That the queue is listed as another flow's changes nothing: the message says whose it is.
    let listed = json!([{ "arn": world.queue_arn("delivery"), "phase": "processing" }]);
    world.put("/flows/others", json!({ "deadLetterQueues": listed })).await.ok();
    world.put("/flows/orders", json!({ "stages": { "receiver": { "queueUrl": stage } } })).await.ok();
    for sample in samples().iter().filter(|sample| ["edifact", "empty", "noise"].contains(&sample.name)) {
        let id = sample.name;
        let payloads = json!({ "receiver": sample.in_report() });
        world.report(report(id, "orders", json!({ "payloads": payloads, "correlationId": "c-1" }))).await;
        world.post(&format!("/interchanges/{id}/retry"), json!({ "reason": BECAUSE })).await.ok();
        assert_eq!(world.give_up_at("delivery").await.len(), 1);
        let interchange = world.interchange(id).await;
        assert_eq!(interchange["status"], "failed");
        assert_eq!(interchange["attempt"], 2);
        assert_eq!(interchange["phase"], "delivery");
        assert_eq!(interchange["error"]["code"], "dead-letter");
        assert_eq!(interchange["correlationId"], "c-1");
        // The payload is the one that was sent, so there is no new revision of it.
        assert_eq!(interchange["payloads"]["receiver"]["revisions"].as_array().unwrap().len(), 1, "{interchange}");
        shows(&world, id, "receiver", sample).await;
        let kinds = ["failed", "retry_scheduled", "retry_requested", "failed", "retry_scheduled"];
        assert_eq!(world.kinds(id).await, kinds);
    }
    assert_eq!(world.get("/flows/others").await.ok()["counts"]["failed"], 0);
    world.get("/flows/unassigned/interchanges").await.ok()["items"].as_array().unwrap().iter().for_each(|item| {
        panic!("nothing is unassigned: {item}");
    });
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_belongs_to_the_flow_that_lists_its_queue_and_a_failure_record_to_the_one_that_lists_its_function()
 {
    let world = World::start().await;
    let stage = world.stage_with_dead_letters("legacy-stage", FAILURES).await;
    world.stage_with_dead_letters("unlisted-stage", FAILURES).await;
    let function = "arn:aws:lambda:eu-west-1:000000000000:function:legacy-mapping";
    let config = json!({
        "stages": { "sender": { "queueUrl": world.queue_url(SENDER_STAGE) }, "receiver": { "queueUrl": stage } },
        "deadLetterQueues": [{ "arn": world.queue_arn("legacy-stage"), "phase": "delivery" }],
        "functions": [function],
    });
    world.put("/flows/legacy", config).await.ok();
    let own = [("tenant", text_attribute("String", "acme"))];
    let listed_id = format!("dlq-{}", world.put_message("legacy-stage", "UNB+1", &own).await);
    world.give_up_at("legacy-stage").await;
    let unlisted_id = format!("dlq-{}", world.put_message("unlisted-stage", "UNB+2", &[]).await);
    world.give_up_at("unlisted-stage").await;
    for (request, qualifier) in [("r-1", ""), ("r-2", ":$LATEST"), ("r-3", ":live")] {
        let record = failure_record(request, &format!("{function}{qualifier}"), "{\"order\": 1}");
        world.put_message(FAILURES, &record, &[]).await;
    }
    world.settle().await;
    let mut of_the_flow = vec![listed_id.clone(), "lambda-r-1".into(), "lambda-r-2".into(), "lambda-r-3".into()];
    of_the_flow.sort();
    assert_eq!(listed(&world, "legacy").await, of_the_flow);
    assert_eq!(listed(&world, "unassigned").await, [unlisted_id]);
    let interchange = world.interchange(&listed_id).await;
    assert_eq!(interchange["phase"], "delivery");
    // What the receiver stage was given is what a retry gives it again, attributes and all.
    world.post(&format!("/interchanges/{listed_id}/retry"), json!({ "reason": BECAUSE })).await.ok();
    let retried = world.drain("legacy-stage").await;
    assert_eq!(retried[0].payload(), b"UNB+1");
    assert_eq!(retried[0].message.message_attributes.as_ref().unwrap()["tenant"], own[0].1);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_check_is_kept_and_sent_as_it_is() {
    let world = World::start().await;
    let sender = json!({ "body": { "ref": "s3://orders/2026/4711.edi" }, "contentType": "application/edifact" });
    let receiver = json!({ "ref": "s3://orders/2026/4711 (1).xml" });
    world.report(report("4711", "orders", json!({ "payloads": { "sender": sender, "receiver": receiver } }))).await;
    let payload = world.get("/interchanges/4711/payloads/sender").await;
    assert_eq!(payload.json(), json!({ "ref": "s3://orders/2026/4711.edi" }));
    world.post("/interchanges/4711/retry", json!({ "reason": BECAUSE })).await.ok();
    let retried = world.drain(RECEIVER_STAGE).await;
    assert_eq!(retried[0].body, "{\"ref\":\"s3://orders/2026/4711 (1).xml\"}");
    assert!(retried[0].reprise.get("encoding").is_none());
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_revision_stays_readable_and_the_log_names_the_one_that_was_sent() {
    let world = World::start().await;
    world.report(report("4711", "orders", json!({}))).await;
    world.post("/interchanges/4711/retry", json!({ "reason": BECAUSE })).await.ok();
    let mended = json!({ "receiver": { "body": "mended", "contentType": "application/xml" } });
    world.report(report("4711", "orders", json!({ "attempt": 2, "payloads": mended }))).await;
    world.post("/interchanges/4711/retry", json!({ "reason": BECAUSE })).await.ok();
    let sent: Vec<_> = world.drain(RECEIVER_STAGE).await.iter().map(Staged::payload).collect();
    assert_eq!(sent, [&b"receiver of 4711"[..], b"mended"]);

    let path = "/interchanges/4711/payloads/receiver";
    for (query, bytes) in [("", "mended"), ("?revision=1", "receiver of 4711"), ("?revision=2", "mended")] {
        let payload = world.get(&format!("{path}{query}")).await;
        assert_eq!((payload.status, payload.bytes), (200, bytes.as_bytes().to_vec()), "{query}");
    }
    world.get(&format!("{path}?revision=3")).await.is_problem(404, "not-found");
    for wrong in ["0", "-1", "newest", "", "1.0", "99999999999"] {
        let problem = world.get(&format!("{path}?revision={wrong}")).await.is_problem(400, "invalid-field");
        assert_eq!(problem["field"], "revision");
    }
    let interchange = world.interchange("4711").await;
    assert_eq!(interchange["payloads"]["sender"]["revisions"].as_array().unwrap().len(), 1);
    assert_eq!(interchange["payloads"]["receiver"]["revision"], 2);
    let events = interchange["events"].as_array().unwrap();
    let requests: Vec<_> = events.iter().filter(|event| event["kind"] == "retry_requested").collect();
    for (request, revision) in requests.iter().zip([1, 2]) {
        assert_eq!(request["payload"]["side"], "receiver");
        assert_eq!(request["payload"]["revision"], revision);
        assert_eq!(request["queueUrl"], world.queue_url(RECEIVER_STAGE));
    }
    world.stop().await;
}

/// What a function's on-failure destination sends, written as Lambda writes it.
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

fn names(samples: &[Sample]) -> Vec<&'static str> {
    let mut names: Vec<_> = samples.iter().map(|sample| sample.name).collect();
    names.sort_unstable();
    names
}

fn by_id(staged: Vec<Staged>) -> BTreeMap<String, Staged> {
    staged.into_iter().map(|staged| (staged.id().to_owned(), staged)).collect()
}

/// Checks what the API shows of a payload, and its bytes.
async fn shows(world: &World, id: &str, side: &str, sample: &Sample) {
    let payload = world.get(&format!("/interchanges/{id}/payloads/{side}")).await;
    assert_eq!(payload.status, 200, "{id} {side}");
    assert!(payload.bytes == sample.bytes, "{id}: the {side} payload is not {}", sample.name);
    assert_eq!(payload.content_type, sample.content_type, "{id} {side}");
    let shown = &world.interchange(id).await["payloads"][side];
    assert_eq!(shown["bytes"], sample.bytes.len(), "{id} {side}");
    assert_eq!(payload.etag, Some(format!("\"{}\"", shown["sha256"].as_str().unwrap())));
}

/// Checks payload and `reprise` of a re-entry by hand, which tells `told` beside what every one tells.
fn carries(staged: &Staged, sample: &Sample, action: &str, attempt: u64, told: Value) {
    let mut reprise = told;
    for (name, value) in [
        ("interchangeId", Value::from(staged.id())),
        ("flow", "shapes".into()),
        ("attempt", attempt.into()),
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
    carries_as(staged, &sample.bytes, reprise);
}

fn carries_as(staged: &Staged, bytes: &[u8], reprise: Value) {
    assert_eq!(staged.reprise, reprise);
    assert!(staged.payload() == bytes, "{}: not the bytes that were kept", staged.id());
}

fn system(staged: &Staged) -> (&str, &str) {
    (staged.system("MessageGroupId").unwrap(), staged.system("MessageDeduplicationId").unwrap())
}
