//! What a bearer who is limited to some flows is answered about others, for every operation of the document: what is answered
//! where there is nothing. An operation that this does not know how to ask fails, so that none is forgotten.

use serde_json::{Value, json};
use tests::{Answer, RECEIVER_STAGE, World, report};

use crate::document::{Document, Operation};
use crate::scenes::{all, because};

/// The flow that the bearer may not see, an interchange of it, and the key of a request about both.
const FOREIGN: &str = "invoices";
const FOREIGN_ID: &str = "i-1";
const KEY: &str = "key-of-another";

/// What is nowhere.
const NOWHERE: &str = "nowhere";

/// What an operation is about.
enum Subject {
    /// All flows: those of others are left out.
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
                "{what}: this test must ask for {name} too"
            );
        }
        let segments: Vec<&str> = operation.path.trim_start_matches('/').split('/').collect();
        match segments[..] {
            ["flows"] => Self::Flows,
            ["flows", "{flow}", ..] => Self::Flow,
            ["interchanges", "{id}", ..] => Self::Interchange,
            ["jobs", "{id}", ..] => Self::Job,
            _ => panic!("{what}: this test must say what it may tell a bearer about flows of others"),
        }
    }
}

/// All requests that are made of an operation, of which the last ones act: path and query still name the subject as `{}`.
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

/// What can be seen of an answer, with the subject's own name left out.
fn seen(answer: &Answer, subject: &str) -> (u16, String, Option<String>, Option<String>, String) {
    let body = String::from_utf8(answer.bytes.clone()).unwrap().replace(subject, "{}");
    (answer.status, answer.content_type.clone(), answer.etag.clone(), answer.location.clone(), body)
}

/// A world with an interchange and a job of each of two flows, and the path of the foreign flow's job.
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
    // The canary's outcome never comes, so that the job stays active.
    let mut careful = all();
    careful["canary"] = 1.into();
    let job = world.request_once("/flows/invoices/retry", KEY, &every, careful).await;
    world.request_once("/interchanges/i-1-more/delete", "another-key", &every, because()).await;
    world.settle().await;
    let path = job.location.clone().expect("the job's path");
    (world, path.trim_start_matches("/jobs/").to_owned())
}

/// All that there is of the foreign flow.
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
async fn for_a_limited_bearer_what_is_of_another_flow_is_as_what_is_nowhere_in_every_operation() {
    let document = Document::read();
    let (world, job) = world().await;
    let every = world.token_for("admin", json!(["*"]));
    let limited = world.token_for("clerk", json!(["orders-*"]));
    let before = foreign(&world, &every, &job).await;
    let staged = world.held(RECEIVER_STAGE);
    let mut asked = 0;
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
            let mut ask = async |subject: &str| {
                asked += 1;
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
                (seen(&answer, subject), calls)
            };
            let (told, calls) = ask(there).await;
            let nonsense = path.contains("nonsense");
            assert_eq!(told.0, if nonsense { 400 } else { 404 }, "{} {path}: {told:?}", operation.method);
            assert_eq!(ask(NOWHERE).await, (told.clone(), calls), "{} {path}", operation.method);
            // A flow of the bearer's own may be made by PUT.
            if operation.method != "PUT" {
                assert_eq!(ask(own).await.0, told, "{} {path}", operation.method);
            }
        }
    }
    assert!(asked > 80, "{asked}");
    world.settle().await;
    assert_eq!(foreign(&world, &every, &job).await, before);
    assert_eq!(world.held(RECEIVER_STAGE), staged);

    // A caller that may see all of it gets other answers: the requests are right. What erases comes last, as it leaves no payload.
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
