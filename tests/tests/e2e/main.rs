//! Reprise from outside: what its users do, against the whole stack.

mod intake;
mod outcomes;
mod payloads;
mod refusals;
mod schedule;
mod windows;
