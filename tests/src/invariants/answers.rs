//! A 5xx says nothing internal, and no log line has a payload.

use serde_json::Value;

use super::{Evidence, Findings};
use crate::{Answer, World};

/// Words that an answer can only have from inside.
const INTERNAL: [&str; 14] = [
    "dynamo",
    "sqs",
    "aws",
    "arn:",
    "table",
    "throttl",
    "throughput",
    "transact",
    "exception",
    "queue",
    "scheduler",
    "timeout",
    "panicked",
    "127.0.0.1",
];

pub(super) fn check(world: &World, evidence: &Evidence, found: &mut Findings) {
    for answer in &evidence.errors {
        if let Some(told) = internal(answer) {
            found.add("a 5xx says nothing internal", told);
        }
    }
    for line in world.log().leaks().into_iter().take(3) {
        found.add("no log line has a payload", line);
    }
}

/// What the answer tells that it should not.
fn internal(answer: &Answer) -> Option<String> {
    let text = String::from_utf8_lossy(&answer.bytes).into_owned();
    let body: Value = serde_json::from_slice(&answer.bytes).unwrap_or_default();
    // The `type` is a name of ours.
    let words = body.as_object().into_iter().flatten().filter(|(name, _)| *name != "type");
    let words = words.map(|(_, value)| value.to_string().to_lowercase()).collect::<String>();
    INTERNAL.iter().any(|word| words.contains(word)).then(|| format!("{} {text}", answer.status))
}
