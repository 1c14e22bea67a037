//! demo
pub struct DemoConfig {
    pub http: String,
    pub aws: String,
}
pub const QUEUES: [&str; 2] = ["demo-orders-sender-stage", "demo-orders-receiver-stage"];
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub struct DemoError;
pub async fn run(_config: DemoConfig) -> Result<(), DemoError> {
    Ok(())
}
