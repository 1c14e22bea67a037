//! The stack with a specimen of a function: the Runtime API, the event sources, the HTTP API, starting and stopping.

mod functions;
mod gateway;
mod sources;
mod stopping;
mod support;
