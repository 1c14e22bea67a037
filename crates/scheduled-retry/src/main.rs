//! The function `scheduled-retry`: turns slots that are due into work, by their schedule or by the recurring sweep.

mod event;

use event::Event;
use startup::Stack;

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    let stack = Stack::start().await?;
    let sweeper = stack.sweeper()?;
    startup::serve(async |event: Event| {
        match &event {
            Event { slot: Some(slot), .. } => sweeper.bring_up(&slot.read()?).await?,
            Event { sweep: true, .. } => sweeper.sweep(stack.clock.now()?).await?,
            _ => anyhow::bail!("the event names neither a slot nor the sweep"),
        };
        Ok(())
    })
    .await
}
