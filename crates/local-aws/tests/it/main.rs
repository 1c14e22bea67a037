//! Tests the endpoint with the real SDKs over real sockets, with a frozen clock.

mod clock;
mod dynamodb;
mod faults;
mod fifo;
mod fixture;
mod meter;
mod persistence;
mod protocol;
mod queues;
mod receiving;
mod redrive;
mod schedules;
mod sending;
mod targets;
