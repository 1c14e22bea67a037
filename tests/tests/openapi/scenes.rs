//! What has to happen so that every shape of the API is seen.

use serde_json::{Value, json};
use tests::{RECEIVER_STAGE, report};

use crate::witness::Witness;

pub(crate) const FUNCTION: &str = "arn:aws:lambda:eu-west-1:000000000000:function:orders";
pub(crate) const QUEUE: &str = "arn:aws:sqs:eu-west-1:000000000000:orders-dlq";
const STAGE: &str = "https://sqs.eu-west-1.amazonaws.com/000000000000/orders";

pub(crate) fn because() -> Value {
    json!({ "reason": "the partner is back" })
}

pub(crate) fn all() -> Value {
    json!({ "reason": "the partner is back", "selection": { "all": true } })
}

/// A configuration in which every field says something.
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

/// A report in which every field says something.
fn full(id: &str, flow: &str) -> Value {
    report(
        id,
        flow,
        json!({ "origin": "Step 3 - receiver communication", "sender": "ACME", "receiver": "GLOBEX", "partner": "GLOBEX",
                "sourceId": "PO-1001", "correlationId": "c-1", "orderKey": "PO-1001",
                "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" }),
    )
}

/// What a pipeline says of an attempt.
fn outcome(kind: &str, id: &str, attempt: u64, minute: &str) -> Value {
    let mut outcome =
        report(id, "orders", json!({ "attempt": attempt, "occurredAt": format!("2026-11-20T14:{minute}:00Z") }));
    outcome["type"] = format!("interchange.{kind}").into();
    outcome
}

/// Configurations, stored, planned and shown.
pub(crate) async fn configurations(witness: &mut Witness<'_>) {
    witness.put("/flows/whole", whole()).await;
    witness.get("/flows/whole").await;
    witness.put("/flows/whole?plan=true", whole()).await;
    witness.put("/flows/whole?plan=true&category=mapping&phase=processing", whole()).await;
    witness.put("/flows/whole?reschedule=true", whole()).await;
    witness.world.settle().await;
    witness.put_if_match("/flows/whole", "\"9\"", whole()).await;
}

/// One interchange that is retried by hand and goes through, and everything that is asked of it on the way.
pub(crate) async fn one_by_hand(witness: &mut Witness<'_>) {
    let policy =
        json!({ "schedule": { "kind": "exponential", "first": "5m", "factor": 2, "cap": "24h" }, "action": "retry" });
    witness.put("/flows/orders", json!({ "partners": { "GLOBEX": { "retry": policy } } })).await;
    witness.world.report(full("4711", "orders")).await;
    let parts = json!([{ "id": "line-3", "status": "failed", "message": "unknown article" },
                       { "id": "line-4", "status": "completed" }]);
    let some = json!({ "status": "partially_failed", "parts": parts });
    witness.world.report(report("4712", "orders", some)).await;
    let unmapped = json!({ "payloads": { "sender": { "body": "UNB+", "contentType": "application/edifact" } },
                           "error": { "category": "mapping", "code": "M-17", "message": "no rule for segment FTX" } });
    witness.world.report(report("4713", "orders", unmapped)).await;
    for path in ["/flows", "/flows/orders", "/flows/orders/groups", "/flows/orders/interchanges?limit=2"] {
        witness.get(path).await;
    }
    for path in ["/interchanges/4711", "/interchanges/4712", "/interchanges/4711/payloads/sender?revision=1"] {
        witness.get(path).await;
    }
    witness.world.advance("1m").await;
    witness.post("/interchanges/4711/retry", because()).await;
    witness.post("/interchanges/4713/restart", because()).await;
    for (kind, attempt, minute) in [("in_network", 2, "02"), ("completed", 1, "03"), ("completed", 2, "04")] {
        witness.world.report(outcome(kind, "4711", attempt, minute)).await;
    }
    witness.get("/interchanges/4711").await;
    // It failed without a receiver payload and is sent back; now that payload comes late.
    witness.world.report(outcome("failed", "4713", 1, "00")).await;
    witness.get("/interchanges/4713").await;
    witness.post("/interchanges/4712/delete", because()).await;
    witness.get("/interchanges/4712").await;
    witness.post("/interchanges/4712/erase", because()).await;
    witness.get("/interchanges/4712").await;
}

