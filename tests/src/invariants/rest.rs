//! Work ends: queues are empty, no job is active, no lease is held, no slot is left.

use serde_json::Value;

use super::stored::{Item, text};
use super::{Evidence, Findings, Stored};
use crate::World;

/// The stack's own queues.
const QUEUES: [&str; 2] = ["reprise-failures", "reprise-jobs"];

/// Where things go that nobody could deal with.
const DEAD_LETTERS: [&str; 3] = ["reprise-failures-dlq", "reprise-jobs-dlq", "reprise-refused-work"];

/// Where the events go that Scheduler gives up.
pub(crate) const DEAD_SCHEDULES: &str = "reprise-schedules-dlq";

/// Items that stand for work, by the beginnings of their keys.
const LEFT_OVER: [(&str, &str, &str); 5] = [
    ("active job", "FLOW#", "ACTIVE-JOB"),
    ("registered job", "JOBS", ""),
    ("registered slot", "SLOTS", ""),
    ("held slot", "HELD", ""),
    ("batch of a slot", "SLOT#", ""),
];

pub(super) fn check(world: &World, stored: &Stored, evidence: &Evidence, found: &mut Findings) {
    for what in unrest(world, stored) {
        found.add("everything comes to an end", what);
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

/// What is still going on, or waits for something; empty when the stack is quiet.
#[must_use]
pub fn unrest(world: &World, stored: &Stored) -> Vec<String> {
    let sqs = world.stack.aws().sqs();
    let mut unrest = Vec::new();
    for queue in QUEUES {
        let held = world.held(queue) + sqs.delayed(queue);
        if held > 0 {
            unrest.push(format!("{held} messages in {queue}"));
        }
    }
    for (what, pk, sk) in LEFT_OVER {
        let items = stored.items_under(pk, sk);
        unrest.extend(items.map(|item| format!("{what} {} {}", text(item, "pk"), text(item, "sk"))));
    }
    let now = stored.now.as_millisecond();
    let live = |item: &&Item| item.get("u").and_then(Value::as_i64).is_some_and(|until| until > now);
    let leases = stored.items.iter().filter(live);
    unrest.extend(leases.map(|item| format!("live lease {} {}", text(item, "pk"), text(item, "sk"))));
    let in_flight = stored.heads.iter().filter(|(_, head)| head.is_in_flight());
    unrest.extend(in_flight.map(|(id, head)| format!("{id} is {} with attempt {}", head.status, head.attempt)));
    unrest
}
