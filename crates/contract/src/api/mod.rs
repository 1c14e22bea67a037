//! The JSON of the HTTP API, in both directions.

mod event;
mod filter;
mod flow;
mod interchange;
mod job;
mod request;
mod selection;

pub use event::event;
pub use filter::{filter_json, read_filter};
pub use flow::{FlowFacts, Group, flow_summary, group};
pub use interchange::{interchange, interchange_detail};
pub use job::job;
pub use request::{JobRequest, read_job_request, read_reason};
pub use selection::{read_selection, selection_json};
