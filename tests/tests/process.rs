//! The real `local`, killed and interrupted: what it accepted survives it, and nothing of it stays behind.

#![cfg(test)]

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::{Process, RECEIVER_STAGE, Staged, report};

/// What must happen happens well within this.
const PATIENCE: Duration = Duration::from_secs(60);

fn failures(ids: std::ops::Range<usize>) -> Vec<String> {
    // It failed now, by this machine's clock.
    ids.map(|n| report(&format!("o-{n}"), "orders", json!({ "occurredAt": null })).to_string()).collect()
}

async fn kept(process: &Process) -> u64 {
    let counts = process.get("/flows/orders").await;
    if counts.status == 404 { 0 } else { total(&counts.ok()["counts"]) }
}

fn total(counts: &Value) -> u64 {
    counts.as_object().unwrap().values().filter_map(Value::as_u64).sum()
}

fn runs(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_was_accepted_is_lost_when_everything_is_killed_in_mid_burst() {
    let data = tempfile::tempdir().unwrap();
    let process = Process::start(data.path()).await;
    let burst = tokio::spawn(Process::offer(process.sqs.clone(), process.aws_url(), failures(0..5_000)));
    let end = Instant::now() + PATIENCE;
    while kept(&process).await == 0 {
        assert!(Instant::now() < end, "nothing was taken in");
    }
    process.kill_everything().await;
    let accepted = burst.await.unwrap();
    assert!((1..5_000).contains(&accepted), "{accepted} were accepted before the kill");

    let process = Process::start(data.path()).await;
    // What was in the hands of a function comes back after the failures queue's visibility timeout.
    process.advance("8m").await;
    let found = kept(&process).await;
    let (least, most) = (accepted as u64, accepted as u64 + 10);
    assert!((least..=most).contains(&found), "{found} are kept, and {accepted} were accepted");

    // The schedules of before the kill and those of after it both fire.
    process.advance("1h").await;
    let sent = process.drain(RECEIVER_STAGE).await;
    let ids: BTreeSet<&str> = sent.iter().map(Staged::id).collect();
    let missing: Vec<String> =
        (0..accepted).map(|n| format!("o-{n}")).filter(|id| !ids.contains(id.as_str())).collect();
    assert!(missing.is_empty(), "{} of {accepted} were never retried: {:?}", missing.len(), missing.first());
    let attempts: BTreeSet<(&str, u64)> = sent.iter().map(|staged| (staged.id(), staged.attempt())).collect();
    assert_eq!(attempts.len(), sent.len(), "no attempt was sent twice");
    assert_eq!(process.interrupt().await.code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn queues_schedules_and_the_clock_survive_a_kill_at_rest() {
    let data = tempfile::tempdir().unwrap();
    let process = Process::start(data.path()).await;
    assert_eq!(Process::offer(process.sqs.clone(), process.aws_url(), failures(0..30)).await, 30);
    process.advance("7m").await;
    let before = process.advance("0s").await;
    process.kill_everything().await;

    let process = Process::start(data.path()).await;
    let after = process.advance("0s").await;
    assert!(after["now"].as_str() >= before["now"].as_str(), "the clock went back: {before} {after}");
    let first = process.drain(RECEIVER_STAGE).await;
    assert_eq!(first.len(), 30, "what lay on the stage still lies there");
    assert!(first.iter().all(|staged| staged.attempt() == 2));
    // Nobody confirms: the deadline and the second rung both are schedules of before the kill or follow from one.
    process.advance("40m").await;
    let second = process.drain(RECEIVER_STAGE).await;
    assert_eq!(second.iter().filter(|staged| staged.attempt() == 3).count(), 30);
    assert_eq!(process.interrupt().await.code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_ends_it_at_once_and_leaves_no_process_and_no_port_behind() {
    let data = tempfile::tempdir().unwrap();
    let process = Process::start(data.path()).await;
    let addresses = process.addresses();
    let burst = tokio::spawn(Process::offer(process.sqs.clone(), process.aws_url(), failures(0..2_000)));
    let end = Instant::now() + PATIENCE;
    while kept(&process).await == 0 {
        assert!(Instant::now() < end, "nothing was taken in");
    }
    let functions = process.functions();
    assert!(functions.len() >= 2, "ingest-failure and list run: {functions:?}");
    let ended = process.interrupt().await;
    assert_eq!(ended.code, Some(0));
    assert!(ended.after < Duration::from_secs(2), "it took {:?}", ended.after);
    assert!(!functions.iter().any(|pid| runs(*pid)), "a function outlives it");
    for address in addresses {
        TcpListener::bind(&address).unwrap_or_else(|error| panic!("{address}: {error}"));
    }
    let accepted = burst.await.unwrap() as u64;

    let process = Process::start(data.path()).await;
    process.advance("8m").await;
    assert!(kept(&process).await >= accepted, "what was accepted before Ctrl-C is there");
    assert_eq!(process.interrupt().await.code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_is_told_with_the_option_that_helps() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let free = "127.0.0.1:0";
    for (option, others) in [
        ("--http", ["--aws", free, "--issuer", free]),
        ("--aws", ["--http", free, "--issuer", free]),
        ("--issuer", ["--http", free, "--aws", free]),
    ] {
        let ended = Process::refused(&[&["--auth", option, &address], others.as_slice()].concat()).await;
        assert_eq!(ended.code, Some(1));
        assert!(ended.errors.contains(&format!("cannot listen on {address}")), "{}", ended.errors);
        assert!(ended.errors.contains(&format!("choose another address with {option} ")), "{}", ended.errors);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_test_issuer_is_never_seen_from_another_machine() {
    let free = ["--http", "127.0.0.1:0", "--aws", "127.0.0.1:0"];
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let ended = Process::refused(&[&["--auth", "--issuer", address], free.as_slice()].concat()).await;
        assert_eq!(ended.code, Some(1));
        assert!(ended.errors.contains("listens on loopback addresses only"), "{}", ended.errors);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_directory_in_use_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let process = Process::start(data.path()).await;
    let directory = data.path().to_str().unwrap();
    let ended = Process::refused(&["--http", "127.0.0.1:0", "--aws", "127.0.0.1:0", "--data", directory]).await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.errors.contains(directory) && ended.errors.contains("another"), "{}", ended.errors);
    assert_eq!(process.interrupt().await.code, Some(0));
}
