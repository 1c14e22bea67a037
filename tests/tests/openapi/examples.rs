//! The examples match their schemas, and the production binaries accept the examples of requests.

use serde_json::{Value, json};
use tests::{World, report};

use crate::document::Document;
use crate::schema::{faults, object};

#[test]
fn every_example_matches_its_schema_and_has_no_other_fields() {
    let document = Document::read();
    let mut checked = 0;
    for operation in document.operations() {
        let what = format!("{} {}", operation.method, operation.path);
        let body = document.resolved(&operation.own["requestBody"]);
        checked += content(&document, &what, body);
        for (status, response) in object(&operation.own["responses"]) {
            checked += content(&document, &format!("{what} {status}"), document.resolved(response));
        }
        for parameter in operation.parameters(&document) {
            if let Some(example) = parameter.get("example") {
                fits(&document, &format!("{what} {}", parameter["name"]), &parameter["schema"], example);
                checked += 1;
            }
        }
    }
    assert!(checked > 100, "{checked}");
}

#[test]
fn every_example_is_used() {
    let document = Document::read();
    let text = document.root()["paths"].to_string() + &document.root()["components"]["responses"].to_string();
    for (name, _) in object(&document.root()["components"]["examples"]) {
        assert!(text.contains(&format!("\"#/components/examples/{name}\"")), "the example {name} is not used");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_of_a_request_is_accepted() {
    let document = Document::read();
    let world = World::start().await;
    for id in ["4711", "4712", "retry", "restart", "delete", "erase"] {
        world.report(report(id, "orders", json!({}))).await;
    }
    let mut sent = 0;
    for operation in document.operations() {
        for (name, example) in object(&operation.body(&document)["examples"]) {
            let action = operation.path.rsplit('/').next().unwrap_or_default();
            let path = operation.path.replace("{flow}", "orders").replace("{id}", action);
            // As plans, so that each request finds the same state.
            let path = if path.starts_with("/flows") { format!("{path}?plan=true") } else { path };
            let body = document.resolved(example)["value"].clone();
            let answer =
                if operation.method == "PUT" { world.put(&path, body).await } else { world.post(&path, body).await };
            assert_eq!(answer.status, 200, "{path} {name}: {}", answer.json());
            sent += 1;
        }
    }
    assert!(sent > 15, "{sent}");
    world.stop().await;
}

fn content(document: &Document, what: &str, holder: &Value) -> usize {
    let mut checked = 0;
    for (_, media) in object(&holder["content"]) {
        let named = object(&media["examples"]).map(|(_, example)| &document.resolved(example)["value"]);
        for example in named.chain(media.get("example")) {
            assert!(!example.is_null(), "{what}: an example is empty");
            fits(document, what, &media["schema"], example);
            checked += 1;
        }
    }
    checked
}

fn fits(document: &Document, what: &str, schema: &Value, example: &Value) {
    let faults = faults(&document.strict(schema), example);
    assert!(faults.is_empty(), "{what}: {faults:#?}\n{example:#}");
}
