//! What Reprise does: load, decide (the domain), commit (the table), perform (queues and schedules).
//!
//! Each file is one thing a function does. Time is passed in; nothing here reads a clock or the environment.

mod act;
mod admit;
mod configure;
mod epochs;
mod error;
mod execute;
mod ingest;
mod jobs;
mod journal;
mod look;
mod metric;
mod plan;
mod read;
mod run;
mod run_job;
mod run_ordered;
mod run_request;
mod run_slot;
mod seen;
mod senders;
mod slots;
mod stage_message;
mod sweep;
mod triage;
mod work_sender;

pub use act::{ActError, ActOrder, Actions, SEND_DELAY};
pub use admit::{Gate, WorkMessage};
pub use configure::{Configure, ConfigureError, FlowOrder};
pub use error::{AppError, chain};
pub use ingest::{Ingest, Ingested};
pub use jobs::{JobError, JobOrder, Jobs};
pub use metric::{METRICS, Metric};
pub use plan::Plan;
pub use read::{FlowView, NoPayload, PayloadView, Reader};
pub use run::{Moment, Runner};
pub use slots::Slots;
pub use sweep::Sweeper;
pub use work_sender::WorkSender;
