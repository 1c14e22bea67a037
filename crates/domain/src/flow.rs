//! A flow's configuration, valid by construction once the contract crate has read it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::outcome::after;
use crate::{Category, ConfigProblem, FlowName, Ladder, MaskRules, Minute, Phase, Reentry, Refusal, Schedule, Unknown};

/// The queues through which interchanges re-enter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stages {
    /// Takes sender payloads.
    pub sender: Option<String>,
    /// Takes receiver payloads.
    pub receiver: Option<String>,
}

/// A stage's own dead-letter queue that feeds Reprise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetterQueue {
    /// Its ARN, as SQS names it in `DeadLetterQueueSourceArn`.
    pub arn: String,
    /// The phase in which a message in this queue has failed.
    pub phase: Phase,
}

/// Whether a pipeline tells what became of a re-entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfirmationMode {
    /// It does; silence past the deadline is a failure.
    Confirms,
    /// It does not; silence past the deadline means that it went through.
    Silent,
}

/// How long an outcome may take, and what silence means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmation {
    /// What silence means.
    pub mode: ConfirmationMode,
    /// How long an outcome may take, counted from the send.
    pub within: SignedDuration,
    /// How long an outcome may take once the attempt is in the network, counted from when it got there; `None` for no
    /// limit.
    pub in_network_within: Option<SignedDuration>,
    /// Whether an outcome of what is not known is remembered, in case that its failure comes later.
    pub early: bool,
}

impl Default for Confirmation {
    /// Confirms within 15 minutes, or within 24 hours of being in the network.
    fn default() -> Self {
        Self {
            mode: ConfirmationMode::Confirms,
            within: SignedDuration::from_mins(15),
            in_network_within: Some(SignedDuration::from_hours(24)),
            early: true,
        }
    }
}

impl Confirmation {
    /// The minute at which silence about a re-entry sent at `sent_at` is judged.
    #[must_use]
    pub fn deadline(&self, sent_at: Timestamp) -> Minute {
        Minute::at_or_after(after(sent_at, self.within))
    }

    /// The deadline for an outcome of an attempt that was in the network at `occurred_at` by the pipeline's
    /// clock; `None` if there is no limit. It counts from `now` if that clock is ahead, and is always in the future.
    #[must_use]
    pub fn in_network_deadline(&self, occurred_at: Timestamp, now: Timestamp) -> Option<Minute> {
        let deadline = after(occurred_at.min(now), self.in_network_within?);
        Some(Minute::at_or_after(deadline.max(after(now, SignedDuration::from_nanos(1)))))
    }
}

/// Who retries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryMode {
    /// People only.
    Manual,
    /// The schedule, and people.
    Automatic,
}

/// When and how failures are retried by themselves.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryPolicy {
    /// Who retries.
    pub mode: RetryMode,
    /// When.
    pub schedule: Schedule,
    /// Which errors.
    pub categories: BTreeSet<Category>,
    /// Spreads a ladder or an exponential: a delay grows by up to this share of it, 0-1.
    pub jitter: f64,
    /// The action to take, where the flow fixes one; by phase otherwise.
    pub action: Option<Reentry>,
}

impl Default for RetryPolicy {
    /// Automatic, the default ladder, every category but mapping and validation, no jitter.
    fn default() -> Self {
        Self {
            mode: RetryMode::Automatic,
            schedule: Schedule::Ladder(Ladder::default()),
            categories: [Category::System, Category::Business, Category::NoOutcome, Category::Unknown].into(),
            jitter: 0.0,
            action: None,
        }
    }
}

