//! Scenarios about jobs.

use serde_json::json;

use super::lives::manual;
use super::{completes, no_outcome};
use crate::explore::pipeline::Pipeline;
use crate::explore::seen::id;
use crate::invariants::Outcome;

/// Creates a flow with manual retries and so many failures.
async fn failed(pipeline: &mut Pipeline, count: usize) {
    pipeline.configure(manual()).await;
    pipeline.fail(0..count, |_| json!({})).await;
    pipeline.wait_for_ingest().await;
}

pub(super) async fn chunks(pipeline: &mut Pipeline) {
    failed(pipeline, 30).await;
    pipeline.set_outcomes(|number, _| if number % 5 == 0 { &[Outcome::Failed] } else { &[Outcome::Completed] });
    pipeline.start_job("retry", json!({ "rate": 10 })).await;
    pipeline.settle().await;
}

pub(super) async fn canary(pipeline: &mut Pipeline) {
    failed(pipeline, 14).await;
    pipeline.set_outcomes(completes);
    pipeline.start_job("retry", json!({ "canary": 2, "rate": 6 })).await;
    pipeline.settle().await;
}

pub(super) async fn halted(pipeline: &mut Pipeline) {
    failed(pipeline, 8).await;
    pipeline.set_outcomes(|_, _| &[Outcome::Failed]);
    pipeline.start_job("retry", json!({ "canary": 1 })).await;
    pipeline.settle().await;
}

pub(super) async fn cancelled(pipeline: &mut Pipeline) {
    failed(pipeline, 20).await;
    pipeline.set_outcomes(completes);
    let job = pipeline.start_job("retry", json!({ "rate": 5 })).await;
    pipeline.settle().await;
    if let Some(job) = job {
        pipeline.cancel(&job).await;
    }
    pipeline.settle().await;
    // Now the flow has no active job.
    pipeline.pass(2).await;
    pipeline.start_job_when_free("restart", json!({})).await;
}

pub(super) async fn deletes(pipeline: &mut Pipeline) {
    failed(pipeline, 12).await;
    pipeline.set_outcomes(completes);
    let some: Vec<String> = (0..6).map(id).collect();
    pipeline.start_job("delete", json!({ "selection": { "ids": some } })).await;
    pipeline.settle().await;
    pipeline.start_job_when_free("restart", json!({})).await;
    pipeline.settle().await;
}

pub(super) async fn ordered(pipeline: &mut Pipeline) {
    let url = pipeline.create_fifo_stage().await;
    let mut config = manual();
    config["stages"] = json!({ "receiver": { "queueUrl": url } });
    pipeline.configure(config).await;
    pipeline.set_outcomes(completes);
    pipeline.fail_in_order(24).await;
    pipeline.wait_for_ingest().await;
    pipeline.start_job("retry", json!({})).await;
    pipeline.settle().await;
}

pub(super) async fn silent(pipeline: &mut Pipeline) {
    let silent = json!({ "mode": "silent", "within": "5m" });
    pipeline.configure(json!({ "retry": { "mode": "manual" }, "confirmation": silent })).await;
    pipeline.set_outcomes(no_outcome);
    pipeline.fail(0..20, |_| json!({})).await;
    pipeline.wait_for_ingest().await;
    pipeline.start_job("retry", json!({})).await;
    pipeline.settle().await;
}
