//! What a function says about a batch: which of its messages failed.

use std::collections::BTreeSet;

use serde_json::Value;

/// What becomes of a batch after the function answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// These message ids failed, the others are done.
    Failed(BTreeSet<String>),
    /// The answer makes no sense, so nothing is done. Lambda takes this side when in doubt.
    Nothing,
}

/// Reads an answer under `ReportBatchItemFailures`, for a batch of these message ids.
pub(super) fn read(answer: &[u8], batch: &BTreeSet<&str>) -> Verdict {
    let Ok(answer) = serde_json::from_slice::<Value>(answer) else { return Verdict::Nothing };
    let failures = match (&answer, answer.get("batchItemFailures")) {
        (Value::Null, _) | (_, Some(Value::Null)) => return Verdict::Failed(BTreeSet::new()),
        (Value::Object(object), None) if object.is_empty() => return Verdict::Failed(BTreeSet::new()),
        (_, Some(Value::Array(failures))) => failures,
        _ => return Verdict::Nothing,
    };
    let known = |failure: &Value| {
        let id = failure["itemIdentifier"].as_str()?;
        batch.contains(id).then(|| id.to_owned())
    };
    failures.iter().map(known).collect::<Option<_>>().map_or(Verdict::Nothing, Verdict::Failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(answer: &str) -> Verdict {
        read(answer.as_bytes(), &BTreeSet::from(["a", "b"]))
    }

    fn failed(ids: &[&str]) -> Verdict {
        Verdict::Failed(ids.iter().map(|&id| id.to_owned()).collect())
    }

    #[test]
    fn an_answer_without_failures_is_a_success() {
        for answer in [r#"{"batchItemFailures":[]}"#, r#"{"batchItemFailures":null}"#, "{}", "null"] {
            assert_eq!(verdict(answer), failed(&[]), "{answer}");
        }
    }

    #[test]
    fn the_messages_that_are_named_have_failed() {
        assert_eq!(verdict(r#"{"batchItemFailures":[{"itemIdentifier":"b"}]}"#), failed(&["b"]));
    }

    #[test]
    fn an_answer_that_makes_no_sense_fails_the_whole_batch() {
        for answer in [
            "",
            "[]",
            r#""done""#,
            r#"{"batchItemFailure":[]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#,
            r#"{"batchItemFailures":[{"itemidentifier":"a"}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":"c"}]}"#,
        ] {
            assert_eq!(verdict(answer), Verdict::Nothing, "{answer}");
        }
    }
}