/// What happens by itself: retries that are due, held and skipped, deadlines, and the end of a schedule.
pub(crate) async fn by_itself(witness: &mut Witness<'_>) {
    let once = json!({ "schedule": { "kind": "ladder", "delays": ["5m"] } });
    for flow in ["short", "held", "skipped", "silent"] {
        let mode = if flow == "silent" { "silent" } else { "confirms" };
        let config = json!({ "retry": once, "confirmation": { "mode": mode, "within": "5m" } });
        witness.put(&format!("/flows/{flow}"), config).await;
        // The clock stands where the scene before has left it.
        witness.world.report(report(&format!("{flow}-1"), flow, json!({ "occurredAt": null }))).await;
    }
    witness.put("/flows/held", json!({ "active": false, "retry": once })).await;
    witness.put("/flows/skipped", json!({ "stages": {}, "retry": once })).await;
    witness.world.advance("20m").await;
    for (flow, kind) in
        [("short", "exhausted"), ("held", "retry_held"), ("skipped", "retry_skipped"), ("silent", "assumed_completed")]
    {
        let log = witness.get(&format!("/interchanges/{flow}-1")).await["events"].to_string();
        assert!(log.contains(&format!("\"{kind}\"")), "{log}");
    }
}

/// Jobs from their plan to each of their ends.
pub(crate) async fn jobs(witness: &mut Witness<'_>) {
    let quiet = json!({ "retry": { "mode": "manual" }, "confirmation": { "within": "48h" } });
    witness.put("/flows/many", quiet).await;
    let reports = (1..=4).map(|n| report(&format!("many-{n}"), "many", json!({ "occurredAt": null })).to_string());
    witness.world.send(reports).await;
    witness.post("/flows/many/retry?plan=true", all()).await;
    let unmapped = json!({ "occurredAt": null, "payloads": { "sender": { "body": "UNB+" } } });
    witness.world.report(report("unmapped-1", "unmapped", unmapped)).await;
    witness.post("/flows/unmapped/retry?plan=true", all()).await;

    // Halted: its canary fails.
    let mut careful = all();
    careful
        .as_object_mut()
        .unwrap()
        .extend([("rate", 50), ("cap", 3), ("canary", 1)].map(|(n, v)| (n.to_owned(), v.into())));
    let halted = path_of(&witness.post_once("/flows/many/retry", "k-1", careful).await);
    for action in ["retry", "erase"] {
        witness.post(&format!("/flows/many/{action}"), all()).await;
    }
    witness.put("/flows/many?reschedule=true", json!({})).await;
    witness.world.settle().await;
    let staged = witness.world.drain(RECEIVER_STAGE).await;
    let sent = staged.iter().find(|staged| staged.id().starts_with("many-")).expect("the canary is on its way");
    let failed = report(sent.id(), "many", json!({ "attempt": sent.attempt(), "occurredAt": null }));
    let canary = sent.id().to_owned();
    // Work of it was given up: it is stuck until it is resumed.
    let work = json!({ "kind": "look", "job": halted.trim_start_matches("/jobs/") });
    witness.world.put_work("reprise-jobs-dlq", &work).await;
    witness.world.settle().await;
    assert_eq!(witness.get(&halted).await["stuck"], true);
    witness.post(&format!("{halted}/resume"), json!({})).await;
    witness.world.settle().await;
    witness.world.report(failed).await;
    witness.world.advance("1m").await;
    assert_eq!(witness.get(&halted).await["status"], "halted");
    witness.post(&format!("{halted}/resume"), json!({})).await;
    witness.get(&format!("/interchanges/{canary}")).await;

    // Cancelled, with a filter that names everything.
    let filter = json!({ "status": ["failed"], "from": "2026-11-20T14:00:00Z", "to": "2026-11-21T14:00:00Z", "message": "timeout",
                         "sender": "ACME", "receiver": "GLOBEX", "origin": "Step 3", "phase": "delivery", "category": "system",
                         "sourceId": "PO-1", "group": "0123456789abcdef", "job": "j-1" });
    let filtered = json!({ "reason": "sent twice", "selection": { "filter": filter }, "canary": 1 });
    witness.post("/flows/many/delete", filtered.clone()).await;
    let cancelled = path_of(&witness.post("/flows/many/retry", filtered).await);
    witness.post(&format!("{cancelled}/cancel"), json!({})).await;
    witness.world.settle().await;
    witness.post(&format!("{cancelled}/cancel"), json!({})).await;

    // Completed, past one that is not failed any more.
    witness.post("/interchanges/many-4/retry", because()).await;
    let mut some = json!({ "reason": "sent twice", "selection": { "ids": ["many-3", "many-4"] } });
    witness.post("/flows/many/delete?plan=true", some.clone()).await;
    some.as_object_mut().unwrap().extend([("rate", 50), ("cap", 3)].map(|(n, v)| (n.to_owned(), v.into())));
    let completed = path_of(&witness.post("/flows/many/delete", some).await);
    witness.world.settle().await;
    assert_eq!(witness.get(&completed).await["skips"]["not-failed"], 1);
    witness.get("/interchanges/many-3").await;
    witness.get("/flows/many/jobs").await;
    let deleted = json!({ "reason": "request DSR-311", "selection": { "ids": ["many-3"] } });
    witness.post("/flows/many/erase", deleted).await;
    witness.world.settle().await;
    witness.get("/interchanges/many-3").await;
    for action in ["restart", "delete", "erase"] {
        witness.post(&format!("/flows/many/{action}?plan=true"), all()).await;
        let one = json!({ "reason": "to see it", "selection": { "ids": ["nobody"] } });
        witness.post_once(&format!("/flows/many/{action}"), action, one).await;
        witness.world.settle().await;
    }
    for (action, key) in [("retry", "k-1"), ("restart", "restart"), ("delete", "delete"), ("erase", "erase")] {
        witness.post_once(&format!("/flows/many/{action}"), key, all()).await;
        witness.post_once(&format!("/interchanges/many-4/{action}"), "k-1", because()).await;
    }
}

