//! Every accepted failure is stored with its event log. Logs have no gaps and agree with their heads.

use std::collections::BTreeMap;

use super::{Evidence, Findings, Outcome, Stored};

pub(super) fn check(stored: &Stored, evidence: &Evidence, found: &mut Findings) {
    for (id, attempt, outcome) in &evidence.reported {
        if !stored.heads.contains_key(id) {
            found.add("every accepted failure is kept", format!("{id} has no head"));
            continue;
        }
        let kinds: &[&str] = match outcome {
            Outcome::Failed => &["failed", "partially_failed", "late_outcome"],
            Outcome::Completed => &["completed", "late_outcome"],
            // After a completion of the same attempt it is not logged.
            Outcome::InNetwork => continue,
        };
        let log = stored.logs.get(id).map_or(&[][..], Vec::as_slice);
        let logged =
            log.iter().filter(|event| event.attempt == *attempt && kinds.contains(&event.kind.as_str())).count();
        found.unless(logged > 0, "every outcome is in the log", || {
            format!("{id} attempt {attempt}: {outcome:?} was reported; the log is {:?}", stored.kinds(id))
        });
        found.unless(logged < 2, "a repeated report changes nothing", || {
            format!("{id} attempt {attempt}: {outcome:?} is logged {logged} times: {:?}", stored.kinds(id))
        });
    }
    for (id, head) in &stored.heads {
        let numbers: Vec<u64> = stored.logs.get(id).into_iter().flatten().map(|event| event.sequence).collect();
        found.unless(numbers.iter().copied().eq(1..=head.events), "logs have no gap", || {
            format!("{id}: the head counts {} events, the log has {numbers:?}", head.events)
        });
        found.unless(head.is_resolved() == head.expires, "what is unresolved never expires", || {
            format!("{id} is {} and {}", head.status, if head.expires { "expires" } else { "does not expire" })
        });
    }
    let orphans: BTreeMap<_, _> = stored.logs.iter().filter(|(id, _)| !stored.heads.contains_key(*id)).collect();
    found.unless(orphans.is_empty(), "a log has a head", || format!("{:?}", orphans.keys()));
}

impl Stored {
    /// The kinds of an interchange's events with their attempts, in order.
    pub(super) fn kinds(&self, id: &str) -> Vec<String> {
        let log = self.logs.get(id).into_iter().flatten();
        log.map(|event| format!("{}#{}", event.kind, event.attempt)).collect()
    }
}
