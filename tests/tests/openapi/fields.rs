//! The fields and parameters of requests. The code lists the allowed ones when it refuses an unknown one; the document
//! must list the same.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests::{Answer, World};

use crate::document::Document;
use crate::scenarios::{FUNCTION, QUEUE, all};
use crate::schema::object;

const UNKNOWN: &str = "nonsense";

#[tokio::test(flavor = "multi_thread")]
async fn the_document_describes_exactly_the_fields_that_a_body_may_have() {
    let document = Document::read();
    let world = World::start().await;
    world.report(tests::report("4711", "orders", json!({}))).await;
    for (method, path, body, at, schema) in bodies() {
        let mut body = body;
        body.pointer_mut(at).expect("the object is there")[UNKNOWN] = 1.into();
        let answer = match method {
            "PUT" => world.put(path, body).await,
            _ => world.post(path, body).await,
        };
        let described: BTreeSet<String> =
            object(&closed_schema(&document, schema)["properties"]).map(|(name, _)| name.clone()).collect();
        assert_eq!(allowed_names(&answer), described, "{schema}");
    }
    world.stop().await;
}

/// Requests, each with a pointer to the object in its body that gets an unknown field, and the schema of that object.
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
        // The two kinds of window have different fields. The parser accepts the fields of both here and checks them
        // against `every` later.
        scheduled(json!({ "kind": "window" }), "DailyWindow"),
        ("POST", "/interchanges/4711/retry", json!({ "reason": "x" }), "", "Act"),
        ("POST", "/flows/orders/retry", all(), "", "JobOrder"),
        ("POST", "/flows/orders/retry", filter, "/selection/filter", "Filter"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_describes_exactly_the_kinds_of_selection() {
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
    assert_eq!(allowed_names(&answer), described);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_describes_exactly_the_query_parameters_of_each_operation() {
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
        assert_eq!(allowed_names(&answer), described, "{} {}", operation.method, operation.path);
    }
    world.stop().await;
}

/// The schema of this name. It must allow no other fields.
fn closed_schema<'a>(document: &'a Document, name: &str) -> &'a Value {
    let schema = document.component("schemas", name);
    assert_eq!(schema["additionalProperties"], false, "{name} does not forbid other fields");
    schema
}

/// The allowed names in the problem about the unknown one.
fn allowed_names(answer: &Answer) -> BTreeSet<String> {
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
