//! Emulates AWS in this process: DynamoDB, SQS and EventBridge Scheduler behind one address, with a movable clock. The
//! local stack and the tests use it through the real SDKs. It must refuse what AWS refuses, and must not depend on Reprise.

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
mod proxy;
mod scheduler;
mod services;
mod sqs;
mod start_error;
mod store;

pub use advance::AdvanceError;
pub use aws::{Aws, Options};
pub use clock::{Clock, ClockError, ClockMode};
pub use duration::{DurationError, parse_duration};
pub use faults::{
    ActiveRule, Caller, Fault, Faults, Fired, Match, Recording, Redelivery, RedeliveryKind, Rule, SeenCall,
};
pub use invoke::{Invoke, InvokeError};
pub use meter::{Call, Meter, Service, Write, round_trips};
pub use names::{ACCOUNT, REGION, group_arn, queue_arn, queue_of_arn, schedule_arn};
pub use scheduler::{Scheduler, SchedulerError};
pub use sqs::{Attribute, AttributeValue, Message, Sqs, SqsError};
pub use start_error::StartError;

pub use dynoxide;
