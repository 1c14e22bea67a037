//! End-to-end tests: what users and pipelines do, against the whole stack.

#![cfg(test)]

mod access;
mod chaos;
mod costs;
mod crash;
mod duplicates;
mod epochs;
mod erase;
mod faults;
mod fifo;
mod flow_times;
mod intake;
mod job_controls;
mod jobs;
mod large;
mod observability;
mod other_releases;
mod outages;
mod outcomes;
mod own_queues;
mod paging;
mod payloads;
mod preview;
mod refusals;
mod reports;
mod resource_limits;
mod retention;
mod schedule;
mod senders;
mod slots;
mod windows;
