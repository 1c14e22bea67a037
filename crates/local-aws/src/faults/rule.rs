//! A rule: which calls it matches, which of them it fires for, and what happens to those.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::arrival::Arrival;
use crate::meter::Service;

/// Which of the calls that match meet a fault. A rule fires when all of its conditions hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rule {
    /// Which calls count. A call that the fault cannot meet (see [`Fault::can_meet`]) never does.
    #[serde(default)]
    pub matches: Match,
    /// The first of them that may meet the fault, counted from 1.
    #[serde(default = "one")]
    pub first: u64,
    /// How often it fires at most; [`Rule::ALWAYS`] has no end.
    #[serde(default = "one")]
    pub times: u64,
    /// `(seed, share)`: it fires for a random share of them, from 0.0 to 1.0, which are the same ones for the same seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub one_in: Option<(u64, f64)>,
    /// It no longer fires at this instant of the clock and later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    pub fault: Fault,
}

/// Which calls a rule counts: those that agree with everything given here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Match {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<Service>,
    /// As AWS names it: `TransactWriteItems`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// What any partition key of the request, or else the name of its queue or schedule, begins with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_prefix: Option<String>,
    /// The name of the function whose process calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
}

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Fault {
    /// Refused for its rate, without effect. DynamoDB: `ProvisionedThroughputExceededException` and `ThrottlingException`
    /// in turn, and as third a cancelled transaction whose reasons say so. SQS: `RequestThrottled`. Scheduler:
    /// `ThrottlingException`.
    Throttle,
    /// Another transaction works on an item; no effect. A transaction is cancelled with `TransactionConflict` as the
    /// reason of its first action, every second time of all; a single write gets `TransactionConflictException`; of a batch
    /// of statements every other one, from the first on.
    TransactionConflict,
    /// The transaction with this token is still being worked on; no effect.
    TransactionInProgress,
    /// Every other item of a batch, from the first on, is not done and answered as unprocessed, or as a throttled statement.
    /// When nothing of it is left, batches of items are throttled as a whole, as AWS does it.
    Unprocessed,
    /// Every other entry of an SQS batch, from the first on, is not done and answered as `InternalError`, `SenderFault` false.
    PartialFailure,
    /// 500 without effect.
    ServerError,
    /// 500 after the effect.
    ServerErrorAfter,
    /// No effect and no answer, until the rules are cleared or the caller hangs up.
    Hang,
    /// The effect, but no answer, until the rules are cleared or the caller hangs up.
    HangAfter,
    /// The connection closes without an answer; no effect.
    ResetBefore,
    /// The connection closes without an answer, after the effect.
    ResetAfter,
    /// The calling function's process is killed by `SIGKILL`; no effect.
    KillBefore,
    /// The calling function's process is killed by `SIGKILL`, after the effect.
    KillAfter,
}

impl Fault {
    /// All of them.
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

    /// Whether calls of this operation can meet it. [`Fault::KillBefore`] and [`Fault::KillAfter`] also need a caller.
    #[must_use]
    pub fn can_meet(self, service: Service, operation: &str) -> bool {
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

    fn kills(self) -> bool {
        matches!(self, Self::KillBefore | Self::KillAfter)
    }
}

impl Rule {
    /// For [`Rule::times`]: it fires without end.
    pub const ALWAYS: u64 = u64::MAX;

    /// Fires once, for the first call that matches.
    #[must_use]
    pub fn new(matches: Match, fault: Fault) -> Self {
        Self { matches, first: 1, times: 1, one_in: None, until: None, fault }
    }

    pub(super) fn matches(&self, call: &Arrival) -> bool {
        let seen = &call.seen;
        let Match { service, operation, key_prefix, caller } = &self.matches;
        let able = self.fault.can_meet(seen.service, &seen.operation) && (call.caller.is_some() || !self.fault.kills());
        able && service.is_none_or(|service| service == seen.service)
            && operation.as_ref().is_none_or(|operation| *operation == seen.operation)
            && key_prefix.as_ref().is_none_or(|prefix| call.keys.iter().any(|key| key.starts_with(prefix)))
            && caller.as_ref().is_none_or(|caller| seen.caller.as_ref() == Some(caller))
    }

    /// Whether it fires for the `nth` call that matches, having fired so often.
    pub(super) fn fires(&self, nth: u64, fired: u64, now: Timestamp) -> bool {
        nth >= self.first
            && fired < self.times
            && self.until.is_none_or(|until| now < until)
            && self.one_in.is_none_or(|share| chosen(share, nth))
    }
}

pub(super) fn is_transaction(operation: &str) -> bool {
    ["TransactWriteItems", "TransactGetItems", "ExecuteTransaction"].contains(&operation)
}

/// Whether the `nth` is in the random share of a seed (`SplitMix64`).
pub(super) fn chosen((seed, share): (u64, f64), nth: u64) -> bool {
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
        let chosen_by = |seed| (1..=1_000).filter(|nth| chosen((seed, 0.5), *nth)).collect::<Vec<u64>>();
        assert!((450..=550).contains(&chosen_by(7).len()), "{}", chosen_by(7).len());
        assert_eq!(chosen_by(7), chosen_by(7));
        assert_ne!(chosen_by(7), chosen_by(8));
        assert_eq!((1..=1_000).filter(|nth| chosen((7, 0.0), *nth)).count(), 0);
    }

    #[test]
    fn a_rule_fires_from_the_first_on_and_so_many_times_and_not_after_its_end() {
        let end: Timestamp = "2026-11-20T15:00:00Z".parse().unwrap();
        let before: Timestamp = "2026-11-20T14:59:59Z".parse().unwrap();
        let rule = Rule { first: 3, times: 2, until: Some(end), ..Rule::new(Match::default(), Fault::Throttle) };
        assert!(!rule.fires(2, 0, before));
        assert!(rule.fires(3, 0, before) && rule.fires(4, 1, before));
        assert!(!rule.fires(5, 2, before));
        assert!(!rule.fires(3, 0, end));
    }
}
