//! Tests of the stack with a test function: the Runtime API, the event sources, the HTTP API, start and stop.

#![expect(clippy::unwrap_used, reason = "clippy knows test functions, but not the functions they share")]

mod cli;
mod functions;
mod gateway;
mod sources;
mod stopping;
mod support;
