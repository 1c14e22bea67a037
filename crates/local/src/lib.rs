//! Reprise on one machine, as it is deployed: the production binaries, behind what AWS would put around them.
//!
//! [`Stack`] reads `infra/template.yaml`, makes its resources at the in-process AWS endpoint (the crate `local-aws`), runs
//! its functions behind a Lambda Runtime API, feeds them from queues, schedules and HTTP, and stops all of it again. The
//! binary `local` is a command line around it; the end-to-end tests use it directly. Nothing here knows what Reprise does:
//! everything it runs comes from the template.

mod activity;
mod consumers;
mod gateway;
mod invoker;
mod lambda;
mod options;
mod provision;
mod sign_in;
mod sources;
mod stack;
pub mod template;

pub use lambda::{Failure, NoSuchFunction, Outcome};
pub use local_aws::{self, ClockMode};
pub use options::{StackError, StackOptions};
pub use provision::ProvisionError;
pub use stack::Stack;
pub use test_issuer::{self, IssuerError, TestIssuer};
