//! The table against DynamoDB's stand-in in this process, through the real SDK.

#![cfg(test)]

mod bounded;
mod job_counts;
mod newest_first;
mod other_releases;
mod unstorable;
mod uploads;
mod world;
