//! Scenarios about retries and deadlines that fall due, and about the sweeps.

use serde_json::{Value, json};

use super::{completes, no_outcome};
use crate::explore::pipeline::{FLOW, Pipeline};
use crate::explore::place::delete_slot_schedules;

/// A retry policy with one automatic retry, five minutes after the failure.
fn once() -> Value {
    json!({ "schedule": { "kind": "ladder", "delays": ["5m"] } })
}

pub(super) async fn silent(pipeline: &mut Pipeline) {
    let silent = json!({ "mode": "silent", "within": "5m" });
    pipeline.configure(json!({ "retry": once(), "confirmation": silent })).await;
    pipeline.set_outcomes(no_outcome);
    pipeline.fail(0..20, |_| json!({})).await;
    pipeline.wait_for_ingest().await;
    pipeline.pass(5).await;
}

pub(super) async fn overdue(pipeline: &mut Pipeline) {
    let confirms = json!({ "mode": "confirms", "within": "5m" });
    pipeline.configure(json!({ "retry": once(), "confirmation": confirms })).await;
    pipeline.set_outcomes(|number, _| if number % 2 == 0 { no_outcome(number, 0) } else { completes(number, 0) });
    pipeline.fail(0..10, |_| json!({})).await;
    pipeline.wait_for_ingest().await;
    pipeline.pass(11).await;
}

pub(super) async fn ordered(pipeline: &mut Pipeline) {
    let url = pipeline.create_fifo_stage().await;
    let confirms = json!({ "mode": "confirms", "within": "20m" });
    let stages = json!({ "receiver": { "queueUrl": url } });
    pipeline.configure(json!({ "stages": stages, "retry": once(), "confirmation": confirms })).await;
    pipeline.set_outcomes(completes);
    pipeline.fail_in_order(24).await;
    pipeline.wait_for_ingest().await;
    pipeline.pass(5).await;
}

pub(super) async fn window(pipeline: &mut Pipeline) {
    let window = json!({ "kind": "window", "every": "hour", "interval": 1, "lapse": "20m", "batch": 4 });
    let confirms = json!({ "mode": "confirms", "within": "30m" });
    pipeline.configure(json!({ "retry": { "schedule": window }, "confirmation": confirms })).await;
    pipeline.set_outcomes(completes);
    pipeline.step_by(30).await;
    pipeline.fail(0..7, |_| json!({})).await;
    pipeline.wait_for_ingest().await;
    pipeline.step_by(29).await;
}

pub(super) async fn sweep(pipeline: &mut Pipeline) {
    let confirms = json!({ "mode": "confirms", "within": "30m" });
    pipeline.configure(json!({ "retry": once(), "confirmation": confirms })).await;
    pipeline.set_outcomes(completes);
    pipeline.fail(0..8, |_| json!({})).await;
    pipeline.wait_for_ingest().await;
    delete_slot_schedules(&pipeline.world).await;
    // The sweep folds count rows that did not change for an hour.
    pipeline.pass(9).await;
    pipeline.step_by(70).await;
}

pub(super) async fn reschedule(pipeline: &mut Pipeline) {
    let confirms = json!({ "mode": "confirms", "within": "30m" });
    let late = json!({ "schedule": { "kind": "ladder", "delays": ["40m"] } });
    pipeline.configure(json!({ "retry": late, "confirmation": confirms })).await;
    pipeline.set_outcomes(completes);
    pipeline.fail(0..12, |_| json!({})).await;
    pipeline.wait_for_ingest().await;
    let soon = json!({ "retry": once(), "confirmation": confirms });
    pipeline.put(&format!("/flows/{FLOW}?reschedule=true"), soon).await;
    pipeline.settle().await;
    pipeline.pass(6).await;
}

pub(super) async fn inactive(pipeline: &mut Pipeline) {
    let config = |active: bool| {
        let confirms = json!({ "mode": "confirms", "within": "30m" });
        json!({ "active": active, "retry": once(), "confirmation": confirms })
    };
    pipeline.configure(config(true)).await;
    pipeline.set_outcomes(completes);
    pipeline.fail(0..10, |_| json!({})).await;
    pipeline.wait_for_ingest().await;
    pipeline.configure(config(false)).await;
    pipeline.pass(12).await;
    pipeline.configure(config(true)).await;
    pipeline.settle().await;
}
