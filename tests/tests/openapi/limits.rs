//! The limits in the document are those of the code: the largest value is accepted, the next one is refused with the
//! name of the field.

use serde_json::{Value, json};
use tests::{World, report};

use crate::document::Document;
use crate::scenarios::all;

/// A limit in the document, a request with a value for it, and the field that the problem must name.
struct Limit {
    at: &'static str,
    request: fn(u64) -> (&'static str, String, Value),
    field: &'static str,
}

const LIMITS: [Limit; 20] = [
    Limit { at: "Reason/maxLength", request: |n| plan("reason", text(n)), field: "reason" },
    Limit { at: "JobOrder/properties/rate/maximum", request: |n| plan("rate", n), field: "rate" },
    Limit { at: "JobOrder/properties/cap/maximum", request: |n| plan("cap", n), field: "cap" },
    Limit { at: "JobOrder/properties/canary/maximum", request: |n| plan("canary", n), field: "canary" },
    Limit {
        at: "Selection/oneOf/0/properties/ids/maxItems",
        request: |n| plan("selection", json!({ "ids": many(n, |i| format!("i-{i}").into()) })),
        field: "selection.ids",
    },
    Limit {
        at: "Filter/properties/message/maxLength",
        request: |n| plan("selection", json!({ "filter": { "message": text(n) } })),
        field: "selection.filter.message",
    },
    Limit {
        at: "FilterText/maxLength",
        request: |n| plan("selection", json!({ "filter": { "sender": text(n) } })),
        field: "selection.filter.sender",
    },
    Limit {
        at: "FlowConfiguration/properties/displayName/maxLength",
        request: |n| put(json!({ "displayName": text(n) })),
        field: "displayName",
    },
    Limit {
        at: "FlowConfiguration/properties/deadLetterQueues/maxItems",
        request: |n| {
            put(
                json!({ "deadLetterQueues": many(n, |i| json!({ "arn": format!("arn:aws:sqs:eu-west-1:000000000000:q-{i}") })) }),
            )
        },
        field: "deadLetterQueues",
    },
    Limit {
        at: "FlowConfiguration/properties/functions/maxItems",
        request: |n| {
            put(
                json!({ "functions": many(n, |i| format!("arn:aws:lambda:eu-west-1:000000000000:function:f-{i}").into()) }),
            )
        },
        field: "functions",
    },
    Limit {
        at: "FlowConfiguration/properties/senders/maxItems",
        request: |n| put(json!({ "senders": many(n, |i| format!("AROAEXAMPLE{i:05}").into()) })),
        field: "senders",
    },
    Limit {
        at: "Mask/properties/patterns/maxItems",
        request: |n| put(json!({ "mask": { "patterns": many(n, |i| format!("p{i}").into()) } })),
        field: "mask.patterns",
    },
    Limit {
        at: "Mask/properties/patterns/items/maxLength",
        request: |n| put(json!({ "mask": { "patterns": [text(n)] } })),
        field: "mask.patterns[0]",
    },
    Limit {
        at: "FlowConfiguration/properties/partners/maxProperties",
        request: |n| {
            put(
                json!({ "partners": (0..n).map(|i| (i.to_string(), json!({ "retry": { "mode": "manual" } }))).collect::<Value>() }),
            )
        },
        field: "partners",
    },
    Limit {
        at: "Ladder/properties/delays/maxItems",
        request: |n| schedule(json!({ "delays": many(n, |_| "5m".into()) })),
        field: "retry.schedule.delays",
    },
    Limit {
        at: "Exponential/properties/factor/maximum",
        request: |n| schedule(json!({ "kind": "exponential", "first": "1m", "factor": n, "cap": "365d" })),
        field: "retry.schedule.factor",
    },
    Limit {
        at: "HourlyWindow/properties/interval/maximum",
        request: |n| hourly("interval", n),
        field: "retry.schedule.interval",
    },
    Limit { at: "Batch/maximum", request: |n| hourly("batch", n), field: "retry.schedule.batch" },
    Limit { at: "WindowLimit/maximum", request: |n| hourly("limit", n), field: "retry.schedule.limit" },
    Limit { at: "Jitter/maximum", request: |n| put(json!({ "retry": { "jitter": n } })), field: "retry.jitter" },
];

#[tokio::test(flavor = "multi_thread")]
async fn the_largest_documented_value_is_accepted_and_the_next_one_is_refused_with_its_field() {
    let document = Document::read();
    let world = World::start().await;
    world.report(report("4711", "orders", json!({}))).await;
    for Limit { at, request, field } in LIMITS {
        let schemas = &document.root()["components"]["schemas"];
        let max =
            schemas.pointer(&format!("/{at}")).and_then(Value::as_u64).unwrap_or_else(|| panic!("no limit at {at}"));
        for (value, passes) in [(max, true), (max + 1, false)] {
            let (method, path, body) = request(value);
            let answer = if method == "PUT" { world.put(&path, body).await } else { world.post(&path, body).await };
            if passes {
                answer.ok();
            } else {
                assert_eq!(answer.is_problem(400, "invalid-field")["field"], field, "{at}");
            }
        }
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documented_limits_of_parameters_and_headers_apply() {
    let document = Document::read();
    let world = World::start().await;
    world.report(report("4711", "orders", json!({}))).await;
    let list = document.operation("GET", "/flows/orders/interchanges").unwrap();
    let limit = list.parameters(&document).into_iter().find(|parameter| parameter["name"] == "limit").unwrap();
    let max = limit["schema"]["maximum"].as_u64().unwrap();
    world.get(&format!("/flows/orders/interchanges?limit={max}")).await.ok();
    let problem =
        world.get(&format!("/flows/orders/interchanges?limit={}", max + 1)).await.is_problem(400, "invalid-field");
    assert_eq!(problem["field"], "limit");

    let key = document.component("parameters", "idempotencyKey")["schema"]["maxLength"].as_u64().unwrap();
    let problem = world.post_once("/flows/orders/retry", &text(key + 1), all()).await.is_problem(400, "invalid-field");
    assert_eq!(problem["field"], "Idempotency-Key");
    assert_eq!(world.post_once("/flows/orders/retry", &text(key), all()).await.status, 202);
    world.stop().await;
}

fn text(length: u64) -> String {
    "x".repeat(usize::try_from(length).unwrap())
}

fn many(count: u64, item: fn(u64) -> Value) -> Value {
    (0..count).map(item).collect()
}

fn plan(field: &str, value: impl Into<Value>) -> (&'static str, String, Value) {
    let mut body = all();
    body[field] = value.into();
    ("POST", "/flows/orders/retry?plan=true".to_owned(), body)
}

fn put(config: Value) -> (&'static str, String, Value) {
    ("PUT", "/flows/limits?plan=true".to_owned(), config)
}

fn schedule(schedule: Value) -> (&'static str, String, Value) {
    put(json!({ "retry": { "schedule": schedule } }))
}

fn hourly(field: &str, value: u64) -> (&'static str, String, Value) {
    schedule(json!({ "kind": "window", "every": "hour", field: value }))
}
