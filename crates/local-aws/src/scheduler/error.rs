//! What the Scheduler refuses, as AWS names it.

/// A refusal of the Scheduler. `Display` is the message AWS would send.
#[derive(Debug, thiserror::Error)]
pub enum SchedulerError {
    /// It exists already.
    #[error("{0}")]
    Conflict(String),
    /// There is no such schedule, or no such group.
    #[error("{0}")]
    NotFound(String),
    /// A value is impossible; the message names it.
    #[error("{0}")]
    Validation(String),
    /// The database failed.
    #[error("The schedules' database failed.")]
    Storage(#[from] rusqlite::Error),
    /// What is stored cannot be understood.
    #[error("What is stored about the schedules cannot be read.")]
    Stored(#[from] serde_json::Error),
}

impl SchedulerError {
    /// The name of the exception.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Conflict(_) => "ConflictException",
            Self::NotFound(_) => "ResourceNotFoundException",
            Self::Validation(_) => "ValidationException",
            Self::Storage(_) | Self::Stored(_) => "InternalServerException",
        }
    }

    /// The HTTP status it travels with.
    pub fn status(&self) -> u16 {
        match self {
            Self::Conflict(_) => 409,
            Self::NotFound(_) => 404,
            Self::Validation(_) => 400,
            Self::Storage(_) | Self::Stored(_) => 500,
        }
    }

    pub(super) fn no_schedule(name: &str) -> Self {
        Self::NotFound(format!("Schedule {name} does not exist."))
    }

    pub(super) fn no_group(name: &str) -> Self {
        Self::NotFound(format!("Schedule group {name} does not exist."))
    }

    /// A value that breaks a rule of the API's model.
    pub(super) fn constraint(member: &str, value: impl std::fmt::Display, rule: &str) -> Self {
        Self::Validation(format!(
            "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {rule}"
        ))
    }

    pub(super) fn missing(member: &str) -> Self {
        Self::Validation(format!(
            "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
        ))
    }
}
