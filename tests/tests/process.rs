//! Kills and interrupts the real `local`: what it accepted survives, and no process or port is left.

#![cfg(test)]

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::{Process, RECEIVER_STAGE, StageMessage, report};

/// How long to wait for an expected event.
const MAX_WAIT: Duration = Duration::from_secs(60);

fn failures(ids: std::ops::Range<usize>) -> Vec<String> {
    // Without `occurredAt` the failure happens now, by this machine's clock.
    ids.map(|n| report(&format!("o-{n}"), "orders", json!({ "occurredAt": null })).to_string()).collect()
}

/// The number of interchanges in the flow.
async fn stored_count(process: &Process) -> u64 {
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
async fn accepted_failures_survive_a_kill_of_all_processes_during_a_burst() {
    let data = tempfile::tempdir().unwrap();
    let process = Process::start(data.path()).await;
    let burst =
        tokio::spawn(Process::send_until_unreachable(process.sqs.clone(), process.aws_url(), failures(0..5_000)));
    let end = Instant::now() + MAX_WAIT;
    while stored_count(&process).await == 0 {
        assert!(Instant::now() < end, "no failure was stored");
    }
    process.kill_everything().await;
    let accepted = burst.await.unwrap();
    assert!((1..5_000).contains(&accepted), "{accepted} were accepted before the kill");

    let process = Process::start(data.path()).await;
    // The messages in flight become visible again after the visibility timeout of the failures queue.
    process.advance("8m").await;
    let found = stored_count(&process).await;
    let (min, max) = (accepted as u64, accepted as u64 + 10);
    assert!((min..=max).contains(&found), "{found} are stored, but {accepted} were accepted");

    // The schedules from before the kill and those from after it fire.
    process.advance("1h").await;
    let sent = process.drain(RECEIVER_STAGE).await;
    let ids: BTreeSet<&str> = sent.iter().map(StageMessage::id).collect();
    let missing: Vec<String> =
        (0..accepted).map(|n| format!("o-{n}")).filter(|id| !ids.contains(id.as_str())).collect();
    assert!(missing.is_empty(), "{} of {accepted} were never retried: {:?}", missing.len(), missing.first());
    let attempts: BTreeSet<(&str, u64)> = sent.iter().map(|staged| (staged.id(), staged.attempt())).collect();
    assert_eq!(attempts.len(), sent.len(), "no attempt was sent twice");
    assert_eq!(process.interrupt().await.code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn queues_schedules_and_the_clock_survive_a_kill_of_an_idle_stack() {
    let data = tempfile::tempdir().unwrap();
    let process = Process::start(data.path()).await;
    assert_eq!(Process::send_until_unreachable(process.sqs.clone(), process.aws_url(), failures(0..30)).await, 30);
    process.advance("7m").await;
    let before = process.advance("0s").await;
    process.kill_everything().await;

    let process = Process::start(data.path()).await;
    let after = process.advance("0s").await;
    assert!(after["now"].as_str() >= before["now"].as_str(), "the clock went back: {before} {after}");
    let first = process.drain(RECEIVER_STAGE).await;
    assert_eq!(first.len(), 30, "the messages on the stage are still there");
    assert!(first.iter().all(|staged| staged.attempt() == 2));
    // There are no outcomes. The deadline and the second delay of the ladder depend on schedules from before the kill.
    process.advance("40m").await;
    let second = process.drain(RECEIVER_STAGE).await;
    assert_eq!(second.iter().filter(|staged| staged.attempt() == 3).count(), 30);
    assert_eq!(process.interrupt().await.code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_ends_it_quickly_and_leaves_no_process_and_no_open_port() {
    let data = tempfile::tempdir().unwrap();
    let process = Process::start(data.path()).await;
    let addresses = process.addresses();
    let burst =
        tokio::spawn(Process::send_until_unreachable(process.sqs.clone(), process.aws_url(), failures(0..2_000)));
    let end = Instant::now() + MAX_WAIT;
    while stored_count(&process).await == 0 {
        assert!(Instant::now() < end, "no failure was stored");
    }
    let functions = process.function_pids();
    assert!(functions.len() >= 2, "ingest-failure and list must run: {functions:?}");
    let ended = process.interrupt().await;
    assert_eq!(ended.code, Some(0));
    assert!(ended.after < Duration::from_secs(2), "it took {:?}", ended.after);
    assert!(!functions.iter().any(|pid| runs(*pid)), "a function process is still running");
    for address in addresses {
        TcpListener::bind(&address).unwrap_or_else(|error| panic!("{address}: {error}"));
    }
    let accepted = burst.await.unwrap() as u64;

    let process = Process::start(data.path()).await;
    process.advance("8m").await;
    assert!(stored_count(&process).await >= accepted, "an accepted failure is missing");
    assert_eq!(process.interrupt().await.code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_error_about_a_port_in_use_names_the_option_that_changes_it() {
    let occupied = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = occupied.local_addr().unwrap().to_string();
    let free = "127.0.0.1:0";
    for (option, others) in [
        ("--http", ["--aws", free, "--issuer", free]),
        ("--aws", ["--http", free, "--issuer", free]),
        ("--issuer", ["--http", free, "--aws", free]),
    ] {
        let ended = Process::run_until_exit(&[&["--auth", option, &address], others.as_slice()].concat()).await;
        assert_eq!(ended.code, Some(1));
        assert!(ended.errors.contains(&format!("cannot listen on {address}")), "{}", ended.errors);
        assert!(ended.errors.contains(&format!("choose another address with {option} ")), "{}", ended.errors);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_test_issuer_refuses_addresses_that_other_machines_can_reach() {
    let free = ["--http", "127.0.0.1:0", "--aws", "127.0.0.1:0"];
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let ended = Process::run_until_exit(&[&["--auth", "--issuer", address], free.as_slice()].concat()).await;
        assert_eq!(ended.code, Some(1));
        assert!(ended.errors.contains("listens on loopback addresses only"), "{}", ended.errors);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_directory_in_use_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let process = Process::start(data.path()).await;
    let directory = data.path().to_str().unwrap();
    let ended = Process::run_until_exit(&["--http", "127.0.0.1:0", "--aws", "127.0.0.1:0", "--data", directory]).await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.errors.contains(directory) && ended.errors.contains("another"), "{}", ended.errors);
    assert_eq!(process.interrupt().await.code, Some(0));
}
