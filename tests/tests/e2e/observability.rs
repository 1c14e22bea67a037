//! What operators see of it: log lines, metrics, traces. That no payload and no token is in the log is asserted where any
//! world ends; here is the proof that it would be found.

mod lines;
mod metrics;
mod secrets;
mod traces;
