//! What is wrong with input, told so that its author can find and mend it.

/// A field that is missing or says something impossible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` {problem}")]
pub struct FieldError {
    /// Where it is, as the caller wrote it: `retry.schedule.delays[2]`; `body` is the whole of it.
    pub field: String,
    /// What it says and what is allowed: "is `90`: must be a duration like `90s`, `5m`, `24h`".
    pub problem: String,
}

impl FieldError {
    /// Refuses what is not among `known`, and tells those.
    #[must_use]
    pub fn unknown(field: impl Into<String>, known: &[&str]) -> Self {
        let problem = match known {
            [] => "is not known here: none is allowed".to_owned(),
            [only] => format!("is not known here: only {only} is allowed"),
            several => format!("is not known here: allowed are {}", several.join(", ")),
        };
        Self::new(field, problem)
    }

    pub(crate) fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { field: field.into(), problem: problem.into() }
    }
}
