//! The function `configure-flow`: validates and stores the configuration of a flow.

use http_edge::ConfigureApi;
use startup::Stack;

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    let stack = Stack::start().await?;
    let api = ConfigureApi::new(stack.configure()?, stack.jobs()?, stack.flows_claim());
    startup::serve(async |request| Ok(api.answer(&request, stack.clock.now()?).await)).await
}
