//! What is kept: claim checks as they are, and every revision.

use serde_json::json;
use tests::{RECEIVER_STAGE, Staged, World, report};

use super::act;

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_check_is_kept_and_sent_as_it_is() {
    let world = World::start().await;
    let sender = json!({ "body": { "ref": "s3://orders/2026/4711.edi" }, "contentType": "application/edifact" });
    let receiver = json!({ "ref": "s3://orders/2026/4711 (1).xml" });
    world.report(report("4711", "orders", json!({ "payloads": { "sender": sender, "receiver": receiver } }))).await;
    let payload = world.get("/interchanges/4711/payloads/sender").await;
    assert_eq!(payload.json(), json!({ "ref": "s3://orders/2026/4711.edi" }));
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
    let mended = json!({ "receiver": { "body": "mended", "contentType": "application/xml" } });
    world.report(report("4711", "orders", json!({ "attempt": 2, "payloads": mended }))).await;
    act(&world, "4711", "retry").await;
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
