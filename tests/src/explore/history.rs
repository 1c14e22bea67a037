//! One history: a scenario in an empty world with something going wrong, time until all is quiet, and the invariants.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use local_aws::{Fault, Faults, Fired, Recording, SeenCall};

use super::injection::Injection;
use super::pipeline::Pipeline;
use super::place::Place;
use super::scenarios::Scenario;
use crate::World;
use crate::invariants::{self, Disturbances, Violation};

/// A history that has not ended by then never will.
const PATIENCE: Duration = Duration::from_mins(5);

/// For so long a call may hang before its caller must have given it up, with repeats.
const HANG: Duration = Duration::from_secs(20);

/// How often it is looked whether a call hangs.
const LOOK: Duration = Duration::from_millis(500);

/// What is to be gone through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    pub scenario: Scenario,
    /// What goes wrong; nothing where calls are learned.
    pub injections: Vec<Injection>,
}

/// What a history came to.
#[derive(Debug, Clone, Default)]
pub struct Ended {
    /// Empty when all invariants hold.
    pub violations: Vec<Violation>,
    /// The faults that happened.
    pub fired: Vec<Fired>,
    /// Messages that came twice or late.
    pub redelivered: u64,
    /// The calls of the functions, in the order of their arrival.
    pub calls: Vec<SeenCall>,
    /// Real time.
    pub took: Duration,
}

impl History {
    /// Goes through it in a world that is empty. The world can be used again where all was as it should be.
    pub(super) async fn run(&self, place: &mut Place) -> Ended {
        let world = place.take().await;
        let began = Instant::now();
        let history = self.clone();
        let mut running = tokio::spawn(async move { history.go(world).await });
        let mut ended = match tokio::time::timeout(PATIENCE, &mut running).await {
            Ok(Ok((ended, world))) => {
                if ended.violations.is_empty() {
                    place.give_back(world).await;
                } else {
                    // What it holds against them is among the violations.
                    world.log().excuse();
                    world.stop().await;
                }
                ended
            }
            Ok(Err(error)) => failed("the harness can go on", panic_message(error)),
            Err(_) => {
                running.abort();
                failed("a history ends", format!("not within {} s of real time", PATIENCE.as_secs()))
            }
        };
        ended.took = began.elapsed();
        ended
    }

    async fn go(&self, world: World) -> (Ended, World) {
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
        pipeline.rest().await;
        faults.record(Recording::Off);
        faults.clear();
        let fired = faults.fired().split_off(before.0);
        pipeline.evidence.disturbances = Disturbances::of(&fired);
        let mut violations = invariants::check(&pipeline.world, &pipeline.evidence).await;
        if watch.stop() {
            let detail = format!("nobody gave a hanging call up within {} s", HANG.as_secs());
            violations.push(Violation { rule: "no call hangs for long", detail });
        }
        let refused = pipeline.refused.drain(..);
        violations.extend(refused.map(|detail| Violation { rule: "a repeated request succeeds", detail }));
        let ended = Ended {
            violations,
            fired,
            redelivered: faults.redelivered() - before.1,
            calls: faults.calls(),
            took: Duration::ZERO,
        };
        (ended, pipeline.world)
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "--scenario {}", self.scenario)?;
        self.injections.iter().try_for_each(|injection| write!(f, " --inject {injection}"))
    }
}

/// Lets hanging calls go when their callers wait for too long.
struct HangWatch {
    released: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<()>,
}

impl HangWatch {
    /// `before` faults happened in earlier histories.
    fn start(faults: Faults, before: usize, steps: Arc<AtomicU64>) -> Self {
        let released = Arc::new(AtomicBool::new(false));
        let told = released.clone();
        let task = tokio::spawn(async move {
            let mut look = tokio::time::interval(LOOK);
            let mut since = (0, Instant::now());
            loop {
                look.tick().await;
                let step = steps.load(Ordering::Relaxed);
                if step != since.0 || !faults.fired().iter().skip(before).any(|it| hangs(it.fault)) {
                    since = (step, Instant::now());
                } else if since.1.elapsed() > HANG {
                    told.store(true, Ordering::Relaxed);
                    faults.clear();
                    return;
                }
            }
        });
        Self { released, task }
    }

    /// Whether calls had to be let go.
    fn stop(self) -> bool {
        self.task.abort();
        self.released.load(Ordering::Relaxed)
    }
}

fn hangs(fault: Fault) -> bool {
    [Fault::Hang, Fault::HangAfter].contains(&fault)
}

fn failed(rule: &'static str, detail: String) -> Ended {
    Ended { violations: vec![Violation { rule, detail }], ..Ended::default() }
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
