//! A part of the exploration, the same one every time: `cargo explore` goes through all of it.

use std::time::{Duration, Instant};

use tests::explore::{Filter, Options, Summary, run};

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
    assert!(summary.failures.is_empty(), "{}", broken(&summary));
    assert!(summary.covered().len() > 20, "{summary}");
    assert!(began.elapsed() < AT_MOST, "{summary}");
}

/// Histories that once broke an invariant.
const MENDED: [(&str, &str); 5] = [
    ("by-hand", "retry/dynamodb/UpdateItem/3,transaction-conflict,some"),
    ("window", "run-job/dynamodb/UpdateItem/14,transaction-conflict,some"),
    ("job-halted", "jobs,while-in-flight,0s"),
    ("slot-ordered", "jobs,while-in-flight,0s"),
    ("slot-overdue", "run-job/dynamodb/BatchWriteItem/1,unprocessed,20m"),
];

#[tokio::test(flavor = "multi_thread")]
async fn what_once_went_wrong_goes_right() {
    for (scenario, injection) in MENDED {
        let filter = Filter { scenarios: vec![scenario.to_owned()], ..Filter::default() };
        let injections = vec![injection.parse().unwrap()];
        let options = Options { seed: SEED, filter, histories: 1, jobs: 1, injections };
        let summary = run(&options, |_, _, _| {}).await;
        assert!(summary.failures.is_empty(), "{}", broken(&summary));
    }
}

/// What is to be typed to see it again, and what was broken.
fn broken(summary: &Summary) -> String {
    let failed = summary.failures.iter().map(|(history, broken)| format!("cargo explore -- {history}\n{broken:#?}"));
    failed.collect::<Vec<_>>().join("\n")
}
