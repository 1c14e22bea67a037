//! Tests the check for payloads and tokens in the log.

use serde_json::json;
use tests::{Process, World, report};

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_that_is_logged_is_found() {
    let world = World::start().await;
    world.log().allow_leaks();
    world.report(report("4711", "orders", json!({}))).await;
    world.log().line(|line| line["interchangeId"] == "4711").await;
    assert_eq!(world.log().leaks(), [""; 0]);
    // The error code of a report is logged. Here it contains the payload.
    let secret = "UNB+UNOC:3+4012345000009:14";
    let quoting = json!({ "error": { "code": secret }, "payloads": { "sender": { "body": secret } } });
    world.report(report("4712", "orders", quoting)).await;
    world.log().line(|line| line["interchangeId"] == "4712").await;
    let leaks = world.log().leaks();
    assert!(!leaks.is_empty() && leaks.iter().all(|line| line.contains(secret)), "{leaks:#?}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_and_encodings_of_a_payload_are_found_and_tokens_too() {
    let world = World::start().await;
    let log = world.log();
    log.allow_leaks();
    let payload = "<Order number=\"4711\">\r\n\t<Line/>\r\n</Order>";
    log.forbid(payload.as_bytes());
    let new_leaks = |line: String| {
        let before = log.leaks().len();
        log.add_line(&line);
        log.leaks().len() - before
    };
    assert_eq!(new_leaks(json!({ "message": "swept" }).to_string()), 0);
    assert_eq!(new_leaks(json!({ "message": payload }).to_string()), 1);
    assert_eq!(new_leaks(format!("panicked: {payload:?}")), 1);
    assert_eq!(new_leaks(payload[..20].to_owned()), 1);
    assert_eq!(new_leaks("PE9yZGVyIG51bWJlcj0iNDcxMSI+DQoJPExpbmUvPg0KPC9PcmRlcj4=".to_owned()), 1);
    assert_eq!(new_leaks("authorization: Bearer abc".to_owned()), 1);
    assert_eq!(new_leaks("eyJhbGciOiJSUzI1NiJ9.e30.c2ln".to_owned()), 1);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_most_verbose_log_holds_no_payload_either() {
    let directory = tempfile::tempdir().unwrap();
    let (process, log) = Process::start_verbose(directory.path()).await;
    let failure = report("4711", "orders", json!({}));
    log.forbid(b"sender of 4711");
    log.forbid(b"receiver of 4711");
    let sent = Process::send_until_unreachable(process.sqs.clone(), process.aws_url(), vec![failure.to_string()]).await;
    assert_eq!(sent, 1);
    log.line(|line| line["outcome"] == "failed").await;
    process.advance("5m").await;
    log.line(|line| line["outcome"] == "sent").await;
    assert_eq!(process.get("/interchanges/4711/payloads/receiver").await.bytes, b"receiver of 4711");
    log.line(|line| line["outcome"] == "payload_read").await;
    let levels = log.lines_until(|lines| lines.iter().any(|line| line["level"] == "DEBUG")).await;
    assert!(
        levels.iter().all(|line| line["level"] != "TRACE"),
        "below DEBUG, AWS clients log the bodies that they send"
    );
    assert_eq!(log.leaks(), [""; 0]);
    process.interrupt().await;
}
