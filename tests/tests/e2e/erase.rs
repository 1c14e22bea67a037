//! Erasing removes what an interchange says, wherever Reprise keeps it, permanently and in every status. What happened when, and who
//! erased it and why, stays.

mod faults;
mod mask;
mod traces;

use std::collections::BTreeSet;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use local::local_aws::{Redelivery, RedeliveryKind};
use serde_json::{Value, json};
use tests::invariants::{Evidence, check};
use tests::{FAILURES, RECEIVER_STAGE, World, noise, report, text_attribute};

use traces::Name;

/// The person whose data is to go.
const PERSON: &str = "Erika-Mustermann"; // in one word, as an order key has no blanks

/// Why, without naming the person: it stays.
const REASON: &str = "request DSR-311";

/// What the API calls somebody who has not signed in on this machine.
const ACTOR: &str = "arn:aws:iam::000000000000:user/local";

/// Each is named by the status that it has before it is erased.
const ALL: [&str; 7] = ["failed", "again", "parts", "waiting", "in_network", "completed", "deleted"];

/// The person in the first half of a text, where the log's own check for payloads does not look.
fn around(length: usize) -> String {
    format!("{}{PERSON}{}", "-".repeat(length / 4), "-".repeat(length - length / 4))
}

/// Half a megabyte that does not compress, with the person in it.
fn large() -> Value {
    let mut bytes = noise(500_000);
    let place = bytes.len() / 4;
    bytes[place..place + PERSON.len()].copy_from_slice(PERSON.as_bytes());
    json!({ "body": STANDARD.encode(bytes), "encoding": "base64", "contentType": "application/octet-stream" })
}

/// A failure that names the person in every text that it has.
fn personal(id: &str, more: Value) -> Value {
    let mut failure = report(
        id,
        "orders",
        json!({
            "origin": format!("Step 3 for {PERSON}"), "sender": PERSON, "receiver": format!("{PERSON} at home"),
            "partner": format!("{PERSON} Ltd"), "orderKey": PERSON, "sourceId": "PO-1001",
            "error": { "category": "business", "code": format!("E {PERSON}"), "message": format!("{PERSON} is blocked") },
            "payloads": { "sender": { "body": around(100), "contentType": format!("text/plain; of=\"{PERSON}\"") },
                          "receiver": large() },
        }),
    );
    failure.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    failure
}

fn outcome(kind: &str, id: &str) -> Value {
    json!({ "type": format!("interchange.{kind}"), "interchangeId": id, "flow": "orders", "attempt": 2 })
}

async fn manual(world: &World) {
    let config =
        json!({ "retry": { "mode": "manual" }, "confirmation": { "within": "30d", "inNetworkWithin": "30d" } });
    world.put("/flows/orders", config).await.ok();
}

fn because() -> Value {
    json!({ "reason": REASON })
}

async fn erase(world: &World, id: &str) -> Value {
    world.post(&format!("/interchanges/{id}/erase"), because()).await.ok()
}

/// A world with interchanges [in every status](bring_into_every_status).
async fn world_of_every_status() -> World {
    let world = World::start().await;
    bring_into_every_status(&world).await;
    world
}

/// An interchange of each status, and one that failed again with another payload. What was sent back was taken from
/// its stage. All reasons name the person, and so do the answers that were kept for repeats.
async fn bring_into_every_status(world: &World) {
    manual(world).await;
    for id in ALL {
        let more = match id {
            "parts" => {
                let parts = json!([{ "id": "line-1", "status": "failed", "message": format!("no {PERSON}") },
                                   { "id": "line-2", "status": "completed" }]);
                json!({ "status": "partially_failed", "parts": parts })
            }
            _ => json!({}),
        };
        world.report(personal(id, more)).await;
    }
    let reason = |what: &str| json!({ "reason": format!("{what} for {PERSON}") });
    for id in ["again", "waiting", "in_network", "completed"] {
        let key = format!("retry of {id}");
        world.post_once(&format!("/interchanges/{id}/retry"), &key, reason("retried")).await.ok();
    }
    world.post_once("/interchanges/deleted/delete", "delete", reason("deleted")).await.ok();
    world.settle().await;
    assert_eq!(world.drain(RECEIVER_STAGE).await.len(), 4);
    let corrected = json!({ "sender": { "body": format!("corrected {}", around(80)) } });
    world.report(personal("again", json!({ "attempt": 2, "payloads": corrected }))).await;
    world.report(outcome("in_network", "in_network")).await;
    world.report(outcome("completed", "completed")).await;
}

