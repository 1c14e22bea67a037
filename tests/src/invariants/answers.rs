//! A 5xx response contains no internal detail, and no log line contains a payload.

use serde_json::Value;

use super::{Evidence, Findings};
use crate::{Answer, World};

/// Words that reveal an internal detail.
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
        if let Some(detail) = internal_detail(answer) {
            found.add("a 5xx contains no internal detail", detail);
        }
    }
    for line in world.log().leaks().into_iter().take(3) {
        found.add("no log line contains a payload", line);
    }
}

/// The status and body of a response that contains an internal detail.
fn internal_detail(answer: &Answer) -> Option<String> {
    let text = String::from_utf8_lossy(&answer.bytes).into_owned();
    let body: Value = serde_json::from_slice(&answer.bytes).unwrap_or_default();
    // Not the `type`: problem types are public and may contain such a word.
    let words = body.as_object().into_iter().flatten().filter(|(name, _)| *name != "type");
    let words = words.map(|(_, value)| value.to_string().to_lowercase()).collect::<String>();
    INTERNAL.iter().any(|word| words.contains(word)).then(|| format!("{} {text}", answer.status))
}
