//! What falls due: retries, deadlines, and the sweeps behind them.

use serde_json::{Value, json};

use super::{completes, says_nothing};
use crate::explore::pipeline::{FLOW, Pipeline};
use crate::explore::place::lose_schedules;

/// One automatic retry, five minutes after the failure.
fn once() -> Value {
    json!({ "schedule": { "kind": "ladder", "delays": ["5m"] } })
}

pub(super) async fn silent(pipeline: &mut Pipeline) {
    let silent = json!({ "mode": "silent", "within": "5m" });
    pipeline.configure(json!({ "retry": once(), "confirmation": silent })).await;
    pipeline.answer(says_nothing);
    pipeline.fail(0..20, |_| json!({})).await;
    pipeline.taken_in().await;
    pipeline.pass(5).await;
}

pub(super) async fn overdue(pipeline: &mut Pipeline) {
    let confirms = json!({ "mode": "confirms", "within": "5m" });
    pipeline.configure(json!({ "retry": once(), "confirmation": confirms })).await;
    pipeline.answer(|number, _| if number % 2 == 0 { says_nothing(number, 0) } else { completes(number, 0) });
    pipeline.fail(0..10, |_| json!({})).await;
    pipeline.taken_in().await;
    pipeline.pass(11).await;
}

pub(super) async fn ordered(pipeline: &mut Pipeline) {
    let url = pipeline.fifo().await;
    let confirms = json!({ "mode": "confirms", "within": "20m" });
    let stages = json!({ "receiver": { "queueUrl": url } });
    pipeline.configure(json!({ "stages": stages, "retry": once(), "confirmation": confirms })).await;
    pipeline.answer(completes);
    pipeline.fail_in_order(24).await;
    pipeline.taken_in().await;
    pipeline.pass(5).await;
}

pub(super) async fn window(pipeline: &mut Pipeline) {
    let window = json!({ "kind": "window", "every": "hour", "interval": 1, "lapse": "20m", "batch": 4 });
    let confirms = json!({ "mode": "confirms", "within": "30m" });
    pipeline.configure(json!({ "retry": { "schedule": window }, "confirmation": confirms })).await;
    pipeline.answer(completes);
    pipeline.leap(30).await;
    pipeline.fail(0..7, |_| json!({})).await;
    pipeline.taken_in().await;
    pipeline.leap(29).await;
}

pub(super) async fn sweep(pipeline: &mut Pipeline) {
    let confirms = json!({ "mode": "confirms", "within": "30m" });
    pipeline.configure(json!({ "retry": once(), "confirmation": confirms })).await;
    pipeline.answer(completes);
    pipeline.fail(0..8, |_| json!({})).await;
    pipeline.taken_in().await;
    lose_schedules(&pipeline.world).await;
    // Rows of counts are folded when they have been quiet for an hour.
    pipeline.pass(9).await;
    pipeline.leap(70).await;
}

pub(super) async fn reschedule(pipeline: &mut Pipeline) {
    let confirms = json!({ "mode": "confirms", "within": "30m" });
    let late = json!({ "schedule": { "kind": "ladder", "delays": ["40m"] } });
    pipeline.configure(json!({ "retry": late, "confirmation": confirms })).await;
    pipeline.answer(completes);
    pipeline.fail(0..12, |_| json!({})).await;
    pipeline.taken_in().await;
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
    pipeline.answer(completes);
    pipeline.fail(0..10, |_| json!({})).await;
    pipeline.taken_in().await;
    pipeline.configure(config(false)).await;
    pipeline.pass(12).await;
    pipeline.configure(config(true)).await;
    pipeline.settle().await;
}
