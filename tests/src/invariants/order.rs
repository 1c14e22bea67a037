//! FIFO groups keep their order: a consumer that ignores repeats receives them in the order in which they failed.

use std::collections::BTreeSet;

use super::{Evidence, Findings};

pub(super) fn check(evidence: &Evidence, found: &mut Findings) {
    for (group, expected) in &evidence.order {
        let of_group = evidence.seen.iter().filter(|seen| seen.group.as_ref() == Some(group));
        let mut known = BTreeSet::new();
        let received: Vec<&String> = of_group.map(|seen| &seen.id).filter(|id| known.insert(*id)).collect();
        found.unless(received.iter().copied().eq(expected), "FIFO groups keep their order", || {
            format!("group {group}: expected {expected:?}, received {received:?}")
        });
    }
}
