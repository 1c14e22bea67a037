//! Items of another release: how the API shows unknown members and unreadable items.

use serde_json::{Value, json};
use tests::{World, report};

use crate::checked_client::CheckedClient;
use crate::scenarios::{all, because};

/// Replaces a text once in a document of an item.
fn replace(world: &World, key: (&str, &str), document: &str, from: &str, to: &str) {
    world.alter(key.0, key.1, |item| {
        let text = item[document]["S"].as_str().expect("a document");
        assert!(text.contains(from), "{text}");
        item[document]["S"] = text.replacen(from, to, 1).into();
    });
}

/// Configurations, heads, an event and a job as another release could store them.
pub(crate) async fn stored(client: &mut CheckedClient<'_>) {
    let world = client.world;
    for flow in ["ahead", "broken"] {
        client.put(&format!("/flows/{flow}"), json!({ "retry": { "mode": "manual" } })).await;
    }
    world.send(["ahead-1", "ahead-2"].map(|id| report(id, "ahead", json!({})).to_string())).await;
    let nobody = json!({ "reason": "to see it", "selection": { "ids": ["nobody"] } });
    let job = client.post("/flows/ahead/delete", nobody).await["id"].as_str().expect("a job").to_owned();
    world.settle().await;

    let event = r#"[{"n":2,"at":"2026-11-20T14:00:00Z","a":1,"by":"=ann","k":{"edited":{"r":"typo"}}}]"#;
    world.alter("INTERCHANGE#ahead-1", "EVENT#0000000001", |log| log["d2"] = json!({ "S": event }));
    assert_eq!(client.get("/interchanges/ahead-1").await["events"][1]["stored"], json!({ "r": "typo" }));

    replace(world, ("INTERCHANGE#ahead-2", "HEAD"), "row", "\"failed\"", "\"archived\"");
    let page = client.get("/flows/ahead/interchanges").await;
    let unreadable = |row: &Value| row["unreadable"] == true && row["interchangeId"] == "ahead-2";
    assert_eq!(page["items"].as_array().unwrap().iter().filter(|row| unreadable(row)).count(), 1, "{page}");
    client.get("/interchanges/ahead-2").await;
    client.get("/interchanges/ahead-2/payloads/sender").await;
    for action in ["restart", "retry", "delete", "erase"] {
        client.post(&format!("/interchanges/ahead-2/{action}"), because()).await;
    }

    replace(world, ("FLOW#ahead", "CONFIG"), "d", "\"ladder\"", "\"cron\"");
    replace(world, ("FLOW#ahead", "CONFIG"), "d", "\"receiver\":{\"queueUrl\"", "\"receiver\":{\"pipe\"");
    let flow = client.get("/flows/ahead").await;
    let fields: Vec<_> = flow["problems"].as_array().unwrap().iter().map(|problem| &problem["field"]).collect();
    assert_eq!(fields, ["stages.receiver.queueUrl", "retry.schedule.kind"]);
    client.post("/interchanges/ahead-1/retry", because()).await;
    client.post("/flows/ahead/retry", all()).await;

    replace(world, (&format!("JOB#{job}"), "JOB"), "st", "completed", "paused");
    assert_eq!(client.get("/flows/ahead/jobs").await["items"][0]["unreadable"], true);
    client.get(&format!("/jobs/{job}")).await;
    for action in ["cancel", "resume"] {
        client.post(&format!("/jobs/{job}/{action}"), json!({})).await;
    }

    world.alter("FLOW#broken", "CONFIG", |config| config["d"] = json!({ "S": "{" }));
    assert_eq!(client.get("/flows/broken").await["version"], 1);
    client.get("/flows").await;
    client.put_if_match("/flows/broken", "\"1\"", json!({})).await;
    assert_eq!(client.get("/flows/broken").await["version"], 2);
}
