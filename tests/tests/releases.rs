//! Upgrades: this release reads, lists, retries and completes the table of an earlier release. It tolerates and preserves the
//! members that the next release adds.

#![cfg(test)]

use std::path::Path;

use serde_json::{Value, json};
use tests::explore::{OtherRelease, Scenario, run_with_other_release};
use tests::releases::{NextRelease, import};
use tests::{RECEIVER_STAGE, SENDER_STAGE, World, report};

/// Decides what the next release adds to which items.
const SEED: u64 = 4711;

const STATUSES: &str = "failed,partially_failed,waiting_for_retry,waiting_for_restart,in_network,completed,deleted";

/// The table files of earlier releases, by file name.
fn table_files() -> Vec<(String, Value)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("releases");
    let files = std::fs::read_dir(directory).expect("the directory of table files").flatten().map(|file| file.path());
    let files = files.filter(|file| file.extension().is_some_and(|extension| extension == "json"));
    let read = |file: &Path| {
        let text = std::fs::read_to_string(file).expect("a table");
        (file.display().to_string(), serde_json::from_str(&text).expect("JSON"))
    };
    let mut tables: Vec<_> = files.map(|file| read(&file)).collect();
    tables.sort_by(|(a, _), (b, _)| a.cmp(b));
    tables
}

/// Every row of a flow.
async fn rows(world: &World, flow: &str) -> Vec<Value> {
    let page = world.get(&format!("/flows/{flow}/interchanges?limit=200&status={STATUSES}")).await.ok();
    assert!(page["cursor"].is_null(), "the rows do not fit into one page");
    page["items"].as_array().unwrap().clone()
}

/// Compares the counts of every flow with its rows, and reads every interchange with its log and its payloads.
async fn open_everything(world: &World, release: &str) {
    let flows = world.get("/flows").await.ok();
    for flow in flows["items"].as_array().unwrap() {
        assert!(flow["problems"].is_null(), "{release}: {flow}");
        let name = flow["flow"].as_str().unwrap();
        let rows = rows(world, name).await;
        for (status, count) in flow["counts"].as_object().unwrap() {
            let expected = rows.iter().filter(|row| row["status"] == status.as_str()).count();
            assert_eq!(*count, expected, "{release}: {name} {status}");
        }
        for row in &rows {
            let id = row["interchangeId"].as_str().unwrap();
            let whole = world.interchange(id).await;
            let events = whole["events"].as_array().unwrap();
            assert!(events.iter().all(|event| event.get("stored").is_none()), "{release}: {whole}");
            assert!(
                events.iter().map(|event| event["sequence"].as_u64().unwrap()).eq(1..=events.len() as u64),
                "{whole}"
            );
            for side in whole["payloads"].as_object().unwrap().keys().filter(|_| whole["status"] != "deleted") {
                let payload = world.get(&format!("/interchanges/{id}/payloads/{side}")).await;
                assert_eq!(payload.status, 200, "{release}: {id} {side}");
            }
        }
    }
}

