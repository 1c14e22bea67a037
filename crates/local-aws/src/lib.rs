//! AWS on this machine, in this process: DynamoDB, SQS and EventBridge Scheduler behind one address, with a clock that
//! can be moved. Everything the stack and its tests do against AWS they do against this, with the real SDKs; it must
//! refuse what AWS refuses, and never know anything about Reprise.

mod advance;
mod aws;
mod clock;
mod duration;
mod dynamodb;
mod faults;
mod http;
mod invoke;
mod meter;
mod names;
mod scheduler;
mod sqs;
mod store;

pub use advance::AdvanceError;
pub use aws::{Aws, Options, StartError};
pub use clock::{Clock, ClockError, ClockMode};
pub use duration::{DurationError, parse_duration};
pub use faults::{Again, Caller, Fault, Faults, Fired, Match, PlacedRule, Recording, Redelivery, Rule, SeenCall};
pub use invoke::{Invoke, InvokeError};
pub use meter::{Call, Meter, Service, Write, round_trips};
pub use names::{ACCOUNT, REGION, group_arn, queue_arn, queue_of_arn, schedule_arn};
pub use scheduler::{Scheduler, SchedulerError};
pub use sqs::{Attribute, AttributeValue, Message, Sqs, SqsError};

pub use dynoxide;
