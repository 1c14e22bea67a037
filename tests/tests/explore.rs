//! Runs a fixed part of the exploration. `cargo explore` runs all of it.

use std::time::{Duration, Instant};

use tests::explore::{Filter, Options, Summary, run};

/// The number of histories with faults. Each scenario also runs once without a fault.
const HISTORIES: usize = 80;

/// Decides which histories run.
const SEED: u64 = 10;

/// The number of worlds at the same time. Histories spend much of their time waiting for repeats.
const CONCURRENCY: usize = 6;

/// The maximum time of the test. A longer one would slow down every test run.
const MAX_DURATION: Duration = Duration::from_mins(10);

#[tokio::test(flavor = "multi_thread")]
async fn faults_at_any_call_lose_nothing_and_repeat_nothing_without_a_reason() {
    let options = Options {
        seed: SEED,
        filter: Filter::default(),
        histories: HISTORIES,
        jobs: CONCURRENCY,
        injections: Vec::new(),
    };
    let began = Instant::now();
    let summary = run(&options, |_, _, _| {}).await;
    assert!(summary.failures.is_empty(), "{}", broken(&summary));
    assert!(summary.covered().len() > 20, "{summary}");
    assert!(began.elapsed() < MAX_DURATION, "{summary}");
}

/// Histories that broke an invariant before a fix.
const FIXED: [(&str, &str); 5] = [
    ("by-hand", "retry/dynamodb/UpdateItem/3,transaction-conflict,some"),
    ("window", "run-job/dynamodb/UpdateItem/14,transaction-conflict,some"),
    ("job-halted", "jobs,while-in-flight,0s"),
    ("slot-ordered", "jobs,while-in-flight,0s"),
    ("slot-overdue", "run-job/dynamodb/BatchWriteItem/1,unprocessed,20m"),
];

#[tokio::test(flavor = "multi_thread")]
async fn histories_that_once_broke_an_invariant_break_none_any_more() {
    for (scenario, injection) in FIXED {
        let filter = Filter { scenarios: vec![scenario.to_owned()], ..Filter::default() };
        let injections = vec![injection.parse().unwrap()];
        let options = Options { seed: SEED, filter, histories: 1, jobs: 1, injections };
        let summary = run(&options, |_, _, _| {}).await;
        assert!(summary.failures.is_empty(), "{}", broken(&summary));
    }
}

/// The commands that repeat the failed histories, with the violations.
fn broken(summary: &Summary) -> String {
    let failed = summary.failures.iter().map(|(history, broken)| format!("cargo explore -- {history}\n{broken:#?}"));
    failed.collect::<Vec<_>>().join("\n")
}