fn path_of(job: &Value) -> String {
    format!("/jobs/{}", job["id"].as_str().expect("a job's id"))
}

/// What cannot be done, for every reason there is.
pub(crate) async fn refusals(witness: &mut Witness<'_>) {
    let world = witness.world;
    world.report(report("bare", "refused", json!({ "payloads": { "sender": { "body": "UNB+" } } }))).await;
    world.report(report("empty", "refused", json!({ "payloads": null }))).await;
    world.report(report("whole", "refused", json!({}))).await;
    world.fail_up_to_the_last_attempt("last", "refused").await;
    for action in ["restart", "retry"] {
        witness.post(&format!("/interchanges/last/{action}"), because()).await;
    }
    witness.post("/interchanges/bare/retry", because()).await;
    witness.post("/interchanges/empty/restart", because()).await;
    let gone = witness.world.queue_url("no-such-queue");
    witness
        .put("/flows/refused", json!({ "stages": { "receiver": { "queueUrl": gone } }, "retry": { "mode": "manual" } }))
        .await;
    witness.post("/interchanges/whole/retry", because()).await;
    witness.get("/interchanges/whole").await;
    witness.post("/interchanges/whole/restart", because()).await;
    witness.post("/flows/refused/restart", all()).await;
    witness.put("/flows/refused", json!({ "active": false })).await;
    for action in ["restart", "retry", "delete", "erase"] {
        witness.post(&format!("/interchanges/whole/{action}"), because()).await;
        witness.post(&format!("/flows/refused/{action}"), all()).await;
        witness.post(&format!("/interchanges/4711/{action}"), because()).await;
    }
}

/// What is larger than one answer holds.
pub(crate) async fn large(witness: &mut Witness<'_>) {
    witness.world.fails_often("long-1", "long", 150).await;
    let newest = witness.get("/interchanges/long-1").await;
    witness.get(&format!("/interchanges/long-1?eventsBefore={}", newest["eventsBefore"])).await;
}

/// What is wrong whoever is asked: an unknown parameter, somebody who is not there, a body that is too large.
pub(crate) async fn nonsense(witness: &mut Witness<'_>, operations: &[(String, String)]) {
    for (method, path) in operations {
        let nobody = path.replace("{flow}", "nobody").replace("{id}", "nobody").replace("{side}", "sender");
        let nonsense = format!("{nobody}?nonsense=1");
        // Beyond what API Gateway hands on where the function looks at no body.
        let size = if path.ends_with("/cancel") || path.ends_with("/resume") { 7_000_000 } else { 300_000 };
        let large = json!({ "reason": "x".repeat(size) });
        match method.as_str() {
            "GET" => {
                witness.get(&nonsense).await;
                if path != "/flows" {
                    witness.get(&nobody).await;
                }
            }
            "PUT" => {
                witness.put(&nonsense, json!({})).await;
                witness.put(&nobody, large).await;
            }
            _ => {
                let body = if path.starts_with("/flows") { all() } else { because() };
                witness.post(&nonsense, body.clone()).await;
                witness.post(&nobody, body).await;
                witness.post(&nobody, large).await;
            }
        }
    }
}
