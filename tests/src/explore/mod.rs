//! Exploration: small scenarios, each run once to learn its AWS calls and then again and again with a fault in the middle, until
//! every call has met every fault that it can meet. After each history all must come to rest and every invariant must hold.

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

pub use beside::{Neighbour, beside};
pub use coverage::Summary;
pub use history::{Ended, History};
pub use injection::{Call, Dose, Injection};
pub use plan::Filter;
pub use runner::{Options, Progress, run};
pub use scenarios::Scenario;
pub use site::Site;
