//! The rules of fault injection: which calls match, for which of them the rule fires, and with which fault.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::incoming_call::IncomingCall;
use crate::meter::Service;

/// A rule of fault injection. It fires for a matching call if all of its conditions are met.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rule {
    /// Which calls match. A call to which the fault does not apply (see [`Fault::applies_to`]) never matches.
    #[serde(default)]
    pub matches: Match,
    /// The first matching call for which the rule may fire, counted from 1.
    #[serde(default = "one")]
    pub first: u64,
    /// The maximum number of times it fires; [`Rule::ALWAYS`] is unlimited.
    #[serde(default = "one")]
    pub times: u64,
    /// `(seed, share)`: it fires for a random share of the matching calls, from 0.0 to 1.0. The same seed selects the same calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub one_in: Option<(u64, f64)>,
    /// The rule fires only before this time of the clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    pub fault: Fault,
}

/// The conditions for a call to match a rule. All that are given must be met.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Match {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<Service>,
    /// The name of the operation, as in AWS's API: `TransactWriteItems`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// The prefix of at least one partition key of the request, or of the name of its queue or schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_prefix: Option<String>,
    /// The name of the function whose process calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
}

/// The effect of a fault on a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Fault {
    /// Throttled; the call has no effect. DynamoDB alternates between `ProvisionedThroughputExceededException` and
    /// `ThrottlingException`, and every third time cancels a transaction with `ThrottlingError`. SQS: `RequestThrottled`.
    /// Scheduler: `ThrottlingException`.
    Throttle,
    /// A conflict with another transaction; the call has no effect. A transaction is cancelled with the reason
    /// `TransactionConflict` for its first action, and every second time for all actions. A single write gets
    /// `TransactionConflictException`. In a batch of statements, every other statement fails, beginning with the first.
    TransactionConflict,
    /// The transaction with this token is still in progress; the call has no effect.
    TransactionInProgress,
    /// Every other item of a batch, beginning with the first, has no effect and is returned as unprocessed, or as a throttled
    /// statement. If this leaves no item of a batch of items, the whole batch is throttled, as AWS does.
    Unprocessed,
    /// Every other entry of an SQS batch, beginning with the first, has no effect and fails with `InternalError`, `SenderFault`
    /// false.
    PartialFailure,
    /// Status 500 without effect.
    ServerError,
    /// Status 500 after the effect.
    ServerErrorAfter,
    /// No effect and no response, until the rules are cleared or the caller closes the connection.
    Hang,
    /// The effect but no response, until the rules are cleared or the caller closes the connection.
    HangAfter,
    /// The connection closes without a response and without effect.
    ResetBefore,
    /// The connection closes without a response, after the effect.
    ResetAfter,
    /// The calling function's process is killed by `SIGKILL`, without effect.
    KillBefore,
    /// The calling function's process is killed by `SIGKILL`, after the effect.
    KillAfter,
}

impl Fault {
    /// All faults.
    pub const ALL: [Self; 13] = [
        Self::Throttle,
        Self::TransactionConflict,
        Self::TransactionInProgress,
        Self::Unprocessed,
        Self::PartialFailure,
        Self::ServerError,
        Self::ServerErrorAfter,
        Self::Hang,
        Self::HangAfter,
        Self::ResetBefore,
        Self::ResetAfter,
        Self::KillBefore,
        Self::KillAfter,
    ];

    /// Whether the fault is possible for this operation. [`Fault::KillBefore`] and [`Fault::KillAfter`] also need a caller.
    #[must_use]
    pub fn applies_to(self, service: Service, operation: &str) -> bool {
        let dynamodb = service == Service::DynamoDb;
        match self {
            Self::TransactionConflict => {
                let writes = ["PutItem", "UpdateItem", "DeleteItem", "ExecuteStatement", "BatchExecuteStatement"];
                dynamodb && (writes.contains(&operation) || is_transaction(operation))
            }
            Self::TransactionInProgress => {
                dynamodb && ["TransactWriteItems", "ExecuteTransaction"].contains(&operation)
            }
            Self::Unprocessed => {
                dynamodb && ["BatchGetItem", "BatchWriteItem", "BatchExecuteStatement"].contains(&operation)
            }
            Self::PartialFailure => service == Service::Sqs && operation.ends_with("Batch"),
            _ => true,
        }
    }

    fn kills_caller(self) -> bool {
        matches!(self, Self::KillBefore | Self::KillAfter)
    }
}

impl Rule {
    /// The value of [`Rule::times`] for a rule without a limit.
    pub const ALWAYS: u64 = u64::MAX;

    /// A rule that fires once, for the first matching call.
    #[must_use]
    pub fn new(matches: Match, fault: Fault) -> Self {
        Self { matches, first: 1, times: 1, one_in: None, until: None, fault }
    }

    pub(super) fn matches(&self, call: &IncomingCall) -> bool {
        let seen = &call.seen;
        let Match { service, operation, key_prefix, caller } = &self.matches;
        let able = self.fault.applies_to(seen.service, &seen.operation)
            && (call.caller.is_some() || !self.fault.kills_caller());
        able && service.is_none_or(|service| service == seen.service)
            && operation.as_ref().is_none_or(|operation| *operation == seen.operation)
            && key_prefix.as_ref().is_none_or(|prefix| call.keys.iter().any(|key| key.starts_with(prefix)))
            && caller.as_ref().is_none_or(|caller| seen.caller.as_ref() == Some(caller))
    }

    /// Whether it fires for the `nth` matching call, after it fired `fired` times.
    pub(super) fn fires(&self, nth: u64, fired: u64, now: Timestamp) -> bool {
        nth >= self.first
            && fired < self.times
            && self.until.is_none_or(|until| now < until)
            && self.one_in.is_none_or(|share| is_selected(share, nth))
    }
}

pub(crate) fn is_transaction(operation: &str) -> bool {
    ["TransactWriteItems", "TransactGetItems", "ExecuteTransaction"].contains(&operation)
}

/// Whether the `nth` element is in the random share of a seed (`SplitMix64`).
pub(super) fn is_selected((seed, share): (u64, f64), nth: u64) -> bool {
    let mut bits = seed.wrapping_add(nth.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^= bits >> 31;
    // 32 bits fit a double exactly.
    let roll = f64::from(u32::try_from(bits >> 32).unwrap_or_default()) / f64::from(u32::MAX);
    roll < share
}

fn one() -> u64 {
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_half_is_about_half_and_the_same_for_the_same_seed() {
        let selected_by = |seed| (1..=1_000).filter(|nth| is_selected((seed, 0.5), *nth)).collect::<Vec<u64>>();
        assert!((450..=550).contains(&selected_by(7).len()), "{}", selected_by(7).len());
        assert_eq!(selected_by(7), selected_by(7));
        assert_ne!(selected_by(7), selected_by(8));
        assert_eq!((1..=1_000).filter(|nth| is_selected((7, 0.0), *nth)).count(), 0);
    }

    #[test]
    fn a_rule_fires_from_first_on_at_most_times_times_and_only_before_until() {
        let end: Timestamp = "2026-11-20T15:00:00Z".parse().unwrap();
        let before: Timestamp = "2026-11-20T14:59:59Z".parse().unwrap();
        let rule = Rule { first: 3, times: 2, until: Some(end), ..Rule::new(Match::default(), Fault::Throttle) };
        assert!(!rule.fires(2, 0, before));
        assert!(rule.fires(3, 0, before) && rule.fires(4, 1, before));
        assert!(!rule.fires(5, 2, before));
        assert!(!rule.fires(3, 0, end));
    }
}
