//! A part of the exploration, the same one every time: `cargo explore` goes through all of it.

use std::time::{Duration, Instant};

use tests::explore::{Filter, Options, run};

/// How many histories are gone through, beside one of each scenario without a fault.
const HISTORIES: usize = 80;

/// Decides which ones.
const SEED: u64 = 10;

/// Worlds side by side: much of a history is waiting for repeats.
const SIDE_BY_SIDE: usize = 6;

/// More than this would be noticed in every run of all tests.
const AT_MOST: Duration = Duration::from_mins(10);

#[tokio::test(flavor = "multi_thread")]
async fn whatever_goes_wrong_at_a_call_nothing_is_lost_and_nothing_is_sent_twice_without_a_reason() {
    let options = Options {
        seed: SEED,
        filter: Filter::default(),
        histories: HISTORIES,
        jobs: SIDE_BY_SIDE,
        injections: Vec::new(),
    };
    let began = Instant::now();
    let summary = run(&options, |_, _, _| {}).await;
    let failed = summary.failures.iter().map(|(history, broken)| format!("cargo explore -- {history}\n{broken:#?}"));
    assert!(summary.failures.is_empty(), "{}", failed.collect::<Vec<_>>().join("\n"));
    assert!(summary.covered().len() > 20, "{summary}");
    assert!(began.elapsed() < AT_MOST, "{summary}");
}
