//! A model of the protocol by which a unit of work (a chunk of a job, a batch of a slot) is claimed and sent, checked exhaustively with
//! [stateright](https://docs.rs/stateright).
//!
//! The model holds one unit with three members, the copies of its work item, and two workers. A worker receives the work item, takes the
//! lease, loads the heads, claims each member, sends each message, records the send and acknowledges. The checker tries every order of
//! steps, with faults between any two of them: a worker dies, a call fails without effect, a call takes effect but its answer is lost, a
//! work item is delivered twice or is lost, another writer changes a head. Each [`worker::Step`] and [`protocol::Action`] names the
//! function that it stands for. When one of these functions changes, its step must change as well.
//!
//! What is checked ([`properties`], [`ending`]):
//!
//! - Nothing is completed by silence that was not on the stage.
//! - When the send is recorded, every claimed member is on the stage.
//! - A message is sent again at most once per crash and lost answer. So without them it is sent once.
//! - At most one living worker acts on the lease.
//! - Once faults stop, every claimed member is on the stage, the send is recorded and all work items are gone.
//!
//! With one rule switched off, the checker must find the defect that the rule prevents: the recorded send, the lease, its length, its expiry,
//! the record of unsent members, the re-queue at a deadline.
//!
//! Simplifications, each of which allows more histories than the real system unless it says otherwise:
//!
//! - A tick is an abstract unit of time. A worker lives for one tick at most, two clocks agree or differ by two, a lease lasts three.
//! - A delay on the queue may have any length, zero included. There is no limit on receives: a move to the dead-letter queue is a lost
//!   work item.
//! - A work item can be lost once. If that happens before any claim, the model regards the unit as done: the sweep that finds chunks
//!   without a work item is not part of it.
//! - A request that takes effect after its worker died counts as sent before the death.
//! - A release that fails counts as a crash, so it may cause repeats as a crash does.
//! - Not covered: renewal of a lease, the order within FIFO groups, explicit refusals by SQS, reported outcomes, two units that claim the
//!   same interchange.
//!
//! The six sets of faults have about 870,000 states, which take 18 s of CPU time without optimisation. More members, ticks or faults at
//! once multiply them.

#![cfg(test)]

mod checks;
mod ending;
mod properties;
mod protocol;
mod state;
mod worker;
