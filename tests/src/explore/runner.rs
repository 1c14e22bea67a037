//! Goes through histories, several side by side.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::JoinSet;

use super::coverage::Summary;
use super::history::{Ended, History};
use super::injection::Injection;
use super::place::Place;
use super::plan::{self, Dice, Filter};

/// What to explore.
#[derive(Debug, Clone)]
pub struct Options {
    /// Decides which histories there are, and in which order.
    pub seed: u64,
    pub filter: Filter,
    /// How many histories at most.
    pub histories: usize,
    /// Worlds side by side.
    pub jobs: usize,
    /// These alone, in each scenario that the filter takes.
    pub injections: Vec<Injection>,
}

/// How far it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Progress {
    pub done: usize,
    pub of: usize,
    /// Histories in which an invariant was broken.
    pub failed: usize,
}

/// Learns the scenarios' calls and goes through the histories that these make. `tell` hears of each that has ended.
pub async fn run(options: &Options, mut tell: impl FnMut(Progress, &History, &Ended)) -> Summary {
    let mut summary = Summary::default();
    let mut progress = Progress::default();
    let scenarios = options.filter.scenarios();
    let alone =
        scenarios.iter().map(|scenario| History { scenario: *scenario, injections: options.injections.clone() });
    let alone: Vec<History> = alone.collect();
    progress.of = alone.len();
    let mut learned = BTreeMap::new();
    side_by_side(alone, options.jobs, |history, ended| {
        progress.done += 1;
        progress.failed += usize::from(!ended.violations.is_empty());
        summary.add(&history, &ended);
        tell(progress, &history, &ended);
        learned.insert(history.scenario, ended.calls);
    })
    .await;
    if !options.injections.is_empty() {
        return summary;
    }
    let mut dice = Dice(options.seed);
    let singles: BTreeMap<_, _> = learned
        .into_iter()
        .map(|(scenario, calls)| (scenario, plan::singles(&calls, &options.filter, &mut dice)))
        .collect();
    summary.singles = singles.values().map(Vec::len).sum();
    let histories = plan::histories(&singles, options.histories, &mut dice);
    progress.of += histories.len();
    side_by_side(histories, options.jobs, |history, ended| {
        progress.done += 1;
        progress.failed += usize::from(!ended.violations.is_empty());
        summary.add(&history, &ended);
        tell(progress, &history, &ended);
    })
    .await;
    summary
}

async fn side_by_side(histories: Vec<History>, jobs: usize, mut ended: impl FnMut(History, Ended)) {
    let left: Arc<Mutex<VecDeque<History>>> = Arc::new(Mutex::new(histories.into()));
    let (told, mut hear) = tokio::sync::mpsc::unbounded_channel();
    let mut workers = JoinSet::new();
    for _ in 0..jobs.max(1) {
        let (left, told) = (left.clone(), told.clone());
        workers.spawn(async move {
            let mut place = Place::default();
            while let Some(history) = next(&left) {
                let ended = history.run(&mut place).await;
                // Nobody who listens goes away before the last one has ended.
                let _ = told.send((history, ended));
            }
            place.leave().await;
        });
    }
    drop(told);
    while let Some((history, how)) = hear.recv().await {
        ended(history, how);
    }
    while workers.join_next().await.is_some() {}
}

fn next(left: &Mutex<VecDeque<History>>) -> Option<History> {
    left.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
}
