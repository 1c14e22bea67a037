//! Claims agree with the stages: every claimed message was sent, none was sent twice without a reason, and silence counts only
//! after the message was sent.

use std::collections::BTreeSet;

use super::{Evidence, Findings, Stored};

/// Events that draw a conclusion from silence.
const SILENCE: [&str; 2] = ["assumed_completed", "outcome_overdue"];

pub(super) fn check(stored: &Stored, evidence: &Evidence, found: &mut Findings) {
    let sightings = evidence.sightings();
    let mut claimed = BTreeSet::new();
    let mut given_up = BTreeSet::new();
    for (id, log) in &stored.logs {
        for event in log {
            let key = (id.as_str(), event.attempt);
            let was_seen = |by| sightings.get(&key).is_some_and(|times| times.iter().any(|at| *at <= by));
            match event.kind.as_str() {
                "requested" => {
                    found.unless(claimed.insert(key), "an attempt is claimed once", || {
                        format!("{id} attempt {}: {:?}", event.attempt, stored.kinds(id))
                    });
                }
                "send_failed" => {
                    given_up.insert(key);
                }
                kind if SILENCE.contains(&kind) => {
                    found.unless(was_seen(event.at), "silence counts only for what was on the stage", || {
                        format!(
                            "{id} attempt {}: {kind} at {}, never sent before: {:?}",
                            event.attempt,
                            event.at,
                            stored.kinds(id)
                        )
                    });
                }
                _ => {}
            }
        }
    }
    for key in &claimed {
        let (id, attempt) = key;
        match (sightings.contains_key(key), given_up.contains(key)) {
            (false, false) => {
                found.add("every claimed attempt is sent", format!("{id} attempt {attempt}: {:?}", stored.kinds(id)))
            }
            (true, true) => found
                .add("a sent message has no failed send", format!("{id} attempt {attempt}: {:?}", stored.kinds(id))),
            (false, true) | (true, false) => {}
        }
    }
    for (id, attempt) in given_up {
        // No queue refuses a message here, so every send must succeed.
        found.add("only a refusal fails a send", format!("{id} attempt {attempt}: {:?}", stored.kinds(id)));
    }
    for ((id, attempt), times) in &sightings {
        found.unless(claimed.contains(&(*id, *attempt)), "every sent attempt is claimed", || {
            format!("{id} attempt {attempt} was on the stage {} times: {:?}", times.len(), stored.kinds(id))
        });
    }
    let repeats: usize = sightings.values().map(|times| times.len() - 1).sum();
    found.unless(repeats <= evidence.disturbances.repeats(), "nothing is sent twice without a reason", || {
        let twice: Vec<_> =
            sightings.iter().filter(|(_, times)| times.len() > 1).map(|(key, times)| (key, times.len())).collect();
        format!("{repeats} repeats after {:?}: {:?}", evidence.disturbances, &twice[..twice.len().min(5)])
    });
}
