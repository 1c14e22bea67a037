//! Claim checks are sent unchanged, and every revision of a payload stays readable.

use std::collections::BTreeSet;

use serde_json::json;
use tests::{RECEIVER_STAGE, StageMessage, World, noise, report};

use super::act;

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_check_is_stored_and_sent_unchanged() {
    let world = World::start().await;
    let check = json!({ "ref": "s3://orders/2026/4711.edi", "versionId": "7", "size": 12 });
    let sender = json!({ "body": check, "contentType": "application/edifact" });
    let receiver = json!({ "ref": "s3://orders/2026/4711 (1).xml" });
    world.report(report("4711", "orders", json!({ "payloads": { "sender": sender, "receiver": receiver } }))).await;
    let payload = world.get("/interchanges/4711/payloads/sender").await;
    assert_eq!(payload.json(), check);
    act(&world, "4711", "retry").await;
    let retried = world.drain(RECEIVER_STAGE).await;
    assert_eq!(retried[0].body, "{\"ref\":\"s3://orders/2026/4711 (1).xml\"}");
    assert!(retried[0].reprise.get("encoding").is_none());
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_revision_stays_readable_and_the_log_names_the_one_that_was_sent() {
    let world = World::start().await;
    world.report(report("4711", "orders", json!({}))).await;
    act(&world, "4711", "retry").await;
    let corrected = json!({ "receiver": { "body": "corrected", "contentType": "application/xml" } });
    world.report(report("4711", "orders", json!({ "attempt": 2, "payloads": corrected }))).await;
    act(&world, "4711", "retry").await;
    let sent: Vec<_> = world.drain(RECEIVER_STAGE).await.iter().map(StageMessage::payload).collect();
    assert_eq!(sent, [&b"receiver of 4711"[..], b"corrected"]);

    world.report(report("bare", "orders", json!({ "payloads": { "sender": { "body": "UNB+" } } }))).await;
    let path = "/interchanges/4711/payloads/receiver";
    for (query, bytes) in [("", "corrected"), ("?revision=1", "receiver of 4711"), ("?revision=2", "corrected")] {
        let payload = world.get(&format!("{path}{query}")).await;
        assert_eq!((payload.status, payload.bytes), (200, bytes.as_bytes().to_vec()), "{query}");
    }
    for (path, what) in [
        ("4711/payloads/receiver?revision=3", "there is no revision 3 of the receiver payload of interchange 4711"),
        ("4711/payloads/sender?revision=2", "there is no revision 2 of the sender payload of interchange 4711"),
        ("nobody/payloads/sender?revision=1", "there is no interchange nobody"),
        ("nobody/payloads/sender", "there is no interchange nobody"),
        ("bare/payloads/receiver", "there is no receiver payload of interchange bare"),
        ("bare/payloads/receiver?revision=1", "there is no receiver payload of interchange bare"),
    ] {
        let problem = world.get(&format!("/interchanges/{path}")).await.is_problem(404, "not-found");
        assert_eq!(problem["detail"], what);
    }
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

#[tokio::test(flavor = "multi_thread")]
async fn revisions_that_an_interchange_does_not_list_any_more_can_be_read_by_their_number() {
    let world = World::start().await;
    let failure = |attempt: u32| {
        let body = format!("receiver of attempt {attempt}");
        report("4711", "orders", json!({ "attempt": attempt, "payloads": { "receiver": { "body": body } } }))
            .to_string()
    };
    // All in one batch, so some are already outdated when they are stored.
    world.send((1..=30).map(failure)).await;
    let interchange = world.interchange("4711").await;
    let revisions = interchange["payloads"]["receiver"]["revisions"].as_array().unwrap();
    let highest = interchange["payloads"]["receiver"]["revision"].as_u64().unwrap();
    assert_eq!((revisions.len(), highest), (20, 30));
    let mut read = BTreeSet::new();
    for revision in 1..=30 {
        let payload = world.get(&format!("/interchanges/4711/payloads/receiver?revision={revision}")).await;
        assert_eq!(payload.status, 200, "revision {revision}");
        read.insert(String::from_utf8(payload.bytes).unwrap());
    }
    // The queue may deliver them in any order.
    assert_eq!(read, (1..=30).map(|attempt| format!("receiver of attempt {attempt}")).collect());
    world.get("/interchanges/4711/payloads/receiver?revision=31").await.is_problem(404, "not-found");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_in_a_second_report_of_a_failure_is_stored_and_sent() {
    let world = World::start().await;
    // The small one is stored in the item of its event, the large one in items of its own.
    for (id, size) in [("small", 20), ("large", 200_000)] {
        world.report(report(id, "orders", json!({ "payloads": null }))).await;
        let before = world.interchange(id).await;
        let body = String::from_utf8_lossy(&noise(size)).into_owned();
        let failure = report(id, "orders", json!({ "payloads": { "receiver": { "body": body } } }));
        for _ in 0..2 {
            world.report(failure.clone()).await;
        }
        let shown = world.interchange(id).await;
        assert_eq!((&shown["status"], &shown["nextRetryAt"]), (&before["status"], &before["nextRetryAt"]));
        assert_eq!(world.kinds(id).await, ["failed", "retry_scheduled", "late_outcome"]);
        let revision = &shown["events"][2]["payloads"]["receiver"];
        assert_eq!((&revision["revision"], &revision["sha256"]), (&json!(1), &shown["payloads"]["receiver"]["sha256"]));
        assert!(world.get(&format!("/interchanges/{id}/payloads/receiver")).await.bytes == body.as_bytes());
        act(&world, id, "retry").await;
        assert!(world.drain(RECEIVER_STAGE).await[0].payload() == body.as_bytes());
    }
    world.stop().await;
}
