//! No work is left: queues are empty, no job is active, no lease is live, no slot is left.

use serde_json::Value;

use super::stored::{Item, text};
use super::{Evidence, Findings, Stored};
use crate::World;

/// The stack's own queues.
const QUEUES: [&str; 2] = ["reprise-failures", "reprise-jobs"];

/// The dead-letter queues and the queue of refused work.
const DEAD_LETTERS: [&str; 3] = ["reprise-failures-dlq", "reprise-jobs-dlq", "reprise-refused-work"];

/// The dead-letter queue of Scheduler.
pub(crate) const DEAD_SCHEDULES: &str = "reprise-schedules-dlq";

/// Items that represent pending work, by the beginnings of their keys.
const WORK_ITEMS: [(&str, &str, &str); 5] = [
    ("active job", "FLOW#", "ACTIVE-JOB"),
    ("registered job", "JOBS", ""),
    ("registered slot", "SLOTS", ""),
    ("held slot", "HELD", ""),
    ("batch of a slot", "SLOT#", ""),
];

pub(super) fn check(world: &World, stored: &Stored, evidence: &Evidence, found: &mut Findings) {
    for what in pending_work(world, stored) {
        found.add("all work ends", what);
    }
    for queue in DEAD_LETTERS {
        let held = world.held(queue);
        found.unless(held == 0, "dead-letter queues are empty", || format!("{queue} holds {held}"));
    }
    let held = world.held(DEAD_SCHEDULES);
    found.unless(held <= evidence.disturbances.dead_schedules(), "no event of Scheduler is given up early", || {
        format!("{DEAD_SCHEDULES} holds {held} after {:?}", evidence.disturbances)
    });
}

/// Describes all pending work: queued messages, active jobs, slots, live leases and attempts in flight. Empty when the
/// stack is idle.
#[must_use]
pub fn pending_work(world: &World, stored: &Stored) -> Vec<String> {
    let sqs = world.stack.aws().sqs();
    let mut pending = Vec::new();
    for queue in QUEUES {
        let held = world.held(queue) + sqs.delayed(queue);
        if held > 0 {
            pending.push(format!("{held} messages in {queue}"));
        }
    }
    for (what, pk, sk) in WORK_ITEMS {
        let items = stored.items_under(pk, sk);
        pending.extend(items.map(|item| format!("{what} {} {}", text(item, "pk"), text(item, "sk"))));
    }
    let now = stored.now.as_millisecond();
    let live = |item: &&Item| item.get("u").and_then(Value::as_i64).is_some_and(|until| until > now);
    let leases = stored.items.iter().filter(live);
    pending.extend(leases.map(|item| format!("live lease {} {}", text(item, "pk"), text(item, "sk"))));
    let in_flight = stored.heads.iter().filter(|(_, head)| head.is_in_flight());
    pending.extend(in_flight.map(|(id, head)| format!("{id} is {} with attempt {}", head.status, head.attempt)));
    pending
}
