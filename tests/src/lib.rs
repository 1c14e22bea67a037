//! What the end-to-end tests stand on: the whole stack on this machine, its production binaries in their own
//! processes, and outside clients that use nothing but the public contracts. Time moves by hand.

mod answer;
mod batch;
mod binaries;
pub mod explore;
mod guarded;
pub mod invariants;
mod large;
mod log;
mod memory;
mod process;
mod queues;
pub mod releases;
mod samples;
mod stage;
mod work;
mod world;

pub use answer::Answer;
pub use log::{Log, metrics};
pub use process::{Ended, Process};
pub use queues::{REFUSED_WORK, binary_attribute, text_attribute};
pub use samples::{Sample, noise, samples};
pub use stage::Staged;
pub use world::{FAILURES, RECEIVER_STAGE, SENDER_STAGE, START, World, report};
