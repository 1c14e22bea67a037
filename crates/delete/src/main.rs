//! The function `delete`: deletes failed interchanges and erases interchanges, one at once or many as a job, and cancels jobs.

use domain::JobAction;
use http_edge::ActApi;
use startup::Stack;

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    let stack = Stack::start().await?;
    let api =
        ActApi::new(&[JobAction::Delete, JobAction::Erase], stack.deletions()?, stack.jobs()?, stack.flows_claim());
    startup::serve(async |request| Ok(api.answer(&request, stack.clock.now()?).await)).await
}
