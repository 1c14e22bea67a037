//! Parses a function's batch response, which lists the messages that failed.

use std::collections::BTreeSet;

use serde_json::Value;

/// A parsed batch response.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BatchResponse {
    /// The messages with these ids failed, all others were handled.
    Failed(BTreeSet<String>),
    /// The response is not valid. Like Lambda, the poller then treats every message as failed.
    Invalid,
}

/// Parses a function's output under `ReportBatchItemFailures`, for a batch with these message ids.
pub(super) fn parse(output: &[u8], batch: &BTreeSet<&str>) -> BatchResponse {
    let Ok(output) = serde_json::from_slice::<Value>(output) else { return BatchResponse::Invalid };
    let failures = match (&output, output.get("batchItemFailures")) {
        (Value::Null, _) | (_, Some(Value::Null)) => return BatchResponse::Failed(BTreeSet::new()),
        (Value::Object(object), None) if object.is_empty() => return BatchResponse::Failed(BTreeSet::new()),
        (_, Some(Value::Array(failures))) => failures,
        _ => return BatchResponse::Invalid,
    };
    let known = |failure: &Value| {
        let id = failure["itemIdentifier"].as_str()?;
        batch.contains(id).then(|| id.to_owned())
    };
    failures.iter().map(known).collect::<Option<_>>().map_or(BatchResponse::Invalid, BatchResponse::Failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(output: &str) -> BatchResponse {
        parse(output.as_bytes(), &BTreeSet::from(["a", "b"]))
    }

    fn failed(ids: &[&str]) -> BatchResponse {
        BatchResponse::Failed(ids.iter().map(|&id| id.to_owned()).collect())
    }

    #[test]
    fn a_response_without_failures_is_a_success() {
        for output in [r#"{"batchItemFailures":[]}"#, r#"{"batchItemFailures":null}"#, "{}", "null"] {
            assert_eq!(parsed(output), failed(&[]), "{output}");
        }
    }

    #[test]
    fn the_listed_messages_have_failed() {
        assert_eq!(parsed(r#"{"batchItemFailures":[{"itemIdentifier":"b"}]}"#), failed(&["b"]));
    }

    #[test]
    fn an_invalid_response_fails_the_whole_batch() {
        for output in [
            "",
            "[]",
            r#""done""#,
            r#"{"batchItemFailure":[]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#,
            r#"{"batchItemFailures":[{"itemidentifier":"a"}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":"c"}]}"#,
        ] {
            assert_eq!(parsed(output), BatchResponse::Invalid, "{output}");
        }
    }
}
