//! A token that is limited to some flows gets the same response for another flow as for one that does not exist. Checked for
//! every operation of the document. An operation that this test cannot request fails, so that none is forgotten.

use serde_json::{Value, json};
use tests::{Answer, RECEIVER_STAGE, World, report};

use crate::document::{Document, Operation};
use crate::scenarios::{all, because};

/// The flow that the token may not see, an interchange of it, and the Idempotency-Key of a request about it.
const FOREIGN: &str = "invoices";
const FOREIGN_ID: &str = "i-1";
const KEY: &str = "key-of-another";

/// An id and a flow name that do not exist.
const NOWHERE: &str = "nowhere";

/// The kind of resource in the path of an operation.
enum Subject {
    /// The list of flows. It must not contain other flows.
    Flows,
    Flow,
    Interchange,
    Job,
}

impl Subject {
    fn of(operation: Operation<'_>, document: &Document) -> Self {
        let what = format!("{} {}", operation.method, operation.path);
        for parameter in operation.parameters(document) {
            let (place, name) = (parameter["in"].as_str().unwrap(), parameter["name"].as_str().unwrap());
            let is_known = place != "path" || ["flow", "id", "side"].contains(&name);
            assert!(
                is_known && !(place == "query" && name.contains("flow")),
                "{what}: this test does not set the parameter {name}"
            );
        }
        let segments: Vec<&str> = operation.path.trim_start_matches('/').split('/').collect();
        match segments[..] {
            ["flows"] => Self::Flows,
            ["flows", "{flow}", ..] => Self::Flow,
            ["interchanges", "{id}", ..] => Self::Interchange,
            ["jobs", "{id}", ..] => Self::Job,
            _ => panic!("{what}: this test does not know the kind of resource"),
        }
    }
}

/// The requests for an operation, with `{}` in place of the subject's id. The last ones have a valid query and take effect.
fn requests(operation: Operation<'_>, document: &Document) -> Vec<(String, Option<Value>)> {
    let path = operation.path.replace("{flow}", "{}").replace("{id}", "{}");
    let paths = match path.contains("{side}") {
        true => vec![path.replace("{side}", "sender"), path.replace("{side}", "receiver")],
        false => vec![path],
    };
    let flags = operation.parameters(document).into_iter().filter(|parameter| parameter["schema"]["type"] == "boolean");
    let mut queries: Vec<String> = flags.map(|flag| format!("?{}=true", flag["name"].as_str().unwrap())).collect();
    queries.insert(0, "?nonsense=1".to_owned());
    queries.push(String::new());
    let body = match operation.method {
        "GET" => None,
        "PUT" => Some(json!({})),
        _ if operation.path.starts_with("/flows") => Some(all()),
        _ => Some(because()),
    };
    queries
        .iter()
        .flat_map(|query| paths.iter().map(move |path| format!("{path}{query}")))
        .map(|to| (to, body.clone()))
        .collect()
}

/// The visible parts of a response, with the subject's id replaced by `{}`.
fn visible(answer: &Answer, subject: &str) -> (u16, String, Option<String>, Option<String>, String) {
    let body = String::from_utf8(answer.bytes.clone()).unwrap().replace(subject, "{}");
    (answer.status, answer.content_type.clone(), answer.etag.clone(), answer.location.clone(), body)
}

/// A world with interchanges in two flows, and the id of an active job in the foreign flow.
async fn world() -> (World, String) {
    let world = World::start_limited().await;
    let every = world.token_for("admin", json!(["*"]));
    for (flow, id) in [(FOREIGN, FOREIGN_ID), ("orders-in", "o-1")] {
        let quiet = json!({ "retry": { "mode": "manual" }, "confirmation": { "within": "48h" } });
        world.request("PUT", &format!("/flows/{flow}"), Some(&every), Some(quiet)).await.ok();
        for id in [id.to_owned(), format!("{id}-more")] {
            world.report(report(&id, flow, json!({}))).await;
        }
    }
    // The canary gets no outcome, so the job stays active.
    let mut with_canary = all();
    with_canary["canary"] = 1.into();
    let job = world.request_once("/flows/invoices/retry", KEY, &every, with_canary).await;
    world.request_once("/interchanges/i-1-more/delete", "another-key", &every, because()).await;
    world.settle().await;
    let path = job.location.clone().expect("the job's path");
    (world, path.trim_start_matches("/jobs/").to_owned())
}

