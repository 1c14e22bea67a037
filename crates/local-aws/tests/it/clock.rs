use local_aws::{AdvanceError, Aws, ClockMode, Options};

use crate::here::{Here, START, duration, time};

#[tokio::test]
async fn a_frozen_clock_stands_until_it_is_advanced() {
    let here = Here::new().await;
    assert_eq!(here.now(), START);
    here.advance("90s").await;
    assert_eq!(here.now(), "2026-11-20T14:01:30Z");
    let back = here.aws.advance(-duration("1s")).await;
    assert!(matches!(back, Err(AdvanceError::Backwards(_))));
}

#[tokio::test]
async fn the_clocks_file_tells_function_processes_where_it_stands() {
    let here = Here::new().await;
    let read = || std::fs::read_to_string(here.aws.clock().file()).expect("reads");
    assert_eq!(read(), "frozen 1795183200000\n");
    here.advance("1s").await;
    assert_eq!(read(), "frozen 1795183201000\n");
}

#[tokio::test]
async fn a_flowing_clock_is_the_wall_clock_and_what_it_was_advanced_by() {
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
async fn a_message_that_nobody_ever_deletes_does_not_hold_up_the_clock() {
    let here = Here::new().await;
    let url = here.queue("orders", &[]).await;
    here.send(&url, "poison").await;
    here.receive(&url).await;
    here.advance("7d").await;
    assert_eq!(here.now(), "2026-11-27T14:00:00Z");
}

#[tokio::test]
async fn a_shutdown_ends_long_polls_and_frees_the_address() {
    let here = Here::new().await;
    let url = here.queue("orders", &[]).await;
    let poll = tokio::spawn(here.sqs.receive_message().queue_url(url).wait_time_seconds(20).send());
    let address = here.aws.url().replace("http://", "");
    here.aws.clone().shutdown().await;
    tokio::net::TcpListener::bind(address).await.expect("is free");
    let ended = tokio::time::timeout(std::time::Duration::from_secs(10), poll).await;
    assert!(ended.is_ok(), "the poll goes on");
}

#[tokio::test]
async fn advances_wait_for_each_other() {
    let here = Here::new().await;
    let (one, other) = tokio::join!(here.aws.advance(duration("1h")), here.aws.advance(duration("2h")));
    one.and(other).expect("advance");
    assert_eq!(here.aws.clock().now(), time("2026-11-20T17:00:00Z"));
}
