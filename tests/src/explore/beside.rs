//! Runs a scenario while another release works on the same table.

use super::pipeline::Pipeline;
use super::scenarios::Scenario;
use crate::World;
use crate::invariants::{self, Violation};
use crate::releases::{Mixed, NextRelease};

/// What the other release does during the scenario.
#[derive(Debug)]
pub enum OtherRelease {
    /// The next release adds unknown members to stored items.
    Writes(NextRelease),
    /// Its functions run side by side with ours. The world must be started with the directory of [`Mixed`].
    Runs(Mixed),
}

/// Runs a scenario in a new world together with another release, until the stack is idle. Returns the violations and the
/// other release with its counters.
pub async fn run_with_other_release(
    scenario: Scenario,
    world: World,
    other_release: OtherRelease,
) -> (Vec<Violation>, Option<OtherRelease>) {
    let mut pipeline = Pipeline::new(world);
    pipeline.other_release = Some(other_release);
    scenario.run(&mut pipeline).await;
    pipeline.run_until_idle().await;
    let mut violations = invariants::check(&pipeline.world, &pipeline.evidence).await;
    if let Some(OtherRelease::Writes(next)) = &pipeline.other_release {
        violations.extend(next.lost(&pipeline.world));
    }
    let refused = pipeline.refused.drain(..);
    violations.extend(refused.map(|detail| Violation { rule: "a repeated request succeeds", detail }));
    if !violations.is_empty() {
        // Leaks in the log are among the violations already.
        pipeline.world.log().allow_leaks();
    }
    pipeline.world.stop().await;
    (violations, pipeline.other_release)
}
