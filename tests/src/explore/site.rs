//! Call sites, as seen from outside: which function calls which operation with which kind of key.

use std::fmt;

use local_aws::{SeenCall, Service};

/// All calls that differ only in ids, times and numbers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Site {
    /// The function, without the stack's name.
    pub caller: String,
    pub service: &'static str,
    pub operation: String,
    /// The key without ids: `INTERCHANGE#/HEAD`.
    pub key: String,
}

impl Site {
    /// The site of a call; `None` when no function made it.
    #[must_use]
    pub fn of(call: &SeenCall) -> Option<Self> {
        let caller = call.caller.as_deref()?;
        let key = match call.service {
            Service::DynamoDb => call.key.split('/').map(kind).collect::<Vec<_>>().join("/"),
            Service::Sqs => call.key.trim_start_matches("reprise-").to_owned(),
            Service::Scheduler => String::new(),
        };
        let caller = caller.trim_start_matches("reprise-").to_owned();
        Some(Self { caller, service: name(call.service), operation: call.operation.clone(), key })
    }
}

/// The name of a service on the command line.
pub(super) fn name(service: Service) -> &'static str {
    match service {
        Service::DynamoDb => "dynamodb",
        Service::Sqs => "sqs",
        Service::Scheduler => "scheduler",
    }
}

/// The part of a key that names the kind of item.
fn kind(part: &str) -> &str {
    let is_word = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_uppercase()) && text.chars().all(|c| c.is_ascii_uppercase() || c == '-')
    };
    match part.split_once('#') {
        Some((word, _)) if is_word(word) => &part[..=word.len()],
        None if is_word(part) => part,
        _ => "*",
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} {}", self.caller, self.service, self.operation, self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(operation: &str, key: &str) -> String {
        let call = SeenCall {
            service: Service::DynamoDb,
            operation: operation.to_owned(),
            key: key.to_owned(),
            caller: Some("reprise-run-job".to_owned()),
        };
        Site::of(&call).unwrap().key
    }

    #[test]
    fn a_site_contains_no_ids_and_no_times() {
        assert_eq!(key("GetItem", "INTERCHANGE#o-1/HEAD"), "INTERCHANGE#/HEAD");
        assert_eq!(key("Query", "SLOTS/2026-11-20T14:05:00Z"), "SLOTS/*");
        assert_eq!(key("Query", "FLOW#orders#unresolved#3/2026"), "FLOW#/*");
        assert_eq!(key("GetItem", "FLOW#orders/ACTIVE-JOB"), "FLOW#/ACTIVE-JOB");
    }
}