/// An integration flow: owns its stage queues and its retry policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Flow {
    pub name: FlowName,
    /// What people call it.
    pub display_name: Option<String>,
    /// Manual actions are refused and due retries held while it is not.
    pub active: bool,
    /// When it last became active: the anchor of hourly windows.
    pub activated_at: Timestamp,
    /// Where interchanges re-enter.
    pub stages: Stages,
    /// Queues whose dead letters belong to it.
    pub dead_letter_queues: Vec<DeadLetterQueue>,
    /// Functions whose failure records belong to it, by ARN.
    pub functions: Vec<String>,
    /// Who may report to it: unique ids of IAM roles and users, each with or without a session, and ARNs of queues. Empty for
    /// everybody who may send to the failures queue.
    pub senders: Vec<String>,
    /// What is masked in the error texts of its failures.
    pub mask: MaskRules,
    /// How outcomes are confirmed.
    pub confirmation: Confirmation,
    /// How failures are retried.
    pub retry: RetryPolicy,
    /// Policies that replace `retry` for one partner each.
    pub partners: BTreeMap<String, RetryPolicy>,
    /// Counts its configurations; 0 while it has none.
    pub version: u64,
    /// The parts of its stored configuration that this release does not understand. While there are any, nothing happens to its
    /// interchanges by itself: [`Flow::is_held`].
    pub problems: Vec<ConfigProblem>,
    /// What a later release stored in its configuration.
    pub unknown: Unknown,
}

impl Flow {
    /// A flow as its first failure registers it: active, the stack's stage queues, the default ladder.
    /// [`FlowName::unassigned`] alone is manual and has no stages until someone configures it.
    #[must_use]
    pub fn registered(name: FlowName, stages: &Stages, now: Timestamp) -> Self {
        let unassigned = name.is_unassigned();
        let mode = if unassigned { RetryMode::Manual } else { RetryMode::Automatic };
        Self {
            name,
            display_name: None,
            active: true,
            activated_at: now,
            stages: if unassigned { Stages::default() } else { stages.clone() },
            dead_letter_queues: Vec::new(),
            functions: Vec::new(),
            senders: Vec::new(),
            mask: MaskRules::default(),
            confirmation: Confirmation::default(),
            retry: RetryPolicy { mode, ..RetryPolicy::default() },
            partners: BTreeMap::new(),
            version: 0,
            problems: Vec::new(),
            unknown: Unknown::default(),
        }
    }

    /// A flow whose stored configuration cannot be read: retried by hand only, without stages and sources, and open to no
    /// report, until a new configuration is stored or a release runs that can read this one.
    #[must_use]
    pub fn unreadable(name: FlowName, version: u64, activated_at: Timestamp, problem: String) -> Self {
        let registered = Self::registered(name, &Stages::default(), activated_at);
        Self {
            retry: RetryPolicy { mode: RetryMode::Manual, ..registered.retry },
            mask: MaskRules::everything(),
            version,
            problems: vec![ConfigProblem { field: None, problem }],
            ..registered
        }
    }

    /// Whether nothing of its stored configuration can be read.
    #[must_use]
    pub fn is_unreadable(&self) -> bool {
        self.problems.iter().any(|problem| problem.field.is_none())
    }

    /// Whether this release understands all that its stored configuration says.
    #[must_use]
    pub fn is_understood(&self) -> bool {
        self.problems.is_empty()
    }

    /// Whether its automatic retries are held: it is inactive, or not understood, and a retry might do what it was not
    /// configured to do.
    #[must_use]
    pub fn is_held(&self) -> bool {
        !self.active || !self.is_understood()
    }

    /// The policy that counts for a partner: its own, or the flow's.
    #[must_use]
    pub fn retry_for(&self, partner: Option<&str>) -> &RetryPolicy {
        partner.and_then(|p| self.partners.get(p)).unwrap_or(&self.retry)
    }

    /// Whether it takes what `sender` (SQS's `SenderId`) put on a queue, and what came through the dead-letter queue of `queue`
    /// (`DeadLetterQueueSourceArn`). A queue whose dead letters belong to the flow counts as listed. If the
    /// configuration cannot be read it may have listed senders, so nothing is taken; `unassigned` takes what no flow takes.
    #[must_use]
    pub fn takes_from(&self, sender: Option<&str>, queue: Option<&str>) -> bool {
        if self.is_unreadable() {
            return self.name.is_unassigned();
        }
        // A role's sender id is its unique id, a colon and the session.
        let is_sender = |listed: &str| {
            let rest = sender.and_then(|sender| sender.strip_prefix(listed));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
        };
        let feeds = || self.dead_letter_queues.iter().any(|listed| Some(listed.arn.as_str()) == queue);
        let listed = |entry: &String| is_sender(entry) || Some(entry.as_str()) == queue;
        self.senders.is_empty() || self.senders.iter().any(listed) || feeds()
    }