/// Reports the completion of every message on the stages. Returns their number.
async fn complete(world: &World) -> usize {
    let now = world.stack.aws().clock().now().to_string();
    let mut staged = world.drain(RECEIVER_STAGE).await;
    staged.extend(world.drain(SENDER_STAGE).await);
    let completed = json!({ "type": "interchange.completed", "occurredAt": now, "payloads": null });
    let reports = staged.iter().map(|staged| {
        let mut more = completed.clone();
        more["attempt"] = staged.attempt().into();
        let flow = staged.id().split('-').next().unwrap().to_owned();
        report(staged.id(), &flow, more).to_string()
    });
    world.send(reports.collect::<Vec<_>>()).await;
    staged.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_of_an_earlier_release_can_be_read_listed_retried_and_completed() {
    let tables = table_files();
    assert!(!tables.is_empty(), "there is no table file");
    for (release, table) in tables {
        let world = World::start().await;
        import(&world, &table).await;
        open_everything(&world, &release).await;

        // The job that waits for its canary continues when the canary completes.
        let jobs = world.get("/flows/quiet/jobs").await.ok();
        let canary = jobs["items"].as_array().unwrap().iter().find(|job| job["status"] == "canary").unwrap().clone();
        let waits = rows(&world, "quiet").await.into_iter().find(|row| row["job"] == canary["id"]).unwrap();
        let now = world.stack.aws().clock().now().to_string();
        let done = json!({ "type": "interchange.completed", "attempt": waits["attempt"], "occurredAt": now, "payloads": null });
        world.report(report(waits["interchangeId"].as_str().unwrap(), "quiet", done)).await;
        world.advance("1m").await;
        // A repeated request gets the same response.
        let again = json!({ "reason": "the partner is back" });
        let answer = world.post_once("/interchanges/quiet-1/retry", "key-1", again).await.ok();
        assert_eq!((&answer["interchangeId"], &answer["attempt"]), (&json!("quiet-1"), &json!(2)), "{release}");
        // Held retries are sent when the flow is active again. The operator sends the others.
        world.put_if_match("/flows/held", "\"2\"", json!({})).await.ok();
        for (id, action) in [("orders-unmapped", "restart"), ("orders-large", "restart"), ("orders-parts", "retry")] {
            let answer = world.post(&format!("/interchanges/{id}/{action}"), json!({ "reason": "mended" })).await;
            let status = answer.json()["interchangeStatus"].as_str().unwrap_or_default().to_owned();
            assert!(answer.status == 200 || status.starts_with("waiting"), "{release}: {}", answer.json());
        }
        let mut sent = complete(&world).await;
        let everything = json!({ "reason": "an upgrade", "selection": { "all": true } });
        for flow in ["orders", "windows", "later", "held", "quiet", "unconfigured"] {
            let answer = world.post(&format!("/flows/{flow}/retry"), everything.clone()).await;
            assert_eq!(answer.status, 202, "{release}: {flow} {}", answer.json());
            world.settle().await;
            sent += complete(&world).await;
        }
        world.advance("49h").await;
        sent += complete(&world).await;
        world.advance("1h").await;
        assert!(sent > 10, "{release}: {sent} were sent");
        open_everything(&world, &release).await;
        for flow in ["orders", "windows", "later", "held", "quiet", "unconfigured"] {
            for row in rows(&world, flow).await {
                let is_done = ["completed", "deleted"].contains(&row["status"].as_str().unwrap());
                assert!(is_done || row["error"]["category"] == "no_outcome", "{release}: {row}");
            }
            let jobs = world.get(&format!("/flows/{flow}/jobs")).await.ok();
            assert!(jobs["items"].as_array().unwrap().iter().all(|job| job["status"] == "completed"), "{jobs}");
        }
        world.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn additions_of_the_next_release_to_stored_items_break_no_invariant_and_are_preserved() {
    let mut shapes = std::collections::BTreeSet::new();
    let mut changes = 0;
    for (scenario, seed) in Scenario::ALL.into_iter().zip(SEED..) {
        let world = World::start().await;
        let next_release = OtherRelease::Writes(NextRelease::new(seed));
        let (violations, other_release) = run_with_other_release(scenario, world, next_release).await;
        assert!(violations.is_empty(), "{scenario} with seed {seed}: {violations:#?}");
        let Some(OtherRelease::Writes(next)) = other_release else { panic!("the next release is missing") };
        changes += next.changes;
        shapes.extend(next.shapes);
    }
    assert!(changes > 200, "only {changes} changes were made");
    for shape in [
        "INTERCHANGE HEAD",
        "INTERCHANGE EVENT",
        "FLOW CONFIG",
        "FLOW GROUP",
        "JOB JOB",
        "JOB CHUNK",
        "SLOT",
        "RUN RUN",
    ] {
        assert!(
            shapes.iter().any(|seen| seen.starts_with(shape)),
            "no item of the shape {shape} was changed: {shapes:#?}"
        );
    }
}
