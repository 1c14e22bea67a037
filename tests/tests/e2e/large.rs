//! Lists and logs that do not fit into one response of a function: they are split into pages, and every part can be read.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::World;

/// The values of one field, in order.
fn each<'a>(items: &'a [Value], field: &str) -> Vec<&'a str> {
    items.iter().filter_map(|item| item[field].as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_with_thousands_of_long_ids_are_listed_in_pages_newest_first_and_complete() {
    let world = World::start().await;
    world.create_jobs_with_many_ids("orders", 52).await;

    let pages = world.pages("/flows/orders/jobs").await;

    assert!(pages.len() > 1, "all jobs fit into one response");
    let reasons: Vec<String> = each(&pages.concat(), "reason").into_iter().map(str::to_owned).collect();
    assert_eq!(reasons, (0..52).rev().map(|n| format!("the {n}th")).collect::<Vec<_>>());
    assert!(pages.iter().flatten().all(|job| job["selection"]["ids"].as_array().unwrap().len() == 1_000));
    // A cursor is valid only for its own list.
    let cursor = world.get("/flows/orders/jobs").await.ok()["cursor"].as_str().unwrap().to_owned();
    world.put("/flows/invoices", json!({})).await.ok();
    let problem = world.get(&format!("/flows/invoices/jobs?cursor={cursor}")).await.is_problem(400, "invalid-field");
    assert_eq!(problem["field"], "cursor");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fifty_first_job_is_on_the_second_page() {
    let world = World::start().await;
    world.put("/flows/orders", json!({})).await.ok();
    for n in 0..51 {
        let order = json!({ "reason": format!("the {n}th"), "selection": { "ids": ["nobody"] } });
        world.post("/flows/orders/delete", order).await.ok();
        world.settle().await;
        if n == 49 {
            assert_eq!(world.pages("/flows/orders/jobs").await.len(), 1, "fifty jobs fit into one page");
        }
    }
    let pages = world.pages("/flows/orders/jobs").await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [50, 1]);
    assert_eq!(pages[1][0]["reason"], "the 0th");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn flows_with_large_configurations_are_listed_in_pages_each_once() {
    let world = World::start().await;
    world.configure_flows_with_many_partners(30).await;
    world.report(tests::report("4711", "large-00", json!({}))).await;

    let pages = world.pages("/flows").await;

    assert!(pages.len() > 1, "all flows fit into one response");
    let all = pages.concat();
    let names: BTreeSet<&str> = each(&all, "flow").into_iter().collect();
    assert_eq!((all.len(), names.len()), (30, 30));
    assert!(all.iter().all(|flow| flow["partners"].as_object().unwrap().len() == 400), "a flow is incomplete");
    assert_eq!(pages[0][0]["flow"], "large-00", "the flow with the most failures is first");
    let problem = world.get("/flows?cursor=AAAA").await.is_problem(400, "invalid-field");
    assert_eq!(problem["field"], "cursor");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_with_long_messages_are_listed_in_pages_each_once() {
    let world = World::start().await;
    world.fail_with_distinct_messages("orders", 160).await;

    let pages = world.pages("/flows/orders/groups").await;

    assert!(pages.len() > 1, "all groups fit into one response");
    let all = pages.concat();
    let fingerprints: BTreeSet<&str> = each(&all, "fingerprint").into_iter().collect();
    assert_eq!((all.len(), fingerprints.len()), (160, 160));
    // The list of interchanges is split in the same way.
    let listed = world.pages("/flows/orders/interchanges").await.concat();
    assert_eq!(listed.len(), 160);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_log_shows_its_newest_events_and_a_sequence_number_for_reading_the_older_ones() {
    let world = World::start().await;
    world.fail_repeatedly("4711", "orders", 180).await;

    let newest = world.interchange("4711").await;

    assert_eq!((&newest["attempt"], &newest["status"]), (&json!(180), &json!("failed")));
    let mut before = newest["eventsBefore"].as_u64();
    let mut log: Vec<Value> = newest["events"].as_array().unwrap().clone();
    let mut responses = 1;
    while let Some(sequence) = before {
        assert_eq!(log[0]["sequence"], sequence, "the first event shown has the number in `eventsBefore`");
        let older = world.get(&format!("/interchanges/4711?eventsBefore={sequence}")).await.ok();
        assert_eq!(older["version"], newest["version"]);
        let events = older["events"].as_array().unwrap().clone();
        log = [events, log].concat();
        before = older["eventsBefore"].as_u64();
        responses += 1;
    }
    assert!(responses > 1, "the whole log fits into one response");
    let sequences: Vec<u64> = log.iter().filter_map(|event| event["sequence"].as_u64()).collect();
    assert_eq!(sequences, (1..=sequences.len() as u64).collect::<Vec<_>>(), "the log has a gap");
    let failures = log.iter().filter(|event| event["kind"] == "failed").count();
    assert_eq!(failures, 180);
    for wrong in ["0", "1", "-1", "x", "", "99999999999"] {
        let problem = world.get(&format!("/interchanges/4711?eventsBefore={wrong}")).await;
        assert_eq!(problem.is_problem(400, "invalid-field")["field"], "eventsBefore", "{wrong}");
    }
    world.stop().await;
}
