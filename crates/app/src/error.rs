//! What can go wrong around a decision: a service failed.

use queues::QueueError;
use table::TableError;

/// A call that did not succeed. The work is to be tried again; nothing of it is lost.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error("DynamoDB request failed")]
    Table(#[from] TableError),
    #[error("SQS request failed")]
    Queue(#[from] QueueError),
    /// Others moved the same interchange every time it was decided.
    #[error("interchange {id} was changed by others {tries} times while it was decided")]
    Overtaken {
        /// Which.
        id: String,
        /// How often.
        tries: u32,
    },
    /// SQS could not take messages now.
    #[error("{count} messages could not be sent: {cause}")]
    Unsent {
        /// How many.
        count: usize,
        /// What SQS said of one of them.
        cause: String,
    },
}

/// An error with its causes, outermost first, as it is logged.
#[must_use]
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Tries of a decision that others overtake, before its caller is told.
pub(crate) const TRIES: u32 = 10;