/// The whole state of the foreign flow.
async fn foreign(world: &World, token: &str, job: &str) -> Vec<Value> {
    let mut all = Vec::new();
    let paths = ["/flows/invoices", "/flows/invoices/interchanges", "/flows/invoices/jobs", "/flows/invoices/groups"];
    let own = [format!("/jobs/{job}"), format!("/interchanges/{FOREIGN_ID}")];
    for path in paths.map(str::to_owned).into_iter().chain(own) {
        all.push(world.request("GET", &path, Some(token), None).await.ok());
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limited_token_gets_the_same_response_for_another_flow_as_for_one_that_does_not_exist() {
    let document = Document::read();
    let (world, job) = world().await;
    let every = world.token_for("admin", json!(["*"]));
    let limited = world.token_for("clerk", json!(["orders-*"]));
    let before = foreign(&world, &every, &job).await;
    let staged = world.held(RECEIVER_STAGE);
    let mut requested = 0;
    for operation in document.operations() {
        let (there, own) = match Subject::of(operation, &document) {
            Subject::Flows => {
                let flows = world.request("GET", operation.path, Some(&limited), None).await.ok();
                let names: Vec<&str> =
                    flows["items"].as_array().unwrap().iter().filter_map(|f| f["flow"].as_str()).collect();
                assert_eq!(names, ["orders-in"], "{flows}");
                assert!(!flows.to_string().contains(FOREIGN) && flows["cursor"].is_null(), "{flows}");
                continue;
            }
            Subject::Flow => (FOREIGN, "orders-nowhere"),
            Subject::Interchange => (FOREIGN_ID, NOWHERE),
            Subject::Job => (job.as_str(), NOWHERE),
        };
        for (path, body) in requests(operation, &document) {
            let mut request = async |subject: &str| {
                requested += 1;
                drop(world.stack.aws().meter().take());
                let path = path.replace("{}", subject);
                let answer = match &body {
                    Some(body) if operation.method == "POST" => {
                        world.request_once(&path, KEY, &limited, body.clone()).await
                    }
                    body => world.request(operation.method, &path, Some(&limited), body.clone()).await,
                };
                let calls: Vec<String> =
                    world.stack.aws().meter().take().into_iter().map(|call| call.operation).collect();
                (visible(&answer, subject), calls)
            };
            let (response, calls) = request(there).await;
            let nonsense = path.contains("nonsense");
            assert_eq!(response.0, if nonsense { 400 } else { 404 }, "{} {path}: {response:?}", operation.method);
            assert_eq!(request(NOWHERE).await, (response.clone(), calls), "{} {path}", operation.method);
            // PUT may create a flow whose name the token may see.
            if operation.method != "PUT" {
                assert_eq!(request(own).await.0, response, "{} {path}", operation.method);
            }
        }
    }
    assert!(requested > 80, "{requested}");
    world.settle().await;
    assert_eq!(foreign(&world, &every, &job).await, before);
    assert_eq!(world.held(RECEIVER_STAGE), staged);

    // A token that may see all flows gets other responses, so the requests are valid. Erase comes last, as it removes the payloads.
    let mut operations = document.operations();
    operations.sort_by_key(|operation| operation.path.ends_with("/erase"));
    for operation in operations {
        let there = match Subject::of(operation, &document) {
            Subject::Flows => continue,
            Subject::Flow => FOREIGN,
            Subject::Interchange => FOREIGN_ID,
            Subject::Job => job.as_str(),
        };
        for (path, body) in requests(operation, &document) {
            let path = path.replace("{}", there);
            let answer = world.request(operation.method, &path, Some(&every), body).await;
            assert_ne!(answer.status, 404, "{} {path}", operation.method);
        }
    }
    world.stop().await;
}
