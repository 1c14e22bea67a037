//! FIFO groups keep their order: a consumer that drops repeats meets them in the order in which they failed.

use std::collections::BTreeSet;

use super::{Evidence, Findings};

pub(super) fn check(evidence: &Evidence, found: &mut Findings) {
    for (group, wanted) in &evidence.order {
        let of_group = evidence.seen.iter().filter(|seen| seen.group.as_ref() == Some(group));
        let mut known = BTreeSet::new();
        let met: Vec<&String> = of_group.map(|seen| &seen.id).filter(|id| known.insert(*id)).collect();
        found.unless(met.iter().copied().eq(wanted), "FIFO groups keep their order", || {
            format!("group {group}: wanted {wanted:?}, met {met:?}")
        });
    }
}
