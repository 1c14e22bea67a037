//! Kills functions at random while they handle failures, jobs and outcomes, and while the sweep folds count rows. Afterwards all
//! counts and statuses are correct.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::{FAILURES, RECEIVER_STAGE, World, report};

use crate::flow_times::rounded_time;

/// Decides which function is killed in each round, and when.
const SEED: u64 = 4711;

/// Each round kills a function once.
const ROUNDS: usize = 20;

/// Failures that are reported in a round.
const FAILURES_PER_ROUND: usize = 25;

/// The time between two rounds. By then messages in flight are visible again, and the count rows are old enough to be folded.
const ROUND_TIME: &str = "61m";

/// How long to wait for a process that can be killed.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// Pseudo-random numbers (xorshift).
struct Rng(u64);

impl Rng {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// Waits until a function has a process, lets it run for a random time, and kills all its processes. Returns how many it killed,
/// at least one.
async fn kill(world: &World, function: &str, rng: &mut Rng) -> usize {
    let end = Instant::now() + MAX_WAIT;
    let mut delay = rng.below(3_000);
    loop {
        assert!(Instant::now() < end, "{function} has no process to kill");
        tokio::task::yield_now().await;
        if world.stack.environment_pids(function).unwrap().is_empty() {
            continue;
        }
        if delay > 0 {
            delay -= 1;
            continue;
        }
        let killed = world.stack.kill_environments(function).await.unwrap();
        if killed > 0 {
            return killed;
        }
    }
}

/// Reports outcomes of all messages on the stage. Every third one fails again.
async fn outcomes(world: &World) {
    let now = world.stack.aws().clock().now().to_string();
    let reports = world.drain(RECEIVER_STAGE).await.into_iter().map(|staged| {
        let number: usize = staged.id().trim_start_matches("o-").parse().unwrap();
        let kind = if number.is_multiple_of(3) { "interchange.failed" } else { "interchange.completed" };
        report(staged.id(), "orders", json!({ "type": kind, "attempt": staged.attempt(), "occurredAt": now }))
            .to_string()
    });
    world.send(reports).await;
}

/// Whether the sweep has folded count rows of the flow. Only the table shows that.
pub(crate) fn has_folded(world: &World) -> bool {
    let folded = json!({ "pk": { "S": "FLOWS" }, "sk": { "S": "orders#folded" } });
    let request = serde_json::from_value(json!({ "TableName": "reprise", "Key": folded })).unwrap();
    world.stack.aws().dynamodb().get_item(request).unwrap().item.is_some()
}

async fn every_row(world: &World) -> Vec<Value> {
    let statuses = "failed,partially_failed,waiting_for_retry,waiting_for_restart,in_network,completed,deleted";
    let mut rows = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = world.get(&format!("/flows/orders/interchanges?limit=200&status={statuses}{cursor}")).await.ok();
        rows.extend(page["items"].as_array().unwrap().clone());
        match page["cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return rows,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_and_statuses_are_correct_after_a_kill_in_each_of_twenty_rounds() {
    let world = World::start().await;
    let config = json!({ "retry": { "mode": "manual" }, "confirmation": { "within": "365d" } });
    world.put("/flows/orders", config).await.ok();
    let mut rng = Rng(SEED);
    let mut jobs = Vec::new();
    let mut killed = BTreeMap::from([("reprise-ingest-failure", 0), ("reprise-run-job", 0)]);
    let mut interrupted = 0;
    for round in 0..ROUNDS {
        let numbers = round * FAILURES_PER_ROUND..(round + 1) * FAILURES_PER_ROUND;
        let failures = numbers.map(|n| report(&format!("o-{n}"), "orders", json!({})).to_string());
        if rng.below(2) == 0 {
            let ((), count) = tokio::join!(world.send(failures), kill(&world, "reprise-ingest-failure", &mut rng));
            *killed.entry("reprise-ingest-failure").or_default() += count;
        } else {
            world.send(failures).await;
            let body = json!({ "reason": "the partner is back", "selection": { "all": true } });
            let order = async {
                let answer = world.post("/flows/orders/retry", body).await;
                world.settle().await;
                answer
            };
            let (answer, count) = tokio::join!(order, kill(&world, "reprise-run-job", &mut rng));
            *killed.entry("reprise-run-job").or_default() += count;
            // There is no location when the order is refused, because the job of an earlier round is still active.
            jobs.extend(answer.location);
        }
        // The message of a function that was killed at work is still in flight.
        interrupted += usize::from(world.held(FAILURES) + world.held("reprise-jobs") > 0);
        world.advance(ROUND_TIME).await;
        outcomes(&world).await;
    }
    for _ in 0..3 {
        world.advance(ROUND_TIME).await;
        outcomes(&world).await;
    }

    assert!(killed.values().sum::<usize>() >= ROUNDS && !killed.values().any(|count| *count == 0), "{killed:?}");
    assert!(interrupted > 0, "no kill interrupted a function at work");
    let rows = every_row(&world).await;
    assert_eq!(rows.len(), ROUNDS * FAILURES_PER_ROUND, "each failure has exactly one row");
    let mut by_status: BTreeMap<&str, u64> = BTreeMap::new();
    for row in &rows {
        *by_status.entry(row["status"].as_str().unwrap()).or_default() += 1;
    }
    let flow = world.get("/flows/orders").await.ok();
    for (status, count) in flow["counts"].as_object().unwrap() {
        assert_eq!(count, by_status.get(status.as_str()).unwrap_or(&0), "{status}");
    }
    let mut unresolved: Vec<&str> = rows
        .iter()
        .filter(|row| !["completed", "deleted"].contains(&row["status"].as_str().unwrap()))
        .map(|row| row["failedAt"].as_str().unwrap())
        .collect();
    unresolved.sort_unstable();
    let now = world.stack.aws().clock().now();
    assert_eq!(flow["oldestFailureAt"], rounded_time(unresolved[0], now));
    assert_eq!(flow["newestFailureAt"], rounded_time(unresolved[unresolved.len() - 1], now));
    assert!(has_folded(&world), "the sweep did not fold any row, so this test does not cover it");
    let groups = world.get("/flows/orders/groups").await.ok();
    let grouped: u64 = groups["items"].as_array().unwrap().iter().map(|group| group["count"].as_u64().unwrap()).sum();
    assert_eq!(grouped, *by_status.get("failed").unwrap_or(&0));
    assert!(!jobs.is_empty());
    let mut sent = 0;
    for path in &jobs {
        let job = world.get(path).await.ok();
        assert_eq!(job["status"], "completed", "{job}");
        let of = |name: &str| job["counts"][name].as_u64().unwrap();
        assert_eq!(of("matched"), of("sent") + of("skipped"), "{job}");
        assert_eq!(of("sent"), of("completed") + of("failedAgain"), "{job}");
        sent += of("sent");
    }
    let tries: u64 = rows.iter().map(|row| row["tries"].as_u64().unwrap()).sum();
    assert_eq!(sent, tries, "every attempt belongs to a job");
    world.stop().await;
}
