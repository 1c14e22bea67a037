//! The measured scenarios. Each has a stack of its own that has already stored a message. So the cost of what happens once per
//! flow or process is not counted. The cost of what happens once per minute or job is.

use std::pin::Pin;
use std::time::Duration;

use local_aws::Call;
use serde_json::{Value, json};
use tests::World;

use crate::messages::{FLOW, Payloads, completed, failed, id};
use crate::table::Target;

/// Batches of an ingest scenario: one every ten seconds, so that six of them share a slot.
const BATCHES: usize = 6;

/// The scenario with which a scheduled retry is compared.
const RETRY: &str = "bulk retry";

/// The number of messages in a job.
const JOB_SIZE: usize = 1_000;

/// The batch size of the event source in the template.
const BATCH: usize = 100;

/// Where round trips are counted, DynamoDB responds after no call has arrived for this time.
const IDLE_BEFORE_RESPONSE: Duration = Duration::from_millis(150);

type Run = fn(World) -> Pin<Box<dyn Future<Output = (usize, Vec<Call>)>>>;

/// One row of the table.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) targets: &'static [Target],
    run: Run,
}

/// The measured calls of a scenario.
pub(crate) struct Measurement {
    pub(crate) name: &'static str,
    pub(crate) targets: &'static [Target],
    /// The number of messages or requests that caused the calls.
    pub(crate) messages: usize,
    pub(crate) calls: Vec<Call>,
}

pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario { name: "ingest, batch of 1", targets: &[], run: |w| Box::pin(ingest(w, 1, Payloads::Sender)) },
    Scenario { name: "ingest, batch of 10", targets: &[], run: |w| Box::pin(ingest(w, 10, Payloads::Sender)) },
    Scenario {
        name: "ingest, batch of 100",
        targets: &[Target::Calls(0.08), Target::WriteUnits(7.0)],
        run: |w| Box::pin(ingest(w, 100, Payloads::Sender)),
    },
    Scenario { name: "ingest, batch of 1,000", targets: &[], run: |w| Box::pin(ingest(w, 1_000, Payloads::Sender)) },
    Scenario {
        name: "ingest, batch of 100, two payloads",
        targets: &[],
        run: |w| Box::pin(ingest(w, 100, Payloads::Both)),
    },
    Scenario {
        name: RETRY,
        targets: &[Target::Calls(0.15), Target::WriteUnits(6.0), Target::SqsCalls(0.11)],
        run: |w| Box::pin(bulk(w, "retry", Payloads::Receiver)),
    },
    Scenario { name: "bulk retry, two payloads", targets: &[], run: |w| Box::pin(bulk(w, "retry", Payloads::Both)) },
    Scenario { name: "bulk restart", targets: &[], run: |w| Box::pin(bulk(w, "restart", Payloads::Sender)) },
    Scenario {
        name: "bulk delete",
        targets: &[Target::Calls(0.15), Target::WriteUnits(7.0)],
        run: |w| Box::pin(bulk(w, "delete", Payloads::Sender)),
    },
    Scenario { name: "bulk delete, two payloads", targets: &[], run: |w| Box::pin(bulk(w, "delete", Payloads::Both)) },
    Scenario { name: "scheduled retry", targets: &[Target::CallsBeyond(RETRY, 0.05)], run: |w| Box::pin(scheduled(w)) },
    Scenario {
        name: "outcome, batch of 100",
        targets: &[Target::Calls(0.12), Target::WriteUnits(7.5)],
        run: |w| Box::pin(outcome(w, Payloads::Receiver)),
    },
    Scenario {
        name: "outcome, batch of 100, two payloads",
        targets: &[],
        run: |w| Box::pin(outcome(w, Payloads::Both)),
    },
    Scenario { name: "assumed completion", targets: &[], run: |w| Box::pin(assumed(w)) },
    Scenario { name: "a minute in which nothing happens", targets: &[], run: |w| Box::pin(idle(w)) },
    Scenario { name: "retry of one", targets: &[], run: |w| Box::pin(act_on_one(w, "retry", Payloads::Receiver)) },
    Scenario { name: "delete of one", targets: &[], run: |w| Box::pin(act_on_one(w, "delete", Payloads::Sender)) },
    Scenario {
        name: "delete of one, two payloads",
        targets: &[],
        run: |w| Box::pin(act_on_one(w, "delete", Payloads::Both)),
    },
    Scenario {
        name: "list, page of 50 of 1,000",
        targets: &[Target::RoundTrips(1)],
        run: |w| Box::pin(read(w, format!("/flows/{FLOW}/interchanges?limit=50"))),
    },
    Scenario { name: "detail", targets: &[], run: |w| Box::pin(read(w, format!("/interchanges/{}", id(1)))) },
    Scenario { name: "flows", targets: &[], run: |w| Box::pin(read(w, "/flows".to_owned())) },
];

impl Scenario {
    pub(crate) async fn run(&self) -> Measurement {
        let (messages, calls) = (self.run)(World::start_metered().await).await;
        Measurement { name: self.name, targets: self.targets, messages, calls }
    }
}