/// A dead letter with the person in body and attributes; gives its id.
async fn dead_letter(world: &World) -> String {
    let attributes = [("customer", text_attribute("String", PERSON))];
    let id = world.put_message(FAILURES, &around(60), &attributes).await;
    world.settle().await;
    format!("dlq-{id}")
}

/// What stays of an event: which it is, when, of which attempt.
fn facts(event: &Value) -> Value {
    json!([event["sequence"], event["at"], event["kind"], event["attempt"], event["actor"]])
}

/// The events that stay as facts, and the erasure behind them.
fn log_is_kept(before: &Value, after: &Value) {
    let log = |interchange: &Value| interchange["events"].as_array().unwrap().clone();
    let (before, mut after) = (log(before), log(after));
    let erased = after.pop().unwrap();
    let told = ["kind", "actor", "reason"].map(|name| erased[name].as_str().unwrap_or_default());
    assert_eq!(told, ["erased", ACTOR, REASON], "{erased}");
    let facts_of = |events: &[Value]| events.iter().map(facts).collect::<Vec<_>>();
    assert_eq!(facts_of(&before), facts_of(&after));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_erased_is_nowhere_any_more_whatever_status_it_had() {
    let data = tempfile::tempdir().unwrap();
    let world = World::start_at(Some(data.path().to_owned())).await;
    bring_into_every_status(&world).await;
    let letter = dead_letter(&world).await;
    let ids: Vec<&str> = ALL.into_iter().chain([letter.as_str()]).collect();
    let name = Name::new(PERSON);
    let kept = name.in_table(&world);
    for id in &ids {
        assert!(kept.iter().any(|key| key.starts_with(&format!("INTERCHANGE#{id} "))), "{id}: {kept:#?}");
    }
    assert!(kept.iter().any(|key| key.contains(" PAYLOAD#")), "the large payload is read: {kept:#?}");
    assert!(kept.iter().any(|key| key.contains(" GROUP#")), "groups have a text: {kept:#?}");
    assert!(!name.in_files(data.path()).is_empty(), "the name is in the files");

    for id in &ids {
        let before = world.interchange(id).await;
        assert_eq!(erase(&world, id).await["status"], "erased", "{id}");
        let after = world.interchange(id).await;
        assert_eq!(after["status"], "erased", "{id}");
        for name in ["interchangeId", "flow", "sourceId", "attempt", "failedAt"] {
            assert_eq!(after[name], before[name], "{id}: {name}");
        }
        log_is_kept(&before, &after);
        for side in ["sender", "receiver"] {
            let path = format!("/interchanges/{id}/payloads/{side}");
            assert_eq!(after["payloads"][side]["sha256"], before["payloads"][side]["sha256"], "{id}: {side}");
            world.get(&path).await.is_problem(404, "not-found");
            world.get(&format!("{path}?revision=1")).await.is_problem(404, "not-found");
        }
    }
    world.settle().await;
    assert_eq!(name.in_table(&world), BTreeSet::new());
    assert_eq!(name.in_queues(&world).await, BTreeSet::new());
    assert_eq!(name.in_log(&world).await, Vec::<String>::new());
    for flow in ["orders", "unassigned"] {
        let groups = world.get(&format!("/flows/{flow}/groups")).await.ok();
        assert!(!groups.to_string().contains(PERSON), "{groups}");
        let rows = world.get(&format!("/flows/{flow}/interchanges?status=erased")).await.ok();
        assert_eq!(rows["items"].as_array().unwrap().len(), if flow == "orders" { ALL.len() } else { 1 }, "{rows}");
    }
    world.stop().await;
    assert_eq!(name.in_files(data.path()), BTreeSet::new(), "nor is it in the bytes of any file");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_that_is_repeated_answers_the_same_and_is_one_event() {
    let world = World::start().await;
    manual(&world).await;
    for id in ["plain", "keyed"] {
        world.report(personal(id, json!({}))).await;
    }
    let first = erase(&world, "plain").await;
    let log = world.interchange("plain").await;
    assert_eq!(erase(&world, "plain").await, first);
    let other = json!({ "reason": "asked for twice" });
    assert_eq!(world.post("/interchanges/plain/erase", other.clone()).await.ok(), first);
    assert_eq!(world.interchange("plain").await, log);

    let keyed = |body: Value| world.post_once("/interchanges/keyed/erase", "key-1", body);
    let first = keyed(because()).await.ok();
    assert_eq!(keyed(because()).await.ok(), first);
    keyed(other).await.is_problem(422, "idempotency-key-reused");
    assert_eq!(world.kinds("keyed").await, ["failed", "erased"]);
    for body in [json!({}), json!({ "reason": " " })] {
        assert_eq!(
            world.post("/interchanges/keyed/erase", body).await.is_problem(400, "invalid-field")["field"],
            "reason"
        );
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_erased_can_neither_be_sent_back_nor_deleted() {
    let world = World::start().await;
    manual(&world).await;
    world.report(personal("4711", json!({}))).await;
    erase(&world, "4711").await;
    for action in ["restart", "retry", "delete"] {
        let problem =
            world.post(&format!("/interchanges/4711/{action}"), because()).await.is_problem(409, "not-failed");
        assert_eq!(problem["interchangeStatus"], "erased");
    }
    world.settle().await;
    assert_eq!(world.held(RECEIVER_STAGE), 0);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_groups_and_lists_agree_with_a_recount_after_an_erasure() {
    let world = world_of_every_status().await;
    for id in ["other-1", "other-2"] {
        world.report(report(id, "orders", json!({}))).await;
    }
    for id in ALL.into_iter().chain(["other-1"]) {
        erase(&world, id).await;
    }
    world.settle().await;
    let mut evidence = Evidence::default();
    evidence.flow_of.insert("other-2".to_owned(), "orders".to_owned());
    let sums = ["recount", "a list "];
    let broken: Vec<_> = check(&world, &evidence).await;
    let broken: Vec<_> = broken.into_iter().filter(|it| sums.iter().any(|word| it.rule.contains(word))).collect();
    assert_eq!(broken, Vec::new());
    let counts = &world.get("/flows/orders").await.ok()["counts"];
    assert_eq!((&counts["failed"], &counts["erased"]), (&json!(1), &json!(ALL.len() + 1)), "{counts}");
    let groups = world.get("/flows/orders/groups").await.ok();
    assert_eq!(groups["items"].as_array().unwrap().len(), 1, "{groups}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_report_brings_nothing_back_of_what_was_erased() {
    let world = world_of_every_status().await;
    for id in ALL {
        erase(&world, id).await;
    }
    let corrected = json!({ "receiver": { "body": format!("late {}", around(80)) } });
    for id in ALL {
        let attempt = world.interchange(id).await["attempt"].clone();
        world.report(personal(id, json!({}))).await;
        world.report(personal(id, json!({ "attempt": attempt, "payloads": corrected }))).await;
        let mut completed = outcome("completed", id);
        completed["attempt"] = attempt;
        world.report(completed).await;
        assert_eq!(world.interchange(id).await["status"], "erased", "{id}");
        let receiver = world.get(&format!("/interchanges/{id}/payloads/receiver")).await;
        receiver.is_problem(404, "not-found");
    }
    // The deadlines of what was in flight pass, too.
    world.advance("31d").await;
    let name = Name::new(PERSON);
    assert_eq!(name.in_table(&world), BTreeSet::new());
    assert_eq!(name.in_queues(&world).await, BTreeSet::new());
    assert_eq!(name.in_log(&world).await, Vec::<String>::new());
    world.stop().await;
}

/// Every message of the jobs queue is delivered a second time while the first delivery is worked on.
fn all_twice(world: &World) {
    let queue = "reprise-jobs".to_owned();
    let redelivery = Redelivery { queue, kind: RedeliveryKind::WhileInFlight, after: Duration::ZERO, one_in: None };
    world.stack.aws().faults().redeliver(redelivery);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_erases_every_status_that_its_filter_names_once_though_its_work_comes_twice() {
    const EACH: usize = 30;
    let world = World::start_faulty().await;
    manual(&world).await;
    let groups = ["failed", "waiting", "completed", "deleted"];
    let ids = |group: &str| (0..EACH).map(|n| format!("{group}-{n}")).collect::<Vec<_>>();
    let small = json!({ "sender": { "body": around(100) }, "receiver": { "body": around(200) } });
    let failure = |id: String, receiver: &str| {
        personal(&id, json!({ "receiver": receiver, "payloads": small.clone() })).to_string()
    };
    world.send(groups.iter().flat_map(|group| ids(group)).map(|id| failure(id, "GLOBEX"))).await;
    world.send([report("kept", "orders", json!({ "receiver": "INITECH" })).to_string()]).await;
    for (action, group) in [("retry", "waiting"), ("retry", "completed"), ("delete", "deleted")] {
        let some = json!({ "reason": "as it should be", "selection": { "ids": ids(group) } });
        world.post(&format!("/flows/orders/{action}"), some).await.ok();
        world.settle().await;
    }
    world.drain(RECEIVER_STAGE).await;
    world.send(ids("completed").iter().map(|id| outcome("completed", id).to_string())).await;
    all_twice(&world);

    let status = json!(["failed", "waiting_for_retry", "completed", "deleted"]);
    let mut order = json!({ "reason": REASON, "selection": { "filter": { "receiver": "GLOBEX", "status": status } } });
    let plan = world.post("/flows/orders/erase?plan=true", order.clone()).await.ok();
    assert_eq!((&plan["count"], plan.get("skips")), (&json!(groups.len() * EACH), None), "{plan}");
    order["asOf"] = plan["asOf"].clone();
    let answer = world.post("/flows/orders/erase", order).await;
    assert_eq!(answer.status, 202, "{}", answer.json());
    let path = answer.location.unwrap();
    world.settle().await;
    for _ in 0..12 {
        world.advance("2m").await;
    }
    assert!(world.stack.aws().faults().redelivered() > 0, "work items came twice");
    let job = world.get(&path).await.ok();
    assert_eq!((&job["action"], &job["status"]), (&json!("erase"), &json!("completed")), "{job}");
    let count = |name: &str| job["counts"][name].as_u64().unwrap() as usize;
    assert_eq!((count("matched"), count("sent"), count("skipped")), (120, 120, 0), "{job}");
    for id in groups.iter().flat_map(|group| ids(group)) {
        let interchange = world.interchange(&id).await;
        let erased = interchange["events"].as_array().unwrap().iter().filter(|event| event["kind"] == "erased");
        let erased: Vec<_> = erased.collect();
        assert_eq!((interchange["status"].as_str(), erased.len()), (Some("erased"), 1), "{id}");
        assert_eq!((&erased[0]["job"], &erased[0]["reason"]), (&job["id"], &json!(REASON)), "{id}");
    }
    assert_eq!(world.interchange("kept").await["status"], "failed");
    let name = Name::new(PERSON);
    assert_eq!(name.in_table(&world), BTreeSet::new());
    assert_eq!(name.in_queues(&world).await, BTreeSet::new());
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_over_everything_takes_every_status_of_an_inactive_flow_and_passes_over_what_is_erased() {
    let world = world_of_every_status().await;
    erase(&world, "failed").await;
    world.put("/flows/orders", json!({ "active": false, "retry": { "mode": "manual" } })).await.ok();
    let job = async |selection: Value| {
        let order = json!({ "reason": REASON, "selection": selection });
        let plan = world.post("/flows/orders/erase?plan=true", order.clone()).await.ok();
        let path = world.post("/flows/orders/erase", order).await.location.unwrap();
        world.settle().await;
        (plan, world.get(&path).await.ok())
    };
    let (plan, done) = job(json!({ "all": true })).await;
    assert_eq!(plan["count"], ALL.len() - 1, "{plan}");
    assert_eq!((&done["status"], &done["counts"]["sent"]), (&json!("completed"), &json!(ALL.len() - 1)), "{done}");
    for id in ALL {
        assert_eq!(world.interchange(id).await["status"], "erased", "{id}");
    }
    let (plan, done) = job(json!({ "ids": ALL })).await;
    assert_eq!(plan["skips"], json!({ "erased": ALL.len() }), "{plan}");
    assert_eq!((&done["counts"]["sent"], &done["skips"]), (&json!(0), &json!({ "erased": ALL.len() })), "{done}");
    assert_eq!(Name::new(PERSON).in_table(&world), BTreeSet::new());
    world.stop().await;
}
