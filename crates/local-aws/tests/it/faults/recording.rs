//! The recording of calls, and `/_local/faults`.

use axum::body::Body;
use axum::http::Request;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use local_aws::{Aws, ClockMode, Fault, Options, Recording, RedeliveryKind, Rule, Service};
use serde_json::{Value, json};

use super::{Faulty, TABLE, s};
use crate::fixture::{START, time};

async fn call(faulty: &Faulty, method: &str, body: Value) -> (u16, Value) {
    let url = format!("{}/_local/faults", faulty.fixture.aws.url());
    let request = Request::builder().method(method).uri(url).body(Body::from(body.to_string())).expect("a request");
    let response = Client::builder(TokioExecutor::new()).build_http().request(request).await.expect("an answer");
    let status = response.status().as_u16();
    let bytes = axum::body::to_bytes(Body::new(response.into_body()), usize::MAX).await.expect("a body");
    (status, serde_json::from_slice(&bytes).expect("JSON"))
}

#[tokio::test]
async fn calls_are_recorded_in_order_with_key_and_caller() {
    let faulty = Faulty::new().await;
    faulty.put("before").send().await.expect("writes");
    faulty.faults().record(Recording::On);
    faulty.put("1").send().await.expect("writes");
    faulty.transact(&["2", "3"]).send().await.expect("writes");
    let query = faulty.dynamodb.query().table_name(TABLE).key_condition_expression("pk = :pk");
    query.expression_attribute_values(":pk", s("4")).send().await.expect("reads");
    faulty.send().send().await.expect("sends");
    faulty.schedule("slot").send().await.expect("creates");
    faulty.fixture.sqs.list_queues().send().await.expect("lists");
    faulty.faults().record(Recording::Off);
    faulty.put("after").send().await.expect("writes");

    let calls = faulty.faults().calls();
    let recorded: Vec<_> =
        calls.iter().map(|c| (c.service, c.operation.as_str(), c.key.as_str(), c.caller.as_deref())).collect();
    let worker = Some("worker");
    assert_eq!(
        recorded,
        [
            (Service::DynamoDb, "PutItem", "1/HEAD", worker),
            (Service::DynamoDb, "TransactWriteItems", "2/HEAD", worker),
            (Service::DynamoDb, "Query", "4", worker),
            (Service::Sqs, "SendMessage", "orders", worker),
            (Service::Scheduler, "CreateSchedule", "slot", worker),
            (Service::Sqs, "ListQueues", "", None),
        ]
    );
}

#[tokio::test]
async fn rules_are_added_listed_and_removed_over_http() {
    let faulty = Faulty::new().await;
    let rule = json!({ "matches": { "service": "sqs", "keyPrefix": "orders" }, "fault": "throttle" });
    assert_eq!(call(&faulty, "POST", json!([rule])).await, (200, json!({ "ids": [1] })));
    faulty.send().send().await.expect_err("is throttled");
    faulty.send().send().await.expect("only once");

    let all = json!({
        "rules": [{ "matches": { "service": "dynamodb" }, "for": "15m", "oneIn": [7, 1.0], "fault": "serverError" }],
        "redeliveries": [{ "queue": "orders", "again": "afterDelete", "after": "30s" }],
        "record": true,
    });
    assert_eq!(call(&faulty, "POST", all).await, (200, json!({ "ids": [2] })));
    for _ in 0..2 {
        faulty.put("1").send().await.expect_err("fails");
    }
    let placed = &faulty.faults().rules()[1].rule;
    assert_eq!(
        (placed.times, placed.until, placed.fault),
        (Rule::ALWAYS, Some(time("2026-11-20T14:15:00Z")), Fault::ServerError)
    );
    assert_eq!(faulty.faults().redeliveries()[0].kind, RedeliveryKind::AfterDelete);

    let (_, shown) = call(&faulty, "GET", Value::Null).await;
    assert_eq!(shown["rules"][0]["fired"], 1);
    assert_eq!(shown["rules"][0]["rule"]["matches"], json!({ "service": "sqs", "keyPrefix": "orders" }));
    assert_eq!(shown["redeliveries"][0]["after"], "30s");
    let put = json!({ "service": "dynamodb", "operation": "PutItem", "key": "1/HEAD", "caller": "worker" });
    assert_eq!(shown["calls"], json!([put, put]));
    assert_eq!(shown["fired"][1], json!({ "rule": 2, "call": put, "fault": "serverError" }));

    assert_eq!(call(&faulty, "DELETE", Value::Null).await.0, 200);
    faulty.put("1").send().await.expect("writes");
    let (_, shown) = call(&faulty, "GET", Value::Null).await;
    assert_eq!((&shown["rules"], &shown["redeliveries"]), (&json!([]), &json!([])));
}

#[tokio::test]
async fn an_invalid_rule_is_refused_with_the_reason() {
    let faulty = Faulty::new().await;
    for (body, why) in [
        (json!([{ "fault": "explode" }]), "explode"),
        (json!([{ "fault": "hang", "nth": 3 }]), "nth"),
        (json!([{ "fault": "hang", "for": "long" }]), "long"),
        (json!("hang"), "hang"),
        (json!({ "redeliveries": [{ "queue": "orders" }] }), "again"),
    ] {
        let (status, answer) = call(&faulty, "POST", body).await;
        let message = answer["message"].as_str().unwrap_or_default();
        assert!(status == 400 && message.contains(why), "{status} {answer}");
    }
    assert!(faulty.faults().rules().is_empty());
}

#[tokio::test]
async fn the_dynamodb_url_is_the_shared_address_if_faults_must_reach_it() {
    let options = |clock| Options { listen: "127.0.0.1:0".parse().expect("an address"), data: None, clock };
    let frozen = ClockMode::Frozen(time(START));
    let plain = Aws::start(options(frozen)).await.expect("starts");
    assert_ne!(plain.dynamodb_url(), plain.url());
    let faulty = Aws::start_faulty(options(frozen)).await.expect("starts");
    assert_eq!(faulty.dynamodb_url(), faulty.url());
    let flowing = Aws::start(options(ClockMode::Flowing)).await.expect("starts");
    assert_eq!(flowing.dynamodb_url(), flowing.url());
}
