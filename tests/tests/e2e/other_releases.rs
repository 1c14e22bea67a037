//! Items that another release stored: unknown members are preserved, configurations that are not understood cause no automatic
//! action, and unreadable items block nothing else.

use serde_json::{Value, json};
use tests::{FAILURES, RECEIVER_STAGE, World, report};

const FAILURES_DLQ: &str = "reprise-failures-dlq";

/// Changes a document of an item.
fn change(world: &World, pk: &str, sk: &str, document: &str, change: impl FnOnce(&mut Value)) {
    world.alter(pk, sk, |item| {
        let mut json = serde_json::from_str(item[document]["S"].as_str().unwrap()).unwrap();
        change(&mut json);
        item[document]["S"] = json.to_string().into();
    });
}

fn document(world: &World, pk: &str, sk: &str, document: &str) -> Value {
    serde_json::from_str(world.item(pk, sk)[document]["S"].as_str().unwrap()).unwrap()
}

fn failures(ids: &[&str], flow: &str) -> Vec<String> {
    ids.iter().map(|id| report(id, flow, json!({})).to_string()).collect()
}

fn ids(world_rows: &Value) -> Vec<&str> {
    let rows = world_rows["items"].as_array().unwrap().iter();
    rows.map(|row| row["interchangeId"].as_str().unwrap()).collect()
}

