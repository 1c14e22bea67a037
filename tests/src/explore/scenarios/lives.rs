//! Scenarios about single interchanges.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::completes;
use crate::explore::pipeline::Pipeline;
use crate::explore::seen::id;
use crate::invariants::Outcome;
use crate::noise;

pub(super) async fn ingest(pipeline: &mut Pipeline) {
    let elsewhere = |number: usize| if number >= 14 { json!({ "flow": "invoices" }) } else { json!({}) };
    // Every third failure is reported twice at the same time, and another third again later.
    let twice = (0..20).chain((0..20).filter(|number| number % 3 == 0));
    pipeline.fail(twice, elsewhere).await;
    pipeline.fail((0..20).filter(|number| number % 3 == 1), elsewhere).await;
    pipeline.wait_for_ingest().await;
    let happened = (0..20).filter(|number| number % 5 == 0);
    let reports = happened.map(|number| (number, 2, Outcome::Completed, elsewhere(number)));
    pipeline.report(reports.collect()).await;
    pipeline.wait_for_ingest().await;
    pipeline.set_outcomes(completes);
}

pub(super) async fn registration(pipeline: &mut Pipeline) {
    pipeline.set_outcomes(completes);
    pipeline.fail(0..1, |_| json!({})).await;
    pipeline
        .fail(1..9, |number| json!({ "error": { "category": "system", "message": format!("cause {}", number % 2) } }))
        .await;
}

pub(super) async fn by_hand(pipeline: &mut Pipeline) {
    pipeline.configure(manual()).await;
    pipeline.set_outcomes(|number, _| if number == 0 { &[Outcome::Failed] } else { &[Outcome::Completed] });
    pipeline.fail(0..6, |_| json!({})).await;
    pipeline.wait_for_ingest().await;
    for (number, action) in [(0, "retry"), (1, "restart"), (2, "delete"), (3, "retry")] {
        pipeline.act(number, action).await;
    }
    pipeline.settle().await;
}

pub(super) async fn erase(pipeline: &mut Pipeline) {
    pipeline.configure(manual()).await;
    pipeline.set_outcomes(completes);
    let large = json!({ "payloads": { "receiver": { "body": STANDARD.encode(noise(20_000)), "encoding": "base64" } } });
    pipeline.fail(0..10, |number| if number % 2 == 0 { large.clone() } else { json!({}) }).await;
    pipeline.wait_for_ingest().await;
    for (number, action) in [(0, "retry"), (1, "delete"), (0, "erase"), (1, "erase"), (2, "erase")] {
        pipeline.act(number, action).await;
    }
    pipeline.settle().await;
    let some: Vec<String> = (2..8).map(id).collect();
    pipeline.start_job("erase", json!({ "selection": { "ids": some } })).await;
    pipeline.settle().await;
}

pub(super) async fn outcomes(pipeline: &mut Pipeline) {
    pipeline.configure(manual()).await;
    pipeline.set_outcomes(|number, _| match number % 4 {
        0 => &[Outcome::Completed, Outcome::Completed],
        1 => &[Outcome::Failed, Outcome::Failed],
        2 => &[Outcome::InNetwork, Outcome::Completed],
        _ => &[],
    });
    pipeline.fail(0..12, |_| json!({})).await;
    pipeline.wait_for_ingest().await;
    pipeline.start_job("retry", json!({})).await;
    pipeline.settle().await;
}

/// A flow in which nothing but deadlines runs automatically.
pub(super) fn manual() -> serde_json::Value {
    json!({ "retry": { "mode": "manual" }, "confirmation": { "mode": "confirms", "within": "10m" } })
}