async fn ingest(world: World, batch: usize, payloads: Payloads) -> (usize, Vec<Call>) {
    fill(&world, 1, payloads).await;
    let mut calls = Vec::new();
    for run in 1..=BATCHES {
        world.advance("10s").await;
        let now = now(&world);
        let reports: Vec<Value> = (0..batch).map(|n| failed(run * batch + n, payloads, &now)).collect();
        calls.extend(calls_of(&world, world.ingest_batch(&reports)).await);
    }
    world.stop().await;
    (BATCHES * batch, calls)
}

async fn bulk(world: World, action: &str, payloads: Payloads) -> (usize, Vec<Call>) {
    fill(&world, JOB_SIZE, payloads).await;
    let calls = calls_of(&world, job(&world, action)).await;
    assert_job_completed(&world).await;
    world.stop().await;
    (JOB_SIZE, calls)
}

async fn scheduled(world: World) -> (usize, Vec<Call>) {
    fill(&world, JOB_SIZE, Payloads::Receiver).await;
    let calls = calls_of(&world, world.advance("6m")).await;
    assert_eq!(world.held(tests::RECEIVER_STAGE), JOB_SIZE);
    world.stop().await;
    (JOB_SIZE, calls)
}

async fn outcome(world: World, payloads: Payloads) -> (usize, Vec<Call>) {
    fill(&world, BATCH, payloads).await;
    job(&world, "retry").await;
    assert_job_completed(&world).await;
    world.advance("1m").await;
    let now = now(&world);
    let reports: Vec<Value> = (0..BATCH).map(|n| completed(n, &now)).collect();
    let calls = calls_of(&world, world.ingest_batch(&reports)).await;
    world.stop().await;
    (BATCH, calls)
}

/// The cost of completions that are assumed when the deadline of a silent flow passes.
async fn assumed(world: World) -> (usize, Vec<Call>) {
    fill(&world, JOB_SIZE, Payloads::Receiver).await;
    let silent = json!({ "mode": "silent", "within": "10m" });
    world.put(&format!("/flows/{FLOW}"), json!({ "confirmation": silent, "retry": { "mode": "manual" } })).await.ok();
    job(&world, "retry").await;
    assert_job_completed(&world).await;
    let calls = calls_of(&world, world.advance("11m")).await;
    let flow = world.get(&format!("/flows/{FLOW}")).await.ok();
    assert_eq!(flow["counts"]["completed"], JOB_SIZE, "{flow}");
    world.stop().await;
    (JOB_SIZE, calls)
}

/// The cost of the sweeps, per minute: it does not depend on how many messages there are.
async fn idle(world: World) -> (usize, Vec<Call>) {
    const MINUTES: usize = 60;
    world.put(&format!("/flows/{FLOW}"), json!({ "retry": { "mode": "manual" } })).await.ok();
    fill(&world, 3, Payloads::Sender).await;
    world.advance("2h").await;
    let calls = calls_of(&world, world.advance(&format!("{MINUTES}m"))).await;
    world.stop().await;
    (MINUTES, calls)
}

async fn act_on_one(world: World, action: &str, payloads: Payloads) -> (usize, Vec<Call>) {
    fill(&world, 3, payloads).await;
    let act = |n: usize| {
        let path = format!("/interchanges/{}/{action}", id(n));
        let world = &world;
        async move { world.post(&path, json!({ "reason": "the partner is back" })).await.ok() }
    };
    act(0).await;
    let calls = calls_with_round_trips(&world, act(1)).await;
    world.stop().await;
    (1, calls)
}

async fn read(world: World, path: String) -> (usize, Vec<Call>) {
    fill(&world, JOB_SIZE, Payloads::Sender).await;
    world.get(&path).await.ok();
    let calls = calls_with_round_trips(&world, world.get(&path)).await;
    world.stop().await;
    (1, calls)
}

/// Reports so many failures, in batches of the event source.
async fn fill(world: &World, messages: usize, payloads: Payloads) {
    let now = now(world);
    let reports: Vec<Value> = (0..messages).map(|n| failed(n, payloads, &now)).collect();
    for batch in reports.chunks(BATCH) {
        world.ingest_batch(batch).await;
    }
}

/// Starts a job over all failures of the flow and waits until the stack is idle.
async fn job(world: &World, action: &str) {
    let order = json!({ "reason": "the partner is back", "selection": { "all": true } });
    world.post(&format!("/flows/{FLOW}/{action}"), order).await.ok();
    world.settle().await;
}

/// Checks that the flow's job completed. Otherwise its cost would be too low.
async fn assert_job_completed(world: &World) {
    let jobs = world.get(&format!("/flows/{FLOW}/jobs")).await.ok();
    assert_eq!(jobs["items"][0]["status"], "completed", "{jobs}");
}

/// As [`calls_of`], but DynamoDB holds its responses until no further call arrives, so that round trips can be counted.
async fn calls_with_round_trips<T>(world: &World, operation: impl Future<Output = T>) -> Vec<Call> {
    world.stack.aws().meter().hold_responses(IDLE_BEFORE_RESPONSE);
    calls_of(world, operation).await
}

/// The AWS calls that an operation causes until the stack is idle.
async fn calls_of<T>(world: &World, operation: impl Future<Output = T>) -> Vec<Call> {
    world.settle().await;
    let meter = world.stack.aws().meter().clone();
    drop(meter.take());
    operation.await;
    world.settle().await;
    meter.take()
}

fn now(world: &World) -> String {
    world.stack.aws().clock().now().to_string()
}
