//! Scenarios in which every response and field of the API occurs.

use serde_json::{Value, json};
use tests::{RECEIVER_STAGE, report};

use crate::checked_client::CheckedClient;

pub(crate) const FUNCTION: &str = "arn:aws:lambda:eu-west-1:000000000000:function:orders";
pub(crate) const QUEUE: &str = "arn:aws:sqs:eu-west-1:000000000000:orders-dlq";
const STAGE: &str = "https://sqs.eu-west-1.amazonaws.com/000000000000/orders";

pub(crate) fn because() -> Value {
    json!({ "reason": "the partner is back" })
}

pub(crate) fn all() -> Value {
    json!({ "reason": "the partner is back", "selection": { "all": true } })
}

/// A configuration with every field.
pub(crate) fn whole() -> Value {
    let ladder = json!({ "kind": "ladder", "delays": ["5m", "10m"] });
    let exponential = json!({ "kind": "exponential", "first": "2m", "factor": 2, "cap": "24h", "limit": 10 });
    let hourly = json!({ "kind": "window", "every": "hour", "interval": 2, "lapse": "20m", "batch": 500, "limit": 4 });
    let daily = json!({ "kind": "window", "every": "day", "at": "06:30", "timezone": "Europe/Berlin", "interval": 6,
                        "lapse": "20m", "batch": 500, "limit": 4 });
    let policy = |schedule: &Value| json!({ "retry": { "mode": "automatic", "schedule": schedule, "categories": ["system"], "jitter": 0.5, "action": "retry" } });
    json!({
        "active": true, "displayName": "Orders inbound",
        "stages": { "sender": { "queueUrl": STAGE }, "receiver": { "queueUrl": STAGE } },
        "deadLetterQueues": [{ "arn": QUEUE, "phase": "delivery" }], "functions": [FUNCTION], "senders": ["AROAEXAMPLEORDERS000"],
        "mask": { "patterns": ["Patient [^,;]+"], "fields": ["error.code"] },
        "confirmation": { "mode": "confirms", "within": "20m", "early": false },
        "retry": policy(&ladder)["retry"],
        "partners": { "GLOBEX": policy(&exponential), "INITECH": policy(&hourly), "ACME": policy(&daily) }
    })
}

/// A report with every optional field.
fn full(id: &str, flow: &str) -> Value {
    report(
        id,
        flow,
        json!({ "origin": "Step 3 - receiver communication", "sender": "ACME", "receiver": "GLOBEX", "partner": "GLOBEX",
                "sourceId": "PO-1001", "correlationId": "c-1", "orderKey": "PO-1001",
                "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" }),
    )
}

/// A report of an attempt's outcome.
fn outcome(kind: &str, id: &str, attempt: u64, minute: &str) -> Value {
    let mut outcome =
        report(id, "orders", json!({ "attempt": attempt, "occurredAt": format!("2026-11-20T14:{minute}:00Z") }));
    outcome["type"] = format!("interchange.{kind}").into();
    outcome
}

/// Configurations are stored, planned and read.
pub(crate) async fn configurations(client: &mut CheckedClient<'_>) {
    client.put("/flows/whole", whole()).await;
    client.get("/flows/whole").await;
    client.put("/flows/whole?plan=true", whole()).await;
    client.put("/flows/whole?plan=true&category=mapping&phase=processing", whole()).await;
    client.put("/flows/whole?reschedule=true", whole()).await;
    client.world.settle().await;
    client.put_if_match("/flows/whole", "\"9\"", whole()).await;
}

/// Retry, restart and delete of single interchanges, with every read request on the way.
pub(crate) async fn manual_actions(client: &mut CheckedClient<'_>) {
    let policy =
        json!({ "schedule": { "kind": "exponential", "first": "5m", "factor": 2, "cap": "24h" }, "action": "retry" });
    client.put("/flows/orders", json!({ "partners": { "GLOBEX": { "retry": policy } } })).await;
    client.world.report(full("4711", "orders")).await;
    let parts = json!([{ "id": "line-3", "status": "failed", "message": "unknown article" },
                       { "id": "line-4", "status": "completed" }]);
    let some = json!({ "status": "partially_failed", "parts": parts });
    client.world.report(report("4712", "orders", some)).await;
    let unmapped = json!({ "payloads": { "sender": { "body": "UNB+", "contentType": "application/edifact" } },
                           "error": { "category": "mapping", "code": "M-17", "message": "no rule for segment FTX" } });
    client.world.report(report("4713", "orders", unmapped)).await;
    for path in ["/flows", "/flows/orders", "/flows/orders/groups", "/flows/orders/interchanges?limit=2"] {
        client.get(path).await;
    }
    for path in ["/interchanges/4711", "/interchanges/4712", "/interchanges/4711/payloads/sender?revision=1"] {
        client.get(path).await;
    }
    client.world.advance("1m").await;
    client.post("/interchanges/4711/retry", because()).await;
    client.post("/interchanges/4713/restart", because()).await;
    for (kind, attempt, minute) in [("in_network", 2, "02"), ("completed", 1, "03"), ("completed", 2, "04")] {
        client.world.report(outcome(kind, "4711", attempt, minute)).await;
    }
    client.get("/interchanges/4711").await;
    // It failed without a receiver payload and was restarted. A late report brings the receiver payload.
    client.world.report(outcome("failed", "4713", 1, "00")).await;
    client.get("/interchanges/4713").await;
    client.post("/interchanges/4712/delete", because()).await;
    client.get("/interchanges/4712").await;
    client.post("/interchanges/4712/erase", because()).await;
    client.get("/interchanges/4712").await;
}

