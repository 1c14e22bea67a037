//! Runs Reprise on one machine as it is deployed: the production binaries, with local replacements of the AWS services.
//!
//! [`Stack`] reads `infra/template.yaml`, creates its resources at the in-process AWS endpoint (the crate `local-aws`), runs
//! its functions behind a Lambda Runtime API, and invokes them from queues, schedules and HTTP. The binary `local` is its
//! command line; the end-to-end tests use it directly. Nothing here knows what Reprise does: everything that runs comes from
//! the template.

mod activity;
mod consumers;
mod gateway;
mod invoker;
mod lambda;
mod options;
mod provision;
mod services;
mod sign_in;
mod sources;
mod stack;
pub mod template;

pub use lambda::{InvocationError, InvocationResult, NoSuchFunction};
pub use local_aws::{self, ClockMode};
pub use options::{StackError, StackOptions};
pub use provision::ProvisionError;
pub use stack::Stack;
pub use test_issuer::{self, IssuerError, TestIssuer};
