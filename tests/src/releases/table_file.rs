//! Table files: a release writes a table with its own functions, the file is stored in `tests/releases`, and later releases
//! import it into a stack.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::{RECEIVER_STAGE, World, report};

/// Exports the time and all items of the table. The stack's own queues must be empty.
///
/// # Panics
/// When the table cannot be read, or when a queue is not empty.
pub fn export(world: &World) -> Value {
    let sqs = world.stack.aws().sqs();
    let queued = ["reprise-failures", "reprise-jobs"].map(|queue| world.held(queue) + sqs.delayed(queue));
    assert_eq!(queued, [0, 0], "the queues are not empty");
    let mut items = world.items();
    items.sort_by_key(|item| [super::text(item, "pk").to_owned(), super::text(item, "sk").to_owned()]);
    json!({ "now": world.stack.aws().clock().now().to_string(), "items": items })
}

/// Imports a table that [`export`] returned into a new world, and moves its clock to the time of the export.
///
/// # Panics
/// When `file` has another format.
pub async fn import(world: &World, file: &Value) {
    let now: jiff::Timestamp = file["now"].as_str().and_then(|now| now.parse().ok()).expect("a time");
    let by = now.duration_since(world.stack.aws().clock().now());
    world.stack.aws().advance(by).await.expect("the clock moves");
    world.settle().await;
    for item in file["items"].as_array().expect("items") {
        world.put_item(item.clone());
    }
}

/// Creates items of every shape in the table of a world, through its queues and its API.
///
/// # Panics
/// When a request is refused.
pub async fn create_every_shape(world: &World) {
    configurations(world).await;
    let reports = reports().into_iter().map(|report| report.to_string());
    world.send(reports).await;
    world.put("/flows/held", json!({ "active": false })).await.ok();
    world.advance("6m").await;
    by_hand(world).await;
    jobs(world).await;
    // By then the delayed work items of the requests are done, and the slot of the inactive flow is held.
    world.advance("25m").await;
}

async fn configurations(world: &World) {
    let queue = |name: &str| format!("arn:aws:sqs:eu-west-1:000000000000:{name}");
    let ladder = json!({ "kind": "ladder", "delays": ["5m", "2h"] });
    let exponential = json!({ "kind": "exponential", "first": "3h", "factor": 2, "cap": "24h", "limit": 3 });
    let window = json!({ "kind": "window", "every": "hour", "interval": 1, "lapse": "20m", "batch": 2, "limit": 4 });
    let day = json!({ "kind": "window", "every": "day", "at": "06:30", "timezone": "Europe/Berlin" });
    let orders = json!({
        "displayName": "Orders inbound", "deadLetterQueues": [{ "arn": queue("orders-dlq"), "phase": "delivery" }],
        "functions": ["arn:aws:lambda:eu-west-1:000000000000:function:orders"],
        "confirmation": { "within": "5h", "inNetworkWithin": "48h" }, "retry": { "schedule": ladder, "jitter": 0.1 },
        "partners": { "GLOBEX": { "retry": { "mode": "manual" } }, "INITECH": { "retry": { "schedule": day } } }
    });
    world.put("/flows/orders", orders).await.ok();
    world.put("/flows/windows", json!({ "retry": { "schedule": window } })).await.ok();
    world.put("/flows/later", json!({ "retry": { "schedule": exponential } })).await.ok();
    world.put("/flows/held", json!({})).await.ok();
    let quiet = json!({ "retry": { "mode": "manual" }, "confirmation": { "mode": "silent", "within": "48h" } });
    world.put("/flows/quiet", quiet).await.ok();
}

fn reports() -> Vec<Value> {
    let mut reports = Vec::new();
    for (flow, count) in [("orders", 4), ("windows", 3), ("later", 1), ("held", 2), ("quiet", 6), ("unconfigured", 1)] {
        reports.extend((1..=count).map(|n| report(&format!("{flow}-{n}"), flow, json!({}))));
    }
    let parts = json!([{ "id": "line-3", "status": "failed", "message": "unknown article" },
                       { "id": "line-4", "status": "completed" }]);
    reports.push(report("orders-parts", "orders", json!({ "status": "partially_failed", "parts": parts })));
    let whole = json!({ "origin": "Step 3", "sender": "ACME", "receiver": "GLOBEX", "partner": "GLOBEX", "sourceId": "PO-1001",
                        "correlationId": "c-1", "orderKey": "PO-1001" });
    reports.push(report("orders-whole", "orders", whole));
    // Too large to be stored in the item of its event.
    let noise = STANDARD.encode(crate::noise(9_000));
    let large = json!({ "payloads": { "sender": { "body": noise, "encoding": "base64" } } });
    reports.push(report("orders-large", "orders", large));
    let unmapped = json!({ "error": { "category": "mapping", "message": "no rule for segment FTX" },
                           "payloads": { "sender": { "body": "UNB+" } } });
    reports.push(report("orders-unmapped", "orders", unmapped));
    reports
}

/// Actions by an operator and their outcomes. Afterwards there is an interchange in every status.
async fn by_hand(world: &World) {
    let because = || json!({ "reason": "the partner is back" });
    world.post_once("/interchanges/quiet-1/retry", "key-1", because()).await.ok();
    world.post("/interchanges/quiet-2/restart", because()).await.ok();
    world.post("/interchanges/quiet-3/delete", because()).await.ok();
    world.post("/interchanges/orders-whole/retry", because()).await.ok();
    let now = world.stack.aws().clock().now().to_string();
    let outcome = |kind: &str, id: &str, flow: &str| {
        let more = json!({ "type": format!("interchange.{kind}"), "attempt": 2, "occurredAt": now, "payloads": null });
        report(id, flow, more).to_string()
    };
    world
        .send([
            outcome("completed", "quiet-1", "quiet"),
            outcome("in_network", "orders-whole", "orders"),
            outcome("failed", "orders-1", "orders"),
            outcome("completed", "orders-2", "orders"),
        ])
        .await;
}

/// A job that has ended, and a job that waits for the outcome of its canary.
async fn jobs(world: &World) {
    let order = |more: Value| {
        let mut order = json!({ "reason": "the partner is back" });
        order.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        order
    };
    world.post("/flows/quiet/delete", order(json!({ "selection": { "ids": ["quiet-4", "nobody"] } }))).await;
    world.settle().await;
    let with_canary = order(json!({ "selection": { "filter": { "status": ["failed"] } }, "canary": 1, "rate": 10 }));
    world.post_once("/flows/quiet/retry", "key-2", with_canary).await;
    world.settle().await;
    world.drain(RECEIVER_STAGE).await;
}
