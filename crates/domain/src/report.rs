//! What a pipeline reports, as the domain understands it (the wire forms are read in the contract crate).

use jiff::{SignedDuration, Timestamp};

use crate::{Digest, Epoch, FlowName, InterchangeId, PayloadMeta};

/// Where it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Before there was a good receiver payload.
    Processing,
    /// In communication with the receiver.
    Delivery,
}

impl Phase {
    /// The word used in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Processing => "processing",
            Self::Delivery => "delivery",
        }
    }

    /// Reads the word back.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Processing, Self::Delivery].into_iter().find(|p| p.as_str() == word)
    }
}

/// What kind of error stopped the interchange; decides whether it is retried by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// The environment: a partner is down, a timeout.
    System,
    /// The receiving application refused it.
    Business,
    /// The mapping could not be done.
    Mapping,
    /// The message breaks its own rules.
    Validation,
    /// Nothing was heard of a re-entry in time.
    NoOutcome,
    /// Not told.
    Unknown,
}

impl Category {
    /// Every category, in the order they are listed to users.
    pub const ALL: [Self; 6] =
        [Self::System, Self::Business, Self::Mapping, Self::Validation, Self::NoOutcome, Self::Unknown];

    /// The word used in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Business => "business",
            Self::Mapping => "mapping",
            Self::Validation => "validation",
            Self::NoOutcome => "no_outcome",
            Self::Unknown => "unknown",
        }
    }

    /// Reads the word back.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.as_str() == word)
    }
}

/// The error as the pipeline tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorInfo {
    /// What kind it is.
    pub category: Category,
    /// A short machine-readable code, `ETIMEDOUT`.
    pub code: Option<String>,
    /// The text for people.
    pub message: Option<String>,
}

/// What became of one part of an interchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartStatus {
    Failed,
    /// It went through.
    Completed,
}

impl PartStatus {
    /// The word used in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Completed => "completed",
        }
    }
}

/// One part of an interchange of which some parts failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The pipeline's name for it, `line-3`.
    pub id: String,
    /// What became of it.
    pub status: PartStatus,
    /// Why.
    pub message: Option<String>,
}

/// How much of the interchange failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it, whatever is told of its parts.
    Whole,
    /// Some of its parts.
    Partial,
}

/// A failure with everything that was told about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureReport {
    /// How much of it failed.
    pub extent: Extent,
    /// Where it failed, when that was told: else it follows from the attempt.
    pub phase: Option<Phase>,
    /// The step that reported it, free text.
    pub origin: Option<String>,
    /// Who sent the message.
    pub sender: Option<String>,
    /// Whom it is for.
    pub receiver: Option<String>,
    /// Whose retry policy counts.
    pub partner: Option<String>,
    /// The message's id in its source application.
    pub source_id: Option<String>,
    /// Correlates it with the pipeline's own logs.
    pub correlation_id: Option<String>,
    /// W3C trace context.
    pub traceparent: Option<String>,
    /// The FIFO group of its re-entry.
    pub order_key: Option<String>,
    pub error: ErrorInfo,
    /// Not to be tried again before this long after the failure.
    pub retry_after: Option<SignedDuration>,
    /// What became of each part; never empty when it failed partially.
    pub parts: Vec<Part>,
    /// The sender payload, when one came along.
    pub sender_payload: Option<PayloadMeta>,
    /// The receiver payload, when one came along.
    pub receiver_payload: Option<PayloadMeta>,
    /// The message attributes of a dead letter, encoded by the contract crate.
    pub attributes: Option<PayloadMeta>,
}

/// What is reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReportKind {
    /// The attempt failed, as a whole or (with parts) partially.
    Failed(Box<FailureReport>),
    /// The attempt reached the trading network and is not yet delivered.
    InNetwork,
    /// The attempt went through.
    Completed,
}

/// A report on one interchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Which interchange.
    pub id: InterchangeId,
    pub flow: FlowName,
    /// Which attempt; left out it means the one in flight.
    pub attempt: Option<u32>,
    /// When it happened, by the pipeline's clock.
    pub occurred_at: Option<Timestamp>,
    /// What happened.
    pub kind: ReportKind,
    /// The epoch of the attempt; left out it means the table's.
    pub epoch: Option<Epoch>,
    /// Of the message that it was read from, where nothing else may tell it from its repeat.
    pub digest: Option<ReportDigest>,
    /// Fields that were not taken as they came.
    pub warnings: Vec<Warning>,
}

/// The first 8 bytes of the SHA-256 of a message: enough to tell the reports on one interchange apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReportDigest(pub [u8; 8]);

impl ReportDigest {
    /// Of a message's body.
    #[must_use]
    pub fn of(body: &[u8]) -> Self {
        let mut short = [0; 8];
        short.copy_from_slice(&Digest::of(body).0[..8]);
        Self(short)
    }
}

/// A field of a report that was not taken as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The field, as the report writes it.
    pub field: String,
    /// What was wrong with it, and what counts instead.
    pub problem: String,
}

impl Warning {
    /// About `field`.
    #[must_use]
    pub fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { field: field.into(), problem: problem.into() }
    }
}

impl Report {
    /// The outcome's kind, as it is remembered to tell repeats from news.
    #[must_use]
    pub fn known_as(&self) -> Known {
        match self.kind {
            ReportKind::Failed(_) => Known::Failed,
            ReportKind::InNetwork => Known::InNetwork,
            ReportKind::Completed => Known::Completed,
        }
    }
}

/// The kinds of outcome that are remembered for each attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Known {
    Failed,
    /// It is in the trading network.
    InNetwork,
    /// It went through.
    Completed,
}

impl Known {
    /// The word used in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::InNetwork => "in_network",
            Self::Completed => "completed",
        }
    }
}
