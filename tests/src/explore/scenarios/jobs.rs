//! Jobs over everything that failed in the flow.

use serde_json::json;

use super::lives::manual;
use super::{completes, says_nothing};
use crate::explore::pipeline::Pipeline;
use crate::explore::seen::id;
use crate::invariants::Outcome;

/// A flow with so many failures.
async fn failed(pipeline: &mut Pipeline, count: usize) {
    pipeline.configure(manual()).await;
    pipeline.fail(0..count, |_| json!({})).await;
    pipeline.taken_in().await;
}

pub(super) async fn chunks(pipeline: &mut Pipeline) {
    failed(pipeline, 30).await;
    pipeline.answer(|number, _| if number % 5 == 0 { &[Outcome::Failed] } else { &[Outcome::Completed] });
    pipeline.order("retry", json!({ "rate": 10 })).await;
    pipeline.settle().await;
}

pub(super) async fn canary(pipeline: &mut Pipeline) {
    failed(pipeline, 14).await;
    pipeline.answer(completes);
    pipeline.order("retry", json!({ "canary": 2, "rate": 6 })).await;
    pipeline.settle().await;
}

pub(super) async fn halted(pipeline: &mut Pipeline) {
    failed(pipeline, 8).await;
    pipeline.answer(|_, _| &[Outcome::Failed]);
    pipeline.order("retry", json!({ "canary": 1 })).await;
    pipeline.settle().await;
}

pub(super) async fn cancelled(pipeline: &mut Pipeline) {
    failed(pipeline, 20).await;
    pipeline.answer(completes);
    let job = pipeline.order("retry", json!({ "rate": 5 })).await;
    pipeline.settle().await;
    if let Some(job) = job {
        pipeline.cancel(&job).await;
    }
    pipeline.settle().await;
    // The flow is free again.
    pipeline.pass(2).await;
    pipeline.order_when_free("restart", json!({})).await;
}

pub(super) async fn deletes(pipeline: &mut Pipeline) {
    failed(pipeline, 12).await;
    pipeline.answer(completes);
    let some: Vec<String> = (0..6).map(id).collect();
    pipeline.order("delete", json!({ "selection": { "ids": some } })).await;
    pipeline.settle().await;
    pipeline.order_when_free("restart", json!({})).await;
    pipeline.settle().await;
}

pub(super) async fn ordered(pipeline: &mut Pipeline) {
    let url = pipeline.fifo().await;
    let mut config = manual();
    config["stages"] = json!({ "receiver": { "queueUrl": url } });
    pipeline.configure(config).await;
    pipeline.answer(completes);
    pipeline.fail_in_order(24).await;
    pipeline.taken_in().await;
    pipeline.order("retry", json!({})).await;
    pipeline.settle().await;
}

pub(super) async fn silent(pipeline: &mut Pipeline) {
    let silent = json!({ "mode": "silent", "within": "5m" });
    pipeline.configure(json!({ "retry": { "mode": "manual" }, "confirmation": silent })).await;
    pipeline.answer(says_nothing);
    pipeline.fail(0..20, |_| json!({})).await;
    pipeline.taken_in().await;
    pipeline.order("retry", json!({})).await;
    pipeline.settle().await;
}
