//! A small order pipeline that uses Reprise as any pipeline would, so that a newcomer has something to look at.
//!
//! Orders come in as EDIFACT, are mapped to XML and delivered to the partner. Partner GLOBEX is down for twenty minutes; the
//! mapping lacks a unit until somebody adds it; one partner refuses a line, another is gone for good. What fails goes to
//! Reprise; what Reprise sends back is run again and its outcome reported.
//!
//! Nothing here knows how Reprise works inside: it speaks HTTP and SQS, and reads the time from the endpoint's clock, so
//! that it lives through a day when the clock is moved by one. The crate may serve as a pattern for hooking up a pipeline.

mod mapping;
mod order;
mod partner;
mod pipeline;
mod report;
mod reprise;
mod stage;

use jiff::Timestamp;

use pipeline::{Mapping, Pipeline};
pub use reprise::DemoError;
use reprise::Reprise;
use stage::Stage;

/// The flow that the demo reports for.
pub const FLOW: &str = "orders";

/// The flow's own stage queues, which the demo makes and consumes. It leaves the stack's default ones to whoever tries
/// Reprise beside it.
pub const QUEUES: [&str; 2] = [SENDER_STAGE, RECEIVER_STAGE];

const SENDER_STAGE: &str = "demo-orders-sender-stage";
const RECEIVER_STAGE: &str = "demo-orders-receiver-stage";

/// Where Reprise is.
#[derive(Debug, Clone)]
pub struct DemoConfig {
    /// The HTTP API: `http://127.0.0.1:3000`.
    pub http: String,
    /// The AWS endpoint: `http://127.0.0.1:4566`.
    pub aws: String,
    /// The token that the HTTP API asks for, where it asks for one.
    pub token: Option<String>,
}

/// Runs the pipeline until it is dropped: sends the orders of the day through it once, then serves the stages.
///
/// # Errors
/// When Reprise or SQS does not do its part.
pub async fn run(config: DemoConfig) -> Result<(), DemoError> {
    let reprise = Reprise::connect(&config).await?;
    let sender_stage = reprise.create_queue(SENDER_STAGE).await?;
    let receiver_stage = reprise.create_queue(RECEIVER_STAGE).await?;
    reprise.configure(&sender_stage, &receiver_stage).await?;

    let started = reprise.now().await?;
    receive_orders(&reprise, started).await?;
    // By the time anything comes back somebody has added the missing unit.
    let pipeline = Pipeline { started, mapping: Mapping::Repaired };
    let restarts = Stage::sender(&reprise, sender_stage, pipeline);
    let retries = Stage::receiver(&reprise, receiver_stage, pipeline);
    tokio::try_join!(restarts.serve(), retries.serve())?;
    Ok(())
}

/// The main execution of every order: attempt 1. What goes well is nothing Reprise needs to know.
async fn receive_orders(reprise: &Reprise, now: Timestamp) -> Result<(), DemoError> {
    let pipeline = Pipeline { started: now, mapping: Mapping::Broken };
    for order in order::of_the_day() {
        let edifact = order.edifact(now);
        let outcome = pipeline.map_and_deliver(&edifact, now);
        if let Some(report) = report::of_main_execution(&order, &edifact, &outcome, now) {
            reprise.report(&report).await?;
        }
    }
    Ok(())
}
