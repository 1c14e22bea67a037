//! A flow to work on: failures whose stages nobody consumes but the test, and in which nothing happens by itself.

use serde_json::{Value, json};
use tests::{RECEIVER_STAGE, World, report};

use crate::desk::Desk;
use crate::page::Name;

/// Where the flow is shown.
pub(crate) const FLOW: &str = "/console/flows/orders";

/// A stack whose flow `orders` has so many failures: `PO-001`, `PO-002`, …
pub(crate) async fn failed(count: usize) -> World {
    let world = World::start().await;
    world.put("/flows/orders", by_hand()).await.ok();
    for thousand in (1..=count).collect::<Vec<_>>().chunks(1_000) {
        let reports: Vec<Value> = thousand.iter().map(|number| failure(*number)).collect();
        world.ingest_batch(&reports).await;
    }
    world.settle().await;
    world
}

/// A configuration in which nothing happens by itself, however far the clock is moved.
pub(crate) fn by_hand() -> Value {
    json!({ "displayName": "Orders to partners", "retry": { "mode": "manual" }, "confirmation": { "within": "48h" } })
}

fn failure(number: usize) -> Value {
    let id = format!("PO-{number:03}");
    let (partner, message) = match number % 3 {
        0 => ("INITECH", "connection refused by edi.initech.example:4080"),
        1 => ("GLOBEX", "connect timeout to erp.globex.example:443"),
        _ => ("UMBRELLA", "article 9931 is not in the catalogue"),
    };
    let more = json!({ "partner": partner, "sender": "ACME", "receiver": partner, "sourceId": id, "origin": "Step 3 - delivery",
                       "error": { "category": "system", "code": "E1", "message": message } });
    report(&id, "orders", more)
}

/// Tells the stack what became of everything on the receiver stage, and gives how many that were.
pub(crate) async fn outcomes(world: &World, kind: &str) -> usize {
    let staged = world.drain(RECEIVER_STAGE).await;
    let now = world.stack.aws().clock().now().to_string();
    let outcome = |id: &str, attempt| {
        json!({ "type": kind, "interchangeId": id, "flow": "orders", "attempt": attempt, "occurredAt": now })
            .to_string()
    };
    world.send(staged.iter().map(|staged| outcome(staged.id(), staged.attempt()))).await;
    staged.len()
}

/// Opens the flow and the dialog that retries everything, and gives the reason.
pub(crate) async fn about_to_retry_all(desk: &Desk, reason: &str) {
    let page = &desk.page;
    page.open(FLOW).await;
    page.find("checkbox", "Tick all on this page").await.click().await;
    page.button(Name::Has("Select all")).await.click().await;
    page.button(Name::Has("Retry")).await.click().await;
    page.find("textbox", "Reason").await.fill(reason).await;
}

/// The button of the open dialog that does it, once the dialog knows what it is about.
pub(crate) async fn confirms(desk: &Desk, name: &str) {
    let dialog = desk.page.dialog().await;
    desk.page.find_within(&dialog, "button", name).await.click().await;
}

/// The job at work, as the API has it.
pub(crate) async fn newest_job(world: &World) -> Value {
    world.get("/flows/orders/jobs").await.ok()["items"][0].clone()
}
