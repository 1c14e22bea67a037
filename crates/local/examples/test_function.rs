//! A Lambda function for the tests of `local`. Its event names what it does.
//!
//! `{"do": "echo" | "who" | "fail" | "exit" | "hang" | "variables"}` does this action. `{"do": "wait", "at": "host:port"}`
//! connects to the address and responds when the other side closes the connection. The messages of an SQS event are such
//! events; a message whose action fails is reported as failed. The response to an HTTP event is the event itself.

use std::sync::atomic::{AtomicU32, Ordering};

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

static INVOCATIONS: AtomicU32 = AtomicU32::new(0);

#[tokio::main]
async fn main() -> Result<(), Error> {
    if std::env::var("FAILS_TO_START").is_ok() {
        return Err("FAILS_TO_START is set".into());
    }
    lambda_runtime::run(service_fn(handle)).await
}

async fn handle(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let count = INVOCATIONS.fetch_add(1, Ordering::SeqCst) + 1;
    let event = event.payload;
    if let Some(records) = event["Records"].as_array() {
        return handle_batch(records, count).await;
    }
    if event["version"] == "2.0" {
        return Ok(
            json!({ "statusCode": 200, "headers": { "content-type": "application/json" }, "body": event.to_string() }),
        );
    }
    handle_one(&event, count).await
}

async fn handle_batch(records: &[Value], count: u32) -> Result<Value, Error> {
    let mut failures = Vec::new();
    for record in records {
        let event: Value = serde_json::from_str(record["body"].as_str().unwrap_or_default())?;
        if event["do"] == "respond with unknown id" {
            return Ok(json!({ "batchItemFailures": [{ "itemIdentifier": "unknown" }] }));
        }
        if handle_one(&event, count).await.is_err() {
            failures.push(json!({ "itemIdentifier": record["messageId"] }));
        }
    }
    Ok(json!({ "batchItemFailures": failures }))
}

async fn handle_one(event: &Value, count: u32) -> Result<Value, Error> {
    match event["do"].as_str().unwrap_or_default() {
        "echo" => Ok(event.clone()),
        "who" => Ok(json!({ "pid": std::process::id(), "invocation": count })),
        "fail" => Err("requested failure".into()),
        "exit" => std::process::exit(7),
        "hang" => std::future::pending().await,
        "variables" => Ok(Value::from_iter(std::env::vars())),
        "wait" => {
            let mut stream = TcpStream::connect(event["at"].as_str().unwrap_or_default()).await?;
            stream.read_to_end(&mut Vec::new()).await?;
            Ok(json!({ "pid": std::process::id() }))
        }
        other => Err(format!("unknown action {other}").into()),
    }
}
