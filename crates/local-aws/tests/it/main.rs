//! The endpoint as its users see it: the real SDKs over a real socket, with a clock that stands still until it is moved.

mod clock;
mod dynamodb;
mod faults;
mod fifo;
mod here;
mod meter;
mod persistence;
mod protocol;
mod queues;
mod receiving;
mod redrive;
mod schedules;
mod sending;
mod targets;
