//! A function for the tests of `local`: it does what its event asks for, good or bad.
//!
//! `{"do": "echo" | "who" | "fail" | "exit" | "hang" | "variables"}` does that; `{"do": "wait", "at": "host:port"}` connects
//! there and answers when the other side closes. An SQS event is a batch of such events: one that fails is reported as
//! failed. An HTTP event is answered with itself.

use std::sync::atomic::{AtomicU32, Ordering};

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

static INVOCATIONS: AtomicU32 = AtomicU32::new(0);

#[tokio::main]
async fn main() -> Result<(), Error> {
    if std::env::var("FAILS_TO_START").is_ok() {
        return Err("told not to start".into());
    }
    lambda_runtime::run(service_fn(handle)).await
}

async fn handle(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let count = INVOCATIONS.fetch_add(1, Ordering::SeqCst) + 1;
    let event = event.payload;
    if let Some(records) = event["Records"].as_array() {
        return batch(records, count).await;
    }
    if event["version"] == "2.0" {
        return Ok(
            json!({ "statusCode": 200, "headers": { "content-type": "application/json" }, "body": event.to_string() }),
        );
    }
    one(&event, count).await
}

async fn batch(records: &[Value], count: u32) -> Result<Value, Error> {
    let mut failures = Vec::new();
    for record in records {
        let event: Value = serde_json::from_str(record["body"].as_str().unwrap_or_default())?;
        if event["do"] == "talk nonsense" {
            return Ok(json!({ "batchItemFailures": [{ "itemIdentifier": "nobody" }] }));
        }
        if one(&event, count).await.is_err() {
            failures.push(json!({ "itemIdentifier": record["messageId"] }));
        }
    }
    Ok(json!({ "batchItemFailures": failures }))
}

async fn one(event: &Value, count: u32) -> Result<Value, Error> {
    match event["do"].as_str().unwrap_or_default() {
        "echo" => Ok(event.clone()),
        "who" => Ok(json!({ "pid": std::process::id(), "invocation": count })),
        "fail" => Err("told to fail".into()),
        "exit" => std::process::exit(7),
        "hang" => std::future::pending().await,
        "variables" => Ok(Value::from_iter(std::env::vars())),
        "wait" => {
            let mut stream = TcpStream::connect(event["at"].as_str().unwrap_or_default()).await?;
            stream.read_to_end(&mut Vec::new()).await?;
            Ok(json!({ "pid": std::process::id() }))
        }
        other => Err(format!("cannot do {other}").into()),
    }
}