/// Automatic events: retries that are sent, held and skipped, deadlines, and the end of a retry schedule.
pub(crate) async fn automatic_events(client: &mut CheckedClient<'_>) {
    let once = json!({ "schedule": { "kind": "ladder", "delays": ["5m"] } });
    for flow in ["short", "held", "skipped", "silent"] {
        let mode = if flow == "silent" { "silent" } else { "confirms" };
        let config = json!({ "retry": once, "confirmation": { "mode": mode, "within": "5m" } });
        client.put(&format!("/flows/{flow}"), config).await;
        // Without `occurredAt`, as the scenario before has moved the clock.
        client.world.report(report(&format!("{flow}-1"), flow, json!({ "occurredAt": null }))).await;
    }
    client.put("/flows/held", json!({ "active": false, "retry": once })).await;
    client.put("/flows/skipped", json!({ "stages": {}, "retry": once })).await;
    client.world.advance("20m").await;
    for (flow, kind) in
        [("short", "exhausted"), ("held", "retry_held"), ("skipped", "retry_skipped"), ("silent", "assumed_completed")]
    {
        let log = client.get(&format!("/interchanges/{flow}-1")).await["events"].to_string();
        assert!(log.contains(&format!("\"{kind}\"")), "{log}");
    }
}

/// Jobs with every final status, and their plans.
pub(crate) async fn jobs(client: &mut CheckedClient<'_>) {
    let quiet = json!({ "retry": { "mode": "manual" }, "confirmation": { "within": "48h" } });
    client.put("/flows/many", quiet).await;
    let reports = (1..=4).map(|n| report(&format!("many-{n}"), "many", json!({ "occurredAt": null })).to_string());
    client.world.send(reports).await;
    client.post("/flows/many/retry?plan=true", all()).await;
    let unmapped = json!({ "occurredAt": null, "payloads": { "sender": { "body": "UNB+" } } });
    client.world.report(report("unmapped-1", "unmapped", unmapped)).await;
    client.post("/flows/unmapped/retry?plan=true", all()).await;

    // Halted, because its canary fails.
    let mut with_canary = all();
    with_canary
        .as_object_mut()
        .unwrap()
        .extend([("rate", 50), ("cap", 3), ("canary", 1)].map(|(n, v)| (n.to_owned(), v.into())));
    let halted = path_of(&client.post_once("/flows/many/retry", "k-1", with_canary).await);
    for action in ["retry", "erase"] {
        client.post(&format!("/flows/many/{action}"), all()).await;
    }
    client.put("/flows/many?reschedule=true", json!({})).await;
    client.world.settle().await;
    let staged = client.world.drain(RECEIVER_STAGE).await;
    let sent = staged.iter().find(|staged| staged.id().starts_with("many-")).expect("the canary is on the stage");
    let failed = report(sent.id(), "many", json!({ "attempt": sent.attempt(), "occurredAt": null }));
    let canary = sent.id().to_owned();
    // A work item of it is in the dead-letter queue: the job is stuck until it is resumed.
    let work = json!({ "kind": "look", "job": halted.trim_start_matches("/jobs/") });
    client.world.put_work("reprise-jobs-dlq", &work).await;
    client.world.settle().await;
    assert_eq!(client.get(&halted).await["stuck"], true);
    client.post(&format!("{halted}/resume"), json!({})).await;
    client.world.settle().await;
    client.world.report(failed).await;
    client.world.advance("1m").await;
    assert_eq!(client.get(&halted).await["status"], "halted");
    client.post(&format!("{halted}/resume"), json!({})).await;
    client.get(&format!("/interchanges/{canary}")).await;

    // Cancelled, with a filter of every field.
    let filter = json!({ "status": ["failed"], "from": "2026-11-20T14:00:00Z", "to": "2026-11-21T14:00:00Z", "message": "timeout",
                         "sender": "ACME", "receiver": "GLOBEX", "origin": "Step 3", "phase": "delivery", "category": "system",
                         "sourceId": "PO-1", "group": "0123456789abcdef", "job": "j-1" });
    let filtered = json!({ "reason": "sent twice", "selection": { "filter": filter }, "canary": 1 });
    client.post("/flows/many/delete", filtered.clone()).await;
    let cancelled = path_of(&client.post("/flows/many/retry", filtered).await);
    client.post(&format!("{cancelled}/cancel"), json!({})).await;
    client.world.settle().await;
    client.post(&format!("{cancelled}/cancel"), json!({})).await;

    // Completed, with a skipped interchange that is not failed any more.
    client.post("/interchanges/many-4/retry", because()).await;
    let mut some = json!({ "reason": "sent twice", "selection": { "ids": ["many-3", "many-4"] } });
    client.post("/flows/many/delete?plan=true", some.clone()).await;
    some.as_object_mut().unwrap().extend([("rate", 50), ("cap", 3)].map(|(n, v)| (n.to_owned(), v.into())));
    let completed = path_of(&client.post("/flows/many/delete", some).await);
    client.world.settle().await;
    assert_eq!(client.get(&completed).await["skips"]["not-failed"], 1);
    client.get("/interchanges/many-3").await;
    client.get("/flows/many/jobs").await;
    let deleted = json!({ "reason": "request DSR-311", "selection": { "ids": ["many-3"] } });
    client.post("/flows/many/erase", deleted).await;
    client.world.settle().await;
    client.get("/interchanges/many-3").await;
    for action in ["restart", "delete", "erase"] {
        client.post(&format!("/flows/many/{action}?plan=true"), all()).await;
        let one = json!({ "reason": "to see it", "selection": { "ids": ["nobody"] } });
        client.post_once(&format!("/flows/many/{action}"), action, one).await;
        client.world.settle().await;
    }
    for (action, key) in [("retry", "k-1"), ("restart", "restart"), ("delete", "delete"), ("erase", "erase")] {
        client.post_once(&format!("/flows/many/{action}"), key, all()).await;
        client.post_once(&format!("/interchanges/many-4/{action}"), "k-1", because()).await;
    }
}

