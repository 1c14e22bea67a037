//! Log lines, metrics and traces. Every `World` checks when it is dropped that its log contains no payload and no token. The
//! tests in `secrets` show that this check works.

mod lines;
mod metrics;
mod secrets;
mod traces;
