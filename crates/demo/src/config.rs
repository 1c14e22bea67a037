//! The names of the demo's flow and queues, and the addresses of the stack.

/// The flow of the demo.
pub const FLOW: &str = "orders";

/// The flow's own stage queues. The demo creates and consumes them, so the stack's default stage queues stay free for other
/// flows.
pub const QUEUES: [&str; 2] = [SENDER_STAGE, RECEIVER_STAGE];

pub(crate) const SENDER_STAGE: &str = "demo-orders-sender-stage";
pub(crate) const RECEIVER_STAGE: &str = "demo-orders-receiver-stage";

/// The addresses of the stack, and the token for its HTTP API.
#[derive(Debug, Clone)]
pub struct DemoConfig {
    /// The URL of the HTTP API, for example `http://127.0.0.1:3000`.
    pub http: String,
    /// The URL of the AWS endpoint, for example `http://127.0.0.1:4566`.
    pub aws: String,
    /// The token for the HTTP API. `None` if the API requires no token.
    pub token: Option<String>,
}
