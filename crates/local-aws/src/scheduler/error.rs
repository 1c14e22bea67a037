//! The errors of the Scheduler, with AWS's names and messages.

/// An error of the Scheduler. `Display` is the message that AWS would send.
#[derive(Debug, thiserror::Error)]
pub enum SchedulerError {
    /// The schedule or group already exists.
    #[error("{0}")]
    Conflict(String),
    /// The schedule or group does not exist.
    #[error("{0}")]
    NotFound(String),
    /// A value is invalid; the message names it.
    #[error("{0}")]
    Validation(String),
    /// The database failed.
    #[error("The schedules' database failed.")]
    Storage(#[from] rusqlite::Error),
    /// A stored schedule or group cannot be read.
    #[error("The stored schedules cannot be read.")]
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

    /// The HTTP status of the response.
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

    /// The error for a value that violates a constraint of the API's model.
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
