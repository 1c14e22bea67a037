use local_aws::{AdvanceError, Aws, ClockMode, Options};

use crate::fixture::{Fixture, START, duration, time};

#[tokio::test]
async fn a_frozen_clock_stays_until_it_is_advanced() {
    let fixture = Fixture::new().await;
    assert_eq!(fixture.now(), START);
    fixture.advance("90s").await;
    assert_eq!(fixture.now(), "2026-11-20T14:01:30Z");
    let back = fixture.aws.advance(-duration("1s")).await;
    assert!(matches!(back, Err(AdvanceError::Backwards(_))));
}

#[tokio::test]
async fn the_clock_file_contains_the_frozen_time() {
    let fixture = Fixture::new().await;
    let read = || std::fs::read_to_string(fixture.aws.clock().file()).expect("reads");
    assert_eq!(read(), "frozen 1795183200000\n");
    fixture.advance("1s").await;
    assert_eq!(read(), "frozen 1795183201000\n");
}

#[tokio::test]
async fn a_flowing_clock_is_the_wall_clock_plus_its_advances() {
    let listen = "127.0.0.1:0".parse().expect("an address");
    let aws = Aws::start(Options { listen, data: None, clock: ClockMode::Flowing }).await.expect("starts");
    assert_eq!(std::fs::read_to_string(aws.clock().file()).expect("reads"), "offset 0\n");
    let before = aws.clock().now();
    aws.advance(duration("24h")).await.expect("advances");
    let moved = before.duration_until(aws.clock().now());
    assert!(moved >= duration("24h") && moved < duration("25h"), "{moved:?}");
    let line = std::fs::read_to_string(aws.clock().file()).expect("reads");
    let offset: i64 = line.trim_end().strip_prefix("offset ").and_then(|text| text.parse().ok()).expect("an offset");
    assert!((86_399_000..=86_460_000).contains(&offset), "{offset}");
    aws.shutdown().await;
}

#[tokio::test]
async fn a_message_that_is_never_deleted_does_not_block_an_advance() {
    let fixture = Fixture::new().await;
    let url = fixture.queue("orders", &[]).await;
    fixture.send(&url, "poison").await;
    fixture.receive(&url).await;
    fixture.advance("7d").await;
    assert_eq!(fixture.now(), "2026-11-27T14:00:00Z");
}

#[tokio::test]
async fn a_shutdown_ends_long_polls_and_frees_the_address() {
    let fixture = Fixture::new().await;
    let url = fixture.queue("orders", &[]).await;
    let poll = tokio::spawn(fixture.sqs.receive_message().queue_url(url).wait_time_seconds(20).send());
    let address = fixture.aws.url().replace("http://", "");
    fixture.aws.clone().shutdown().await;
    tokio::net::TcpListener::bind(address).await.expect("is free");
    let ended = tokio::time::timeout(std::time::Duration::from_secs(10), poll).await;
    assert!(ended.is_ok(), "the poll did not end");
}

#[tokio::test]
async fn advances_wait_for_each_other() {
    let fixture = Fixture::new().await;
    let (one, other) = tokio::join!(fixture.aws.advance(duration("1h")), fixture.aws.advance(duration("2h")));
    one.and(other).expect("advance");
    assert_eq!(fixture.aws.clock().now(), time("2026-11-20T17:00:00Z"));
}
