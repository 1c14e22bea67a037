//! A scenario while another release works on the same table.

use super::pipeline::Pipeline;
use super::scenarios::Scenario;
use crate::World;
use crate::invariants::{self, Violation};
use crate::releases::{Mixed, NextRelease};

/// What another release does meanwhile.
#[derive(Debug)]
pub enum Neighbour {
    /// The next one adds to what is stored.
    Writes(NextRelease),
    /// Functions of it run beside ours; the world was started with its directory of binaries.
    Runs(Mixed),
}

/// Goes through a scenario in a new world beside another release, until all is quiet. Gives what must not be, and the
/// neighbour with what it did.
pub async fn beside(scenario: Scenario, world: World, neighbour: Neighbour) -> (Vec<Violation>, Option<Neighbour>) {
    let mut pipeline = Pipeline::new(world);
    pipeline.neighbour = Some(neighbour);
    scenario.run(&mut pipeline).await;
    pipeline.rest().await;
    let mut violations = invariants::check(&pipeline.world, &pipeline.evidence).await;
    if let Some(Neighbour::Writes(next)) = &pipeline.neighbour {
        violations.extend(next.lost(&pipeline.world));
    }
    let refused = pipeline.refused.drain(..);
    violations.extend(refused.map(|detail| Violation { rule: "a repeated request succeeds", detail }));
    if !violations.is_empty() {
        // What it holds against them is among the violations.
        pipeline.world.log().excuse();
    }
    pipeline.world.stop().await;
    (violations, pipeline.neighbour)
}
