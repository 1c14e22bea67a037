//! The function `retry`: sends receiver payloads to the receiver stage, of one interchange at once or of many as a job.

use domain::{JobAction, Reentry};
use http_edge::ActApi;
use startup::Stack;

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    let stack = Stack::start().await?;
    let api = ActApi::new(&[JobAction::Reenter(Reentry::Retry)], stack.actions()?, stack.jobs()?, stack.flows_claim());
    startup::serve(async |request| Ok(api.answer(&request, stack.clock.now()?).await)).await
}
