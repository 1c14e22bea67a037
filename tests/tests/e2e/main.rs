//! Reprise from outside: what its users do, against the whole stack.

#![cfg(test)]

mod access;
mod bounds;
mod careful_jobs;
mod chaos;
mod costs;
mod crash;
mod epochs;
mod erase;
mod faults;
mod fifo;
mod flow_times;
mod intake;
mod jobs;
mod large;
mod nothing_lost;
mod nothing_twice;
mod observability;
mod other_releases;
mod outcomes;
mod own_queues;
mod paging;
mod payloads;
mod preview;
mod refusals;
mod reports;
mod retention;
mod schedule;
mod senders;
mod slots;
mod windows;
