//! The function `scheduled-retry`: queues the work of due slots and runs the sweeps.

mod event;

use event::{Event, Sweep};
use startup::Stack;

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    let stack = Stack::start().await?;
    let sweeper = stack.sweeper()?;
    startup::serve(async |event: Event| {
        let now = stack.clock.now()?;
        match event {
            Event::Slot(slot) => drop(sweeper.dispatch(&slot.parse()?, now).await?),
            Event::Sweep(Sweep::Slots) => drop(sweeper.sweep_slots(now).await?),
            Event::Sweep(Sweep::Jobs) => sweeper.sweep_jobs(now).await?,
            Event::Sweep(Sweep::Counts) => drop(sweeper.fold_counts(now).await?),
        }
        Ok(())
    })
    .await
}
