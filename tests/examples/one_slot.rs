//! `cargo run --release --package tests --example one_slot -- [members]` measures the memory of run-job when that many messages
//! (default: 100,000) fall due in one minute: to a standard queue, to a FIFO queue, and in a window that takes a
//! thousand of them.
//! Each message must be sent once, those of an order group in order, and each process of run-job must stay below 128 MB.

use std::collections::{BTreeMap, HashSet};
use std::io::Write;
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tests::{RECEIVER_STAGE, START, World, report};

const MAX_PEAK_KIB: u64 = 128 * 1024;
const GROUPS: usize = 1_000;
/// Reports per batch of the event source.
const BATCH: usize = 100;

/// Messages that a window takes in one run.
const WINDOW: usize = 1_000;

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Standard,
    Ordered,
    Window,
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let members = std::env::args().nth(1).map_or(Ok(100_000), |text| text.parse());
    let members: usize = members.expect("a number of members");
    for kind in [Kind::Standard, Kind::Ordered, Kind::Window] {
        let world = World::start().await;
        let queue = if kind == Kind::Ordered { "ordered.fifo" } else { RECEIVER_STAGE };
        let url = if kind == Kind::Ordered { world.fifo_queue(queue).await } else { world.queue_url(queue) };
        let schedule = match kind {
            Kind::Window => json!({ "kind": "window", "every": "hour", "interval": 1, "batch": WINDOW }),
            _ => json!({ "kind": "ladder", "delays": ["1h"] }),
        };
        let config = json!({ "confirmation": { "within": "48h" }, "stages": { "receiver": { "queueUrl": url } },
                             "retry": { "schedule": schedule } });
        world.put("/flows/orders", config).await.ok();
        let began = Instant::now();
        fail(&world, members).await;
        let ingest_time = began.elapsed();
        let began = Instant::now();
        let peak = world.peak_memory_while_advancing(SignedDuration::from_mins(61), "reprise-run-job").await;
        let send_time = began.elapsed();
        let sent = if kind == Kind::Window { WINDOW.min(members) } else { members };
        check(&world, queue, sent, kind).await;
        assert!(peak < MAX_PEAK_KIB, "run-job took {peak} KiB");
        let what = match kind {
            Kind::Standard => "standard queue",
            Kind::Ordered => "FIFO queue",
            Kind::Window => "window of 1,000",
        };
        writeln!(
            std::io::stdout(),
            "{members} members in one slot, {what}: the largest process of run-job took {:.1} MB; stored within {:.0} s, \
             {sent} sent within {:.0} s",
            peak as f64 / 1024.0,
            ingest_time.as_secs_f64(),
            send_time.as_secs_f64()
        )?;
        world.stop().await;
    }
    Ok(())
}

/// Reports so many failures that happened in the minute before the world started, in order.
async fn fail(world: &World, members: usize) {
    let start: Timestamp = START.parse().expect("a time");
    let first = start - SignedDuration::from_secs(59);
    let step = SignedDuration::from_secs(50).as_micros() / members as i128;
    let numbers: Vec<usize> = (0..members).collect();
    for numbers in numbers.chunks(BATCH) {
        let failure = |number: &usize| {
            let at = first + SignedDuration::from_micros((step * *number as i128) as i64);
            let more = json!({ "occurredAt": at.to_string(), "phase": "delivery",
                               "orderKey": format!("group-{}", number % GROUPS) });
            report(&format!("o-{number}"), "orders", more)
        };
        let reports: Vec<_> = numbers.iter().map(failure).collect();
        world.ingest_batch(&reports).await;
    }
}

/// Checks that each member is on the queue once, and that a FIFO queue has the members of each group in order.
async fn check(world: &World, queue: &str, members: usize, kind: Kind) {
    let staged = world.drain(queue).await;
    let numbers = staged.iter().map(|staged| {
        let number = staged.id().strip_prefix("o-").and_then(|number| number.parse::<usize>().ok());
        number.expect("an id of this run")
    });
    let numbers: Vec<usize> = numbers.collect();
    assert_eq!(numbers.len(), members);
    assert_eq!(numbers.iter().collect::<HashSet<_>>().len(), members);
    if kind == Kind::Ordered {
        let mut last: BTreeMap<usize, usize> = BTreeMap::new();
        for number in numbers {
            let before = last.insert(number % GROUPS, number);
            assert!(before.is_none_or(|before| before < number), "{number} after {before:?}");
        }
    }
    let counts = world.get("/flows/orders").await.ok();
    assert_eq!(counts["counts"]["waiting_for_retry"], members, "{counts}");
}
