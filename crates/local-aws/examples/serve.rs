//! Starts only the endpoint, for any AWS client: `cargo run -p local-aws --example serve -- 127.0.0.1:4566 [DIR]`.
//! There is no runner of functions, so schedules that target a function wait; those that target a queue fire.

use local_aws::{Aws, ClockMode, Options};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let listen = arguments.next().unwrap_or_else(|| "127.0.0.1:4566".to_owned()).parse()?;
    let data = arguments.next().map(Into::into);
    let aws = Aws::start(Options { listen, data, clock: ClockMode::Flowing }).await?;
    eprintln!("AWS_ENDPOINT_URL={} (DynamoDB alone: {})", aws.url(), aws.dynamodb_url());
    std::future::pending().await
}
