//! Runs one history: a scenario with faults in an empty world, until the stack is idle. Then checks the invariants.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use local_aws::{Fault, Faults, Fired, Recording, SeenCall};

use super::injection::Injection;
use super::pipeline::Pipeline;
use super::place::ReusedWorld;
use super::scenarios::Scenario;
use crate::World;
use crate::invariants::{self, Disturbances, Violation};

/// A history that takes longer in real time counts as hanging.
const MAX_HISTORY: Duration = Duration::from_mins(5);

/// A caller must give up a hanging call within this time, including its repeats.
const MAX_HANG: Duration = Duration::from_secs(20);

/// How often the watch looks for hanging calls.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// A scenario with the faults that happen in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    pub scenario: Scenario,
    /// Empty in the first run of a scenario, which records its calls.
    pub injections: Vec<Injection>,
}

/// The result of a history.
#[derive(Debug, Clone, Default)]
pub struct HistoryResult {
    /// Empty when all invariants hold.
    pub violations: Vec<Violation>,
    /// The faults that happened.
    pub fired: Vec<Fired>,
    /// The number of messages that were delivered twice or late.
    pub redelivered: u64,
    /// The AWS calls of the functions, in order of arrival.
    pub calls: Vec<SeenCall>,
    /// The real time that it took.
    pub duration: Duration,
}

impl History {
    /// Runs it in an empty world. The world is used again unless an invariant is broken.
    pub(super) async fn run(&self, worlds: &mut ReusedWorld) -> HistoryResult {
        let world = worlds.acquire().await;
        let began = Instant::now();
        let history = self.clone();
        let mut running = tokio::spawn(async move { history.run_in(world).await });
        let mut result = match tokio::time::timeout(MAX_HISTORY, &mut running).await {
            Ok(Ok((result, world))) => {
                if result.violations.is_empty() {
                    worlds.release(world).await;
                } else {
                    // Leaks in the log are among the violations already.
                    world.log().allow_leaks();
                    world.stop().await;
                }
                result
            }
            Ok(Err(error)) => failed("the harness does not panic", panic_message(error)),
            Err(_) => {
                running.abort();
                failed("a history ends", format!("it did not end within {} s of real time", MAX_HISTORY.as_secs()))
            }
        };
        result.duration = began.elapsed();
        result
    }

    async fn run_in(&self, world: World) -> (HistoryResult, World) {
        let aws = world.stack.aws().clone();
        let faults = aws.faults();
        let before = (faults.fired().len(), faults.redelivered());
        faults.record(Recording::On);
        for injection in &self.injections {
            injection.arm(faults, aws.clock().now());
        }
        let mut pipeline = Pipeline::new(world);
        let watch = HangWatch::start(faults.clone(), before.0, pipeline.steps.clone());
        self.scenario.run(&mut pipeline).await;
        pipeline.run_until_idle().await;
        faults.record(Recording::Off);
        faults.clear();
        let fired = faults.fired().split_off(before.0);
        pipeline.evidence.disturbances = Disturbances::of(&fired);
        let mut violations = invariants::check(&pipeline.world, &pipeline.evidence).await;
        if watch.stop() {
            let detail = format!("no caller gave up a hanging call within {} s", MAX_HANG.as_secs());
            violations.push(Violation { rule: "no call hangs for long", detail });
        }
        let refused = pipeline.refused.drain(..);
        violations.extend(refused.map(|detail| Violation { rule: "a repeated request succeeds", detail }));
        let result = HistoryResult {
            violations,
            fired,
            redelivered: faults.redelivered() - before.1,
            calls: faults.calls(),
            duration: Duration::ZERO,
        };
        (result, pipeline.world)
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "--scenario {}", self.scenario)?;
        self.injections.iter().try_for_each(|injection| write!(f, " --inject {injection}"))
    }
}

/// Releases hanging calls when their callers wait too long.
struct HangWatch {
    released: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<()>,
}

impl HangWatch {
    /// Starts the watch. `before` is the number of faults of earlier histories in this world.
    fn start(faults: Faults, before: usize, steps: Arc<AtomicU64>) -> Self {
        let released = Arc::new(AtomicBool::new(false));
        let flag = released.clone();
        let task = tokio::spawn(async move {
            let mut ticks = tokio::time::interval(POLL_INTERVAL);
            let mut since = (0, Instant::now());
            loop {
                ticks.tick().await;
                let step = steps.load(Ordering::Relaxed);
                if step != since.0 || !faults.fired().iter().skip(before).any(|it| hangs(it.fault)) {
                    since = (step, Instant::now());
                } else if since.1.elapsed() > MAX_HANG {
                    flag.store(true, Ordering::Relaxed);
                    faults.clear();
                    return;
                }
            }
        });
        Self { released, task }
    }

    /// Ends the watch. Returns whether it had to release calls.
    fn stop(self) -> bool {
        self.task.abort();
        self.released.load(Ordering::Relaxed)
    }
}

fn hangs(fault: Fault) -> bool {
    [Fault::Hang, Fault::HangAfter].contains(&fault)
}

fn failed(rule: &'static str, detail: String) -> HistoryResult {
    HistoryResult { violations: vec![Violation { rule, detail }], ..HistoryResult::default() }
}

fn panic_message(error: tokio::task::JoinError) -> String {
    match error.try_into_panic() {
        Ok(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
        }
        Err(error) => error.to_string(),
    }
}