fn path_of(job: &Value) -> String {
    format!("/jobs/{}", job["id"].as_str().expect("a job's id"))
}

/// Actions that are refused, with every reason.
pub(crate) async fn refusals(client: &mut CheckedClient<'_>) {
    let world = client.world;
    world.report(report("bare", "refused", json!({ "payloads": { "sender": { "body": "UNB+" } } }))).await;
    world.report(report("empty", "refused", json!({ "payloads": null }))).await;
    world.report(report("whole", "refused", json!({}))).await;
    world.fail_up_to_the_last_attempt("last", "refused").await;
    for action in ["restart", "retry"] {
        client.post(&format!("/interchanges/last/{action}"), because()).await;
    }
    client.post("/interchanges/bare/retry", because()).await;
    client.post("/interchanges/empty/restart", because()).await;
    let gone = client.world.queue_url("no-such-queue");
    client
        .put("/flows/refused", json!({ "stages": { "receiver": { "queueUrl": gone } }, "retry": { "mode": "manual" } }))
        .await;
    client.post("/interchanges/whole/retry", because()).await;
    client.get("/interchanges/whole").await;
    client.post("/interchanges/whole/restart", because()).await;
    client.post("/flows/refused/restart", all()).await;
    client.put("/flows/refused", json!({ "active": false })).await;
    for action in ["restart", "retry", "delete", "erase"] {
        client.post(&format!("/interchanges/whole/{action}"), because()).await;
        client.post(&format!("/flows/refused/{action}"), all()).await;
        client.post(&format!("/interchanges/4711/{action}"), because()).await;
    }
}

/// An event log that does not fit into one response.
pub(crate) async fn large(client: &mut CheckedClient<'_>) {
    client.world.fail_repeatedly("long-1", "long", 150).await;
    let newest = client.get("/interchanges/long-1").await;
    client.get(&format!("/interchanges/long-1?eventsBefore={}", newest["eventsBefore"])).await;
}

/// Requests that every operation refuses: an unknown parameter, an id that does not exist, a body that is too large.
pub(crate) async fn invalid_requests(client: &mut CheckedClient<'_>, operations: &[(String, String)]) {
    for (method, path) in operations {
        let nobody = path.replace("{flow}", "nobody").replace("{id}", "nobody").replace("{side}", "sender");
        let nonsense = format!("{nobody}?nonsense=1");
        // These two functions ignore the body, so it must exceed the limit of API Gateway.
        let size = if path.ends_with("/cancel") || path.ends_with("/resume") { 7_000_000 } else { 300_000 };
        let large = json!({ "reason": "x".repeat(size) });
        match method.as_str() {
            "GET" => {
                client.get(&nonsense).await;
                if path != "/flows" {
                    client.get(&nobody).await;
                }
            }
            "PUT" => {
                client.put(&nonsense, json!({})).await;
                client.put(&nobody, large).await;
            }
            _ => {
                let body = if path.starts_with("/flows") { all() } else { because() };
                client.post(&nonsense, body.clone()).await;
                client.post(&nobody, body).await;
                client.post(&nobody, large).await;
            }
        }
    }
}
