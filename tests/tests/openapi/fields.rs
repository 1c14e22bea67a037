//! What requests may say: the code tells what it knows when it refuses what it does not.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::{Answer, World};

use crate::document::Document;
use crate::scenes::{FUNCTION, QUEUE, all};
use crate::schema::object;

const UNKNOWN: &str = "nonsense";

#[tokio::test(flavor = "multi_thread")]
async fn every_field_that_a_body_may_have_is_described_and_no_other() {
    let document = Document::read();
    let world = World::start().await;
    world.report(tests::report("4711", "orders", json!({}))).await;
    for (method, path, body, at, schema) in bodies() {
        let mut body = body;
        body.pointer_mut(at).expect("the place is there")[UNKNOWN] = 1.into();
        let answer = match method {
            "PUT" => world.put(path, body).await,
            _ => world.post(path, body).await,
        };
        let described: BTreeSet<String> =
            object(&place(&document, schema)["properties"]).map(|(name, _)| name.clone()).collect();
        assert_eq!(known(&answer), described, "{schema}");
    }
    world.stop().await;
}

/// A request, the object in its body that gets an unknown field, and the schema of that object.
fn bodies() -> Vec<(&'static str, &'static str, Value, &'static str, &'static str)> {
    let put = |body: Value, at, schema| ("PUT", "/flows/orders", body, at, schema);
    let scheduled =
        |schedule: Value, schema| put(json!({ "retry": { "schedule": schedule } }), "/retry/schedule", schema);
    let filter = json!({ "reason": "x", "selection": { "filter": {} } });
    vec![
        put(json!({}), "", "FlowConfiguration"),
        put(json!({ "stages": {} }), "/stages", "Stages"),
        put(json!({ "stages": { "sender": {} } }), "/stages/sender", "Stage"),
        put(
            json!({ "deadLetterQueues": [{ "arn": QUEUE }], "functions": [FUNCTION] }),
            "/deadLetterQueues/0",
            "DeadLetterQueue",
        ),
        put(json!({ "confirmation": {} }), "/confirmation", "Confirmation"),
        put(json!({ "retry": {} }), "/retry", "RetryPolicy"),
        put(json!({ "partners": { "GLOBEX": {} } }), "/partners/GLOBEX", "PartnerPolicy"),
        scheduled(json!({}), "Ladder"),
        scheduled(json!({ "kind": "exponential" }), "Exponential"),
        // What a window may say depends on `every`, which is refused elsewhere: the reader knows the fields of both.
        scheduled(json!({ "kind": "window" }), "DailyWindow"),
        ("POST", "/interchanges/4711/retry", json!({ "reason": "x" }), "", "Act"),
        ("POST", "/flows/orders/retry", all(), "", "JobOrder"),
        ("POST", "/flows/orders/retry", filter, "/selection/filter", "Filter"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_selection_is_one_of_those_described() {
    let document = Document::read();
    let described: BTreeSet<String> = document.component("schemas", "Selection")["oneOf"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|one| object(&one["properties"]).map(|(name, _)| name.clone()))
        .collect();
    let world = World::start().await;
    world.put("/flows/orders", json!({})).await.ok();
    let answer = world.post("/flows/orders/retry", json!({ "reason": "x", "selection": { UNKNOWN: 1 } })).await;
    assert_eq!(known(&answer), described);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_query_parameter_is_described_and_no_other_is_taken() {
    let document = Document::read();
    let world = World::start().await;
    for operation in document.operations() {
        let path = operation.path.replace("{flow}", "orders").replace("{id}", "4711").replace("{side}", "sender");
        let path = format!("{path}?{UNKNOWN}=1");
        let answer = match operation.method {
            "GET" => world.get(&path).await,
            "PUT" => world.put(&path, json!({})).await,
            _ => world.post(&path, all()).await,
        };
        let parameters = operation.parameters(&document);
        let described: BTreeSet<String> = parameters
            .iter()
            .filter(|parameter| parameter["in"] == "query")
            .map(|parameter| parameter["name"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(known(&answer), described, "{} {}", operation.method, operation.path);
    }
    world.stop().await;
}

/// The schema of this name, which is closed to other fields.
fn place<'a>(document: &'a Document, name: &str) -> &'a Value {
    let schema = document.component("schemas", name);
    assert_eq!(schema["additionalProperties"], false, "{name} does not say that it takes no other fields");
    schema
}

/// What is allowed, as the refusal of the unknown field tells it.
fn known(answer: &Answer) -> BTreeSet<String> {
    let problem = answer.is_problem(400, "invalid-field");
    let field = problem["field"].as_str().unwrap();
    assert!(field.ends_with(UNKNOWN), "{problem}");
    let detail = problem["detail"].as_str().unwrap();
    let (_, allowed) = detail.split_once("is not known here: ").unwrap_or_else(|| panic!("{detail}"));
    let only = || allowed.strip_prefix("only ")?.strip_suffix(" is allowed");
    let allowed = allowed.strip_prefix("allowed are ").or_else(only).unwrap_or_else(|| {
        assert_eq!(allowed, "none is allowed", "{detail}");
        ""
    });
    allowed.split(", ").filter(|name| !name.is_empty()).map(str::to_owned).collect()
}