    /// The queue a re-entry goes to.
    #[must_use]
    pub fn stage(&self, action: Reentry) -> Option<&str> {
        match action {
            Reentry::Retry => self.stages.receiver.as_deref(),
            Reentry::Restart => self.stages.sender.as_deref(),
        }
    }

    /// The queue a re-entry goes to, or why there is none.
    ///
    /// # Errors
    /// `StageNotConfigured`; `StageNotUnderstood` where its stored configuration may name a stage of a kind that this
    /// release does not have.
    pub fn stage_queue(&self, action: Reentry) -> Result<&str, Refusal> {
        let side = action.side();
        let is_stage = |field: &Option<String>| field.as_ref().is_none_or(|field| field.starts_with("stages"));
        let may_have_one = self.problems.iter().any(|problem| is_stage(&problem.field));
        self.stage(action).ok_or(match may_have_one {
            true => Refusal::StageNotUnderstood { side },
            false => Refusal::StageNotConfigured { side },
        })
    }

    /// Whether the stage of `action` is a FIFO queue, which keeps the order within a group.
    #[must_use]
    pub fn keeps_order_at(&self, action: Reentry) -> bool {
        self.stage(action).is_some_and(|queue_url| queue_url.ends_with(".fifo"))
    }

    /// Whether any of its stages is a FIFO queue.
    #[must_use]
    pub fn keeps_order(&self) -> bool {
        [Reentry::Retry, Reentry::Restart].into_iter().any(|action| self.keeps_order_at(action))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUEUE: &str = "arn:aws:sqs:eu-west-1:000000000000:orders";
    const STAGE: &str = "arn:aws:sqs:eu-west-1:000000000000:orders-stage";

    fn flow(senders: &[&str]) -> Flow {
        let name = FlowName::new("orders").unwrap();
        let mut flow = Flow::registered(name, &Stages::default(), Timestamp::UNIX_EPOCH);
        flow.senders = senders.iter().map(|&sender| sender.to_owned()).collect();
        flow.dead_letter_queues = vec![DeadLetterQueue { arn: QUEUE.to_owned(), phase: Phase::Delivery }];
        flow
    }

    #[test]
    fn a_flow_that_lists_senders_takes_what_they_sent_and_what_came_through_its_queues() {
        let all = flow(&["AROAORDERS", "AROAMAPPING:mapper", "AIDAALICE", STAGE]);
        for (sender, queue, takes) in [
            (Some("AROAORDERS:i-0123"), None, true),
            (Some("AROAORDERS"), None, true),
            (Some("AROAORDERSX:i-0123"), None, false),
            (Some("AROAMAPPING:mapper"), None, true),
            (Some("AROAMAPPING:mapper2"), None, false),
            (Some("AROAMAPPING"), None, false),
            (Some("AIDAALICE"), None, true),
            (Some("000000000000"), None, false),
            (Some("AROAOTHER:x"), Some(STAGE), true),
            (Some("AROAOTHER:x"), Some(QUEUE), true),
            (Some("AROAOTHER:x"), Some("arn:aws:sqs:eu-west-1:000000000000:other"), false),
            (Some("AROAORDERS:x"), Some("arn:aws:sqs:eu-west-1:000000000000:other"), true),
            (None, None, false),
            (None, Some(QUEUE), true),
        ] {
            assert_eq!(all.takes_from(sender, queue), takes, "{sender:?} {queue:?}");
        }
    }

    #[test]
    fn a_flow_whose_configuration_cannot_be_read_takes_nothing() {
        let unreadable = |name: FlowName| Flow::unreadable(name, 1, Timestamp::UNIX_EPOCH, "is not JSON".to_owned());
        let orders = unreadable(FlowName::new("orders").unwrap());
        assert!(!orders.takes_from(Some("AROAORDERS:i-0123"), None));
        assert!(!orders.takes_from(None, Some(QUEUE)));
        assert!(unreadable(FlowName::unassigned()).takes_from(Some("AROAORDERS:i-0123"), None));
    }

    #[test]
    fn a_flow_that_lists_nobody_takes_what_anybody_sent() {
        assert!(flow(&[]).takes_from(None, None));
        assert!(flow(&[]).takes_from(Some("AROAOTHER:x"), None));
    }
}