fn everything() -> Value {
    json!({ "reason": "the partner is back", "selection": { "all": true } })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_field_of_a_configuration_has_no_effect_and_is_preserved_by_a_put() {
    let world = World::start().await;
    world.put("/flows/orders", json!({ "displayName": "Orders" })).await.ok();
    change(&world, "FLOW#orders", "CONFIG", "d", |config| {
        config["calendar"] = json!({ "timezone": "Europe/Berlin" });
        config["confirmation"]["later"] = json!(false);
    });
    world.send(failures(&["o-1"], "orders").into_iter().chain(failures(&["i-1"], "invoices"))).await;
    assert_eq!(world.held(FAILURES) + world.held(FAILURES_DLQ), 0);
    let flow = world.get("/flows/orders").await.ok();
    assert_eq!((&flow["displayName"], flow.get("problems"), flow.get("calendar")), (&json!("Orders"), None, None));
    let mut changed = flow;
    changed["displayName"] = json!("Orders inbound");
    world.put_if_match("/flows/orders", "\"1\"", changed).await.ok();
    let stored = document(&world, "FLOW#orders", "CONFIG", "d");
    assert_eq!(
        (&stored["calendar"]["timezone"], &stored["confirmation"]["later"]),
        (&json!("Europe/Berlin"), &json!(false))
    );
    assert_eq!(stored["displayName"], "Orders inbound");
    world.advance("6m").await;
    assert_eq!(world.drain(RECEIVER_STAGE).await.len(), 2, "both flows are retried as usual");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_configuration_is_marked_and_can_be_replaced_with_its_version() {
    let world = World::start().await;
    for flow in ["broken", "orders"] {
        world.put(&format!("/flows/{flow}"), json!({})).await.ok();
    }
    world.send(failures(&["b-1", "b-2"], "broken")).await;
    world.alter("FLOW#broken", "CONFIG", |config| config["d"] = json!({ "S": "{" }));
    let flows = world.get("/flows").await.ok();
    let marked = |flow: &&Value| flow.get("problems").is_some();
    let items = flows["items"].as_array().unwrap();
    assert_eq!(items.iter().filter(marked).map(|flow| &flow["flow"]).collect::<Vec<_>>(), ["broken"], "{flows}");
    assert_eq!(items.len(), 2);
    let problem = world.get("/flows/broken").await.is_problem(409, "unreadable");
    assert_eq!(problem["version"], 1);

    // Reports of this flow and of another one in one batch: all are stored, those of the broken flow as unassigned.
    world.send(failures(&["b-3"], "broken").into_iter().chain(failures(&["o-1"], "orders"))).await;
    assert_eq!(world.held(FAILURES) + world.held(FAILURES_DLQ), 0);
    world.get("/interchanges/b-3").await.is_problem(404, "not-found");
    // The broken flow has no automatic retries.
    world.advance("10m").await;
    assert_eq!(
        world.drain(RECEIVER_STAGE).await.iter().map(|staged| staged.id().to_owned()).collect::<Vec<_>>(),
        ["o-1"]
    );
    assert_eq!(ids(&world.get("/flows/broken/interchanges?order=oldest").await.ok()), ["b-1", "b-2"]);
    world.post("/interchanges/b-1/retry", json!({ "reason": "now" })).await.is_problem(409, "stage-not-understood");
    world.post("/flows/broken/retry", everything()).await.is_problem(409, "stage-not-understood");

    world.put_if_match("/flows/broken", "\"7\"", json!({})).await.is_problem(412, "version-mismatch");
    let answer = world.put_if_match("/flows/broken?reschedule=true", "\"1\"", json!({})).await.ok();
    assert_eq!(answer["version"], 2);
    world.settle().await;
    assert_eq!(world.drain(RECEIVER_STAGE).await.len(), 2, "the held retries are sent");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn retries_are_held_while_the_kind_of_their_schedule_is_unknown() {
    let world = World::start().await;
    world.put("/flows/orders", json!({ "confirmation": { "mode": "silent", "within": "30m" } })).await.ok();
    world.send(failures(&["o-1", "o-2"], "orders")).await;
    world.post("/interchanges/o-2/retry", json!({ "reason": "now" })).await.ok();
    assert_eq!(world.drain(RECEIVER_STAGE).await.len(), 1);
    let before = document(&world, "FLOW#orders", "CONFIG", "d");
    change(&world, "FLOW#orders", "CONFIG", "d", |config| {
        config["retry"]["schedule"] = json!({ "kind": "cron", "at": "0 6 * * *" })
    });
    world.send(failures(&["o-3"], "orders")).await;
    world.advance("50m").await;
    let flow = world.get("/flows/orders").await.ok();
    assert_eq!(
        (&flow["retry"]["mode"], &flow["problems"][0]["field"]),
        (&json!("manual"), &json!("retry.schedule.kind"))
    );
    assert!(world.drain(RECEIVER_STAGE).await.is_empty());
    assert_eq!(world.kinds("o-1").await, ["failed", "retry_scheduled", "retry_held"]);
    assert_eq!(world.interchange("o-2").await["status"], "waiting_for_retry", "silence has no effect");
    assert_eq!(world.interchange("o-3").await.get("nextRetryAt"), None);

    // From now on a release runs that understands it.
    change(&world, "FLOW#orders", "CONFIG", "d", |config| *config = before);
    world.advance("2h").await;
    assert_eq!(
        world.drain(RECEIVER_STAGE).await.iter().map(|staged| staged.id().to_owned()).collect::<Vec<_>>(),
        ["o-1"]
    );
    assert_eq!(world.interchange("o-2").await["status"], "completed");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_head_blocks_no_page_no_job_no_slot_and_no_batch() {
    let world = World::start().await;
    world.put("/flows/orders", json!({})).await.ok();
    world.send(failures(&["o-1", "o-2", "o-3"], "orders")).await;
    change(&world, "INTERCHANGE#o-2", "HEAD", "row", |row| row["st"] = json!("archived"));
    let page = world.get("/flows/orders/interchanges?order=oldest").await.ok();
    assert_eq!(ids(&page), ["o-1", "o-2", "o-3"]);
    assert_eq!(page["items"][1], json!({ "interchangeId": "o-2", "flow": "orders", "unreadable": true }));
    world.get("/interchanges/o-2").await.is_problem(409, "unreadable");
    world.get("/interchanges/o-2/payloads/sender").await.is_problem(409, "unreadable");
    world.post("/interchanges/o-2/retry", json!({ "reason": "now" })).await.is_problem(409, "unreadable");

    let plan = world.post("/flows/orders/delete?plan=true", everything()).await.ok();
    assert_eq!((&plan["count"], &plan["skips"]), (&json!(3), &json!({ "unreadable": 1 })));
    // The slot is run for the others.
    world.advance("6m").await;
    assert_eq!(world.drain(RECEIVER_STAGE).await.len(), 2);

    // In a batch only its own report is delivered again. The others are stored.
    let again = json!({ "attempt": 2, "occurredAt": "2026-11-20T14:07:00Z" });
    world.send(["o-1", "o-2", "o-3"].map(|id| report(id, "orders", again.clone()).to_string())).await;
    assert_eq!(world.held(FAILURES), 1);
    for id in ["o-1", "o-3"] {
        assert_eq!(world.interchange(id).await["status"], "failed");
    }
    let job = world.post("/flows/orders/delete", everything()).await.location.unwrap();
    world.settle().await;
    let job = world.get(&job).await.ok();
    assert_eq!(
        (&job["status"], &job["counts"]["sent"], &job["skips"]),
        (&json!("completed"), &json!(2), &json!({ "unreadable": 1 }))
    );

    // From now on a release runs that can read it.
    change(&world, "INTERCHANGE#o-2", "HEAD", "row", |row| row["st"] = json!("failed"));
    world.advance("20m").await;
    assert_eq!(world.held(FAILURES) + world.held(FAILURES_DLQ), 0);
    assert_eq!(world.kinds("o-2").await.iter().filter(|kind| *kind == "failed").count(), 2);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_job_is_marked_in_the_list_and_does_not_stop_the_sweep_of_the_others() {
    let world = World::start().await;
    for flow in ["orders", "invoices"] {
        world.put(&format!("/flows/{flow}"), json!({ "retry": { "mode": "manual" } })).await.ok();
        world.send(failures(&[&format!("{flow}-1")], flow)).await;
    }
    let mut with_canary = everything();
    with_canary["canary"] = json!(1);
    let mut jobs = Vec::new();
    for flow in ["orders", "invoices"] {
        jobs.push(world.post(&format!("/flows/{flow}/retry"), with_canary.clone()).await.location.unwrap());
    }
    world.settle().await;
    let pk = jobs[0].replace("/jobs/", "JOB#");
    change(&world, &pk, "JOB", "d", |job| job["action"] = json!("edit"));
    world.get(&jobs[0]).await.is_problem(409, "unreadable");
    let list = world.get("/flows/orders/jobs").await.ok();
    assert_eq!((&list["items"][0]["unreadable"], &list["items"][0]["flow"]), (&json!(true), &json!("orders")));
    let completed = |flow: &str| {
        let more = json!({ "type": "interchange.completed", "attempt": 2, "occurredAt": null, "payloads": null });
        report(&format!("{flow}-1"), flow, more).to_string()
    };
    world.send(["orders", "invoices"].map(completed)).await;
    world.advance("5m").await;
    assert_eq!(world.get(&jobs[1]).await.ok()["status"], "completed");
    change(&world, &pk, "JOB", "d", |job| job["action"] = json!("retry"));
    world.advance("10m").await;
    assert_eq!(world.get(&jobs[0]).await.ok()["status"], "completed");
    world.stop().await;
}
