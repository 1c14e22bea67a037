//! The function `list`: answers every GET request of the API.

use http_edge::ListApi;
use startup::Stack;

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    let stack = Stack::start().await?;
    let api = ListApi::new(stack.reader(), stack.flows_claim());
    startup::serve(async |request| Ok(api.answer(&request, stack.clock.now()?).await)).await
}
