//! The harness of the end-to-end tests: the whole stack on this machine with its production binaries in processes of
//! their own, and clients that use only the public contracts. Tests move the clock.

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
pub use process::{Process, ProcessExit};
pub use queues::{REFUSED_WORK, binary_attribute, text_attribute};
pub use samples::{Sample, noise, samples};
pub use stage::StageMessage;
pub use world::{FAILURES, RECEIVER_STAGE, SENDER_STAGE, START, World, report};
