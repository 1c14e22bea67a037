//! A small order pipeline that uses Reprise like any other pipeline, so that a new user sees failures and retries.
//!
//! Orders arrive as EDIFACT, are mapped to XML and delivered to the partner. Partner GLOBEX is down for twenty minutes. The
//! mapping lacks a unit until somebody adds it. One partner refuses a line, and another one no longer exists. The demo reports
//! failures to Reprise, processes again what Reprise sends back, and reports the outcome.
//!
//! The demo uses only public interfaces: HTTP and SQS. It reads the time from the endpoint's clock, so it follows when the
//! clock is moved by a day. Copy this crate to hook up your own pipeline.

mod config;
mod mapping;
mod order;
mod partner;
mod pipeline;
mod report;
mod reprise;
mod stage;

use jiff::Timestamp;

pub use config::{DemoConfig, FLOW, QUEUES};
use config::{RECEIVER_STAGE, SENDER_STAGE};
use pipeline::{Mapping, Pipeline};
pub use reprise::DemoError;
use reprise::Reprise;
use stage::Stage;

/// Runs the demo: sends the demo orders through the pipeline once, then consumes the stage queues until it is dropped.
///
/// # Errors
/// If a request to Reprise or SQS fails.
pub async fn run(config: DemoConfig) -> Result<(), DemoError> {
    let reprise = Reprise::connect(&config).await?;
    let sender_stage = reprise.create_queue(SENDER_STAGE).await?;
    let receiver_stage = reprise.create_queue(RECEIVER_STAGE).await?;
    reprise.configure(&sender_stage, &receiver_stage).await?;

    let started = reprise.now().await?;
    process_orders(&reprise, started).await?;
    // From here on the mapping has the missing unit, as if somebody had added it.
    let pipeline = Pipeline { started, mapping: Mapping::Repaired };
    let restarts = Stage::sender(&reprise, sender_stage, pipeline);
    let retries = Stage::receiver(&reprise, receiver_stage, pipeline);
    tokio::try_join!(restarts.consume(), retries.consume())?;
    Ok(())
}

/// Runs attempt 1 of every order. Reports failures only: Reprise does not need successful orders.
async fn process_orders(reprise: &Reprise, now: Timestamp) -> Result<(), DemoError> {
    let pipeline = Pipeline { started: now, mapping: Mapping::Broken };
    for order in order::demo_orders() {
        let edifact = order.edifact(now);
        let outcome = pipeline.map_and_deliver(&edifact, now);
        if let Some(report) = report::of_main_execution(&order, &edifact, &outcome, now) {
            reprise.report(&report).await?;
        }
    }
    Ok(())
}
