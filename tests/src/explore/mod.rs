//! Exploration: small scenarios, each run once to record its AWS calls and then once for every call and every fault that the call
//! can meet. After each history the stack must become idle and every invariant must hold.

mod beside;
mod coverage;
mod history;
mod injection;
mod pipeline;
mod place;
mod plan;
mod runner;
mod scenarios;
mod seen;
mod site;

pub use beside::{OtherRelease, run_with_other_release};
pub use coverage::Summary;
pub use history::{History, HistoryResult};
pub use injection::{Call, Dose, Injection};
pub use plan::Filter;
pub use runner::{Options, Progress, run};
pub use scenarios::Scenario;
pub use site::Site;
