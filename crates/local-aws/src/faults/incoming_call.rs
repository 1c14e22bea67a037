//! An incoming call over HTTP, which the rules are matched against.

use axum::body::Bytes;
use axum::http::{HeaderMap, header};
use dynoxide::Database;
use serde::Serialize;
use serde_json::Value;

use super::caller::Caller;
use super::keys::{self, Key, Schemas};
use crate::meter::Service;
use crate::names;

/// A call over HTTP. Each retry of the SDK is a call of its own.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SeenCall {
    pub service: Service,
    /// The name of the operation, as in AWS's API: `TransactWriteItems`.
    pub operation: String,
    /// DynamoDB: the first key of the request, `<partition key>/<sort key>`. SQS: the queue. Scheduler: the schedule or
    /// its group. Empty if the request has none.
    pub key: String,
    /// The function whose process called. `None` for other callers.
    pub caller: Option<String>,
}

/// A call over HTTP that was not processed yet.
pub(crate) struct IncomingCall {
    pub(crate) seen: SeenCall,
    /// The partition keys, or the name of the queue or schedule.
    pub(super) keys: Vec<String>,
    pub(crate) caller: Option<Caller>,
    /// The request's body. Null if it is not JSON.
    pub(crate) body: Value,
}

impl IncomingCall {
    /// Reads key and caller of a request. `path` is the request's path.
    pub(crate) async fn new(
        (service, operation): (Service, String),
        (path, headers, body): (&str, &HeaderMap, &Bytes),
        (database, schemas): (&Database, &Schemas),
    ) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let (key, keys) = match service {
            Service::DynamoDb => {
                let keys = keys::of(&operation, &body, database, schemas).await;
                let first = keys.first().map(Key::to_string).unwrap_or_default();
                (first, keys.into_iter().map(|key| key.partition).collect())
            }
            Service::Sqs => {
                let url = body["QueueUrl"].as_str().and_then(names::queue_of_url);
                named(url.or(body["QueueName"].as_str()).unwrap_or_default())
            }
            Service::Scheduler => named(path.trim_start_matches('/').split_once('/').map_or("", |(_, name)| name)),
        };
        let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
        let caller = Caller::of_user_agent(agent);
        let function = caller.as_ref().map(|caller| caller.function.clone());
        Self { seen: SeenCall { service, operation, key, caller: function }, keys, caller, body }
    }
}

fn named(name: &str) -> (String, Vec<String>) {
    (name.to_owned(), vec![name.to_owned()])
}
