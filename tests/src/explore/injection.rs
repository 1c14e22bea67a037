//! Faults and redeliveries, with a text form for the command line: `run-job/dynamodb/TransactWriteItems/3,reset-after,some`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use local_aws::{Fault, Faults, Match, Redelivery, RedeliveryKind, Rule, Service};

use super::site::name;

/// Calls in a row that fail with [`Dose::Repeated`]: more than any caller makes before it gives up.
const REPEATED_CALLS: u64 = 5;

/// Calls that fail with [`Dose::Minutes`] at most. Each takes real time, with the pauses between repeats.
const MAX_LASTING_CALLS: u64 = 60;

/// Something that goes wrong in a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Injection {
    /// A call fails in this way.
    Fault(Call, Fault, Dose),
    /// Messages of one of the stack's own queues are delivered twice or late.
    Redelivery { queue: &'static str, again: RedeliveryKind, after: Duration },
}

/// The n-th call of an operation by a function, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Call {
    /// The function, without the stack's name.
    pub caller: String,
    pub service: Service,
    pub operation: String,
    pub nth: u64,
}

/// How many calls a fault affects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dose {
    /// One call.
    Once,
    /// Calls in a row, more than an SDK makes before it gives up. Typed as `some`.
    Repeated,
    /// Every call for so many minutes of the stack's clock, at most 60 calls.
    Minutes(u32),
}

impl Injection {
    /// Registers the fault or the redelivery.
    pub(super) fn arm(&self, faults: &Faults, now: Timestamp) {
        match self {
            Self::Fault(call, fault, dose) => {
                let matches = Match {
                    service: Some(call.service),
                    operation: Some(call.operation.clone()),
                    key_prefix: None,
                    caller: Some(format!("reprise-{}", call.caller)),
                };
                let mut rule = Rule { first: call.nth, ..Rule::new(matches, *fault) };
                match dose {
                    Dose::Once => {}
                    Dose::Repeated => rule.times = REPEATED_CALLS,
                    Dose::Minutes(minutes) => {
                        rule.times = MAX_LASTING_CALLS;
                        rule.until = now.checked_add(SignedDuration::from_mins((*minutes).into())).ok();
                    }
                }
                faults.add(rule);
            }
            Self::Redelivery { queue, again, after } => {
                let queue = format!("reprise-{queue}");
                faults.redeliver(Redelivery { queue, kind: *again, after: *after, one_in: None });
            }
        }
    }

    /// The kind of the fault or redelivery, as it is typed.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Fault(_, fault, _) => fault_name(*fault),
            Self::Redelivery { again, .. } => redelivery_name(*again),
        }
    }
}

/// The names of the faults on the command line.
const FAULT_NAMES: [(Fault, &str); 13] = [
    (Fault::Throttle, "throttle"),
    (Fault::TransactionConflict, "transaction-conflict"),
    (Fault::TransactionInProgress, "transaction-in-progress"),
    (Fault::Unprocessed, "unprocessed"),
    (Fault::PartialFailure, "partial-failure"),
    (Fault::ServerError, "server-error"),
    (Fault::ServerErrorAfter, "server-error-after"),
    (Fault::Hang, "hang"),
    (Fault::HangAfter, "hang-after"),
    (Fault::ResetBefore, "reset-before"),
    (Fault::ResetAfter, "reset-after"),
    (Fault::KillBefore, "kill-before"),
    (Fault::KillAfter, "kill-after"),
];

/// The names of the redeliveries on the command line.
const REDELIVERY_NAMES: [(RedeliveryKind, &str); 3] = [
    (RedeliveryKind::WhileInFlight, "while-in-flight"),
    (RedeliveryKind::AfterDelete, "after-delete"),
    (RedeliveryKind::Late, "late"),
];

/// The queues whose messages may be delivered twice or late.
pub(super) const QUEUES: [&str; 2] = ["failures", "jobs"];

pub(super) fn fault_name(fault: Fault) -> &'static str {
    FAULT_NAMES.iter().find(|(it, _)| *it == fault).map_or("", |(_, word)| word)
}

fn redelivery_name(again: RedeliveryKind) -> &'static str {
    REDELIVERY_NAMES.iter().find(|(it, _)| *it == again).map_or("", |(_, word)| word)
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}/{}", self.caller, name(self.service), self.operation, self.nth)
    }
}

impl fmt::Display for Dose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Once => f.write_str("once"),
            Self::Repeated => f.write_str("some"),
            Self::Minutes(minutes) => write!(f, "{minutes}m"),
        }
    }
}

impl fmt::Display for Injection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fault(call, fault, dose) => write!(f, "{call},{},{dose}", fault_name(*fault)),
            Self::Redelivery { queue, again, after } => {
                write!(f, "{queue},{},{}s", redelivery_name(*again), after.as_secs())
            }
        }
    }
}

/// The text does not describe an injection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseInjectionError(String);

impl fmt::Display for ParseInjectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is not valid; examples: run-job/dynamodb/GetItem/2,reset-after,once and jobs,after-delete,60s",
            self.0
        )
    }
}

impl std::error::Error for ParseInjectionError {}

impl FromStr for Injection {
    type Err = ParseInjectionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.split(',').collect();
        let read = match &parts[..] {
            [call, fault, dose] if call.contains('/') => read_fault(call, fault, dose),
            [queue, again, after] => read_redelivery(queue, again, after),
            _ => None,
        };
        read.ok_or_else(|| ParseInjectionError(text.to_owned()))
    }
}

fn read_fault(call: &str, fault: &str, dose: &str) -> Option<Injection> {
    let parts: Vec<&str> = call.split('/').collect();
    let [caller, service, operation, nth] = parts[..] else { return None };
    let services = [Service::DynamoDb, Service::Sqs, Service::Scheduler];
    let service = services.into_iter().find(|it| name(*it) == service)?;
    let (fault, _) = *FAULT_NAMES.iter().find(|(_, word)| *word == fault)?;
    let dose = match dose {
        "once" => Dose::Once,
        "some" => Dose::Repeated,
        minutes => Dose::Minutes(minutes.strip_suffix('m')?.parse().ok()?),
    };
    let call = Call { caller: caller.to_owned(), service, operation: operation.to_owned(), nth: nth.parse().ok()? };
    Some(Injection::Fault(call, fault, dose))
}

fn read_redelivery(queue: &str, again: &str, after: &str) -> Option<Injection> {
    let queue = QUEUES.into_iter().find(|it| *it == queue)?;
    let (again, _) = *REDELIVERY_NAMES.iter().find(|(_, word)| *word == again)?;
    let after = Duration::from_secs(after.strip_suffix('s')?.parse().ok()?);
    Some(Injection::Redelivery { queue, again, after })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_injection_can_be_parsed() {
        for text in [
            "run-job/dynamodb/TransactWriteItems/3,reset-after,some",
            "retry/sqs/SendMessage/1,hang,once",
            "ingest-failure/scheduler/CreateSchedule/1,server-error,20m",
            "jobs,after-delete,60s",
        ] {
            assert_eq!(text.parse::<Injection>().unwrap().to_string(), text);
        }
        assert!("jobs".parse::<Injection>().is_err());
        assert!("run-job/dynamodb/GetItem/2,lunch,once".parse::<Injection>().is_err());
    }
}
