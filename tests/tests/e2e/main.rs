//! Reprise from outside: what its users do, against the whole stack.

#![cfg(test)]

mod careful_jobs;
mod chaos;
mod costs;
mod crash;
mod intake;
mod jobs;
mod outcomes;
mod paging;
mod payloads;
mod refusals;
mod schedule;
mod slots;
mod windows;
