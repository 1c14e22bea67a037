//! The JSON of the HTTP API, in both directions.

mod event;
mod filter;
mod flow;
mod forecast;
mod interchange;
mod job;
mod request;
mod selection;

pub use event::event;
pub use filter::{FILTER_FIELDS, filter_json, read_filter};
pub use flow::{FlowFacts, Group, flow_summary, group};
pub use forecast::{FlowPlan, flow_plan};
pub use interchange::{interchange, interchange_detail, unreadable_interchange};
pub use job::{job, unreadable_job};
pub use request::{JobRequest, read_job_request, read_reason};
pub use selection::{read_selection, selection_json};
