//! Runs histories, several at the same time.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::JoinSet;

use super::coverage::Summary;
use super::history::{History, HistoryResult};
use super::injection::Injection;
use super::place::ReusedWorld;
use super::plan::{self, Filter, Rng};

/// What to explore.
#[derive(Debug, Clone)]
pub struct Options {
    /// Decides which histories run, and in which order.
    pub seed: u64,
    pub filter: Filter,
    /// The maximum number of histories.
    pub histories: usize,
    /// The number of worlds at the same time.
    pub jobs: usize,
    /// When not empty: run exactly these, together, in each selected scenario.
    pub injections: Vec<Injection>,
}

/// The progress of an exploration.
#[derive(Debug, Clone, Copy, Default)]
pub struct Progress {
    pub done: usize,
    pub of: usize,
    /// Histories that broke an invariant.
    pub failed: usize,
}

/// Records the calls of each scenario, then runs the histories planned from them. Calls `on_result` after each history.
pub async fn run(options: &Options, mut on_result: impl FnMut(Progress, &History, &HistoryResult)) -> Summary {
    let mut summary = Summary::default();
    let mut progress = Progress::default();
    let scenarios = options.filter.scenarios();
    let first_runs =
        scenarios.iter().map(|scenario| History { scenario: *scenario, injections: options.injections.clone() });
    let first_runs: Vec<History> = first_runs.collect();
    progress.of = first_runs.len();
    let mut recorded = BTreeMap::new();
    run_concurrently(first_runs, options.jobs, |history, result| {
        progress.done += 1;
        progress.failed += usize::from(!result.violations.is_empty());
        summary.add(&history, &result);
        on_result(progress, &history, &result);
        recorded.insert(history.scenario, result.calls);
    })
    .await;
    if !options.injections.is_empty() {
        return summary;
    }
    let mut rng = Rng(options.seed);
    let singles: BTreeMap<_, _> = recorded
        .into_iter()
        .map(|(scenario, calls)| (scenario, plan::singles(&calls, &options.filter, &mut rng)))
        .collect();
    summary.singles = singles.values().map(Vec::len).sum();
    let histories = plan::histories(&singles, options.histories, &mut rng);
    progress.of += histories.len();
    run_concurrently(histories, options.jobs, |history, result| {
        progress.done += 1;
        progress.failed += usize::from(!result.violations.is_empty());
        summary.add(&history, &result);
        on_result(progress, &history, &result);
    })
    .await;
    summary
}

async fn run_concurrently(histories: Vec<History>, jobs: usize, mut on_result: impl FnMut(History, HistoryResult)) {
    let left: Arc<Mutex<VecDeque<History>>> = Arc::new(Mutex::new(histories.into()));
    let (sender, mut results) = tokio::sync::mpsc::unbounded_channel();
    let mut workers = JoinSet::new();
    for _ in 0..jobs.max(1) {
        let (left, sender) = (left.clone(), sender.clone());
        workers.spawn(async move {
            let mut worlds = ReusedWorld::default();
            while let Some(history) = next(&left) {
                let result = history.run(&mut worlds).await;
                // The receiver lives until the last sender is gone, so this cannot fail.
                let _ = sender.send((history, result));
            }
            worlds.stop().await;
        });
    }
    drop(sender);
    while let Some((history, result)) = results.recv().await {
        on_result(history, result);
    }
    while workers.join_next().await.is_some() {}
}

fn next(left: &Mutex<VecDeque<History>>) -> Option<History> {
    left.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
}
