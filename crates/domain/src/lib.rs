//! What an interchange is, what may happen to it, and when it is tried again.
//!
//! This crate decides and never performs: no await, no AWS, no clock, no environment, no wire format. Time
//! comes in as an argument and effects go out as data, so every rule can be tested from a table.

mod access;
mod apply_report;
mod claim;
mod early;
mod epoch;
mod erase;
mod event;
mod fingerprint;
mod flow;
mod forecast;
mod interchange;
mod job;
mod job_limits;
mod job_outcome;
mod mask;
mod name;
mod outcome;
mod payload;
mod plausible;
mod postpone;
mod reentry;
mod report;
mod retry_position;
mod schedule;
mod selection;
mod storage_layout;
mod time;
mod unknown;

pub use access::FlowAccess;
pub use claim::Claim;
pub use early::EARLY_OUTCOME_KEPT;
pub use epoch::Epoch;
pub use event::{Actor, Event, EventKind, FailureNoted, Requested};
pub use fingerprint::{Fingerprint, fold};
pub use flow::{Confirmation, ConfirmationMode, DeadLetterQueue, Flow, RetryMode, RetryPolicy, Stages};
pub use forecast::{Forecast, ForecastEnd, HypotheticalFailure};
pub use interchange::{Change, Completion, Failure, Flight, Interchange, Parties, Status};
pub use job::{CanaryResult, Job, JobAction, JobCounts, JobId, JobStatus, Take};
pub use job_limits::JobLimits;
pub use job_outcome::{JobCount, job_counts};
pub use mask::{Mask, MaskField, MaskRules, check_pattern};
pub use name::{FlowName, InterchangeId, InvalidName};
pub use outcome::{MAX_KNOWN_ATTEMPTS, MAX_SEEN, Received, Verdict, receive};
pub use payload::{Digest, MAX_REVISIONS, PayloadMeta, PayloadSide, Payloads, Revision};
pub use plausible::MAX_ATTEMPT_JUMP;
pub use postpone::RunFill;
pub use reentry::{Cause, MAX_ATTEMPTS, RecordedSend, Reentry, Refusal, SendFailure, Trigger};
pub use report::{
    Category, ErrorInfo, Extent, FailureReport, Known, Part, PartStatus, Phase, Report, ReportDigest, ReportKind,
    Warning,
};
pub use retry_position::RetryPosition;
pub use schedule::{Exponential, Ladder, NextRetry, NoRetry, Schedule, Window, WindowEvery};
pub use selection::{Filter, Selection};
pub use storage_layout::StorageLayout;
pub use time::{Minute, Slot};
pub use unknown::{Attribute, ConfigProblem, Unknown};

/// The clock's type everywhere: an instant in UTC with nanoseconds.
pub use jiff::Timestamp;
