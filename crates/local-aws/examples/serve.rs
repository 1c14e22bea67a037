//! The endpoint alone, for anything that speaks to AWS: `cargo run -p local-aws --example serve -- 127.0.0.1:4566 [DIR]`.
//! There are no functions, so schedules that target one wait; those that target a queue fire.

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
