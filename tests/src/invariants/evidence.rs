//! The evidence: everything that the harness sent and received. The invariants compare it with the stack.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use local_aws::{Fault, Fired, Service};

use crate::Answer;

/// What is known about one history from outside.
#[derive(Debug, Default)]
pub struct Evidence {
    /// Reports that the failures queue accepted, once each.
    pub reported: BTreeSet<(String, u32, Outcome)>,
    /// The flow of each interchange that failed.
    pub flow_of: BTreeMap<String, String>,
    /// Messages that were received from stage queues, in order.
    pub seen: Vec<Sighting>,
    /// The order in which ids must arrive on a FIFO stage, by message group.
    pub order: BTreeMap<String, Vec<String>>,
    /// The 5xx responses of the API.
    pub errors: Vec<Answer>,
    /// Faults that justify repeated messages.
    pub disturbances: Disturbances,
}

/// The outcome in a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    Failed,
    InNetwork,
    Completed,
}

impl Outcome {
    /// The `type` of its report.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::Failed => "interchange.failed",
            Self::InNetwork => "interchange.in_network",
            Self::Completed => "interchange.completed",
        }
    }
}

/// A message that was received from a stage queue.
#[derive(Debug, Clone)]
pub struct Sighting {
    pub id: String,
    pub attempt: u32,
    /// `MessageGroupId`, on a FIFO queue.
    pub group: Option<String>,
    /// When SQS accepted it.
    pub sent_at: Timestamp,
}

/// Counts of faults after which a message may be sent again, or Scheduler may give up an event.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Disturbances {
    /// Functions that were killed.
    pub kills: usize,
    /// Calls to SQS that took effect although their responses were lost.
    pub lost_answers: usize,
    /// Faults in calls of scheduled-retry.
    pub of_schedules: usize,
}

impl Disturbances {
    /// Messages that a killed worker may have claimed and not finished.
    const REPEATS_PER_KILL: usize = 100;
    /// Messages of one SQS call.
    const REPEATS_PER_LOST_ANSWER: usize = 10;

    /// How often Scheduler tries an event before it becomes a dead letter: `RetryPolicy` in the template.
    const TRIES_OF_A_SCHEDULE: usize = 4;

    /// Counts these faults.
    #[must_use]
    pub fn of(fired: &[Fired]) -> Self {
        let lost = [Fault::ServerErrorAfter, Fault::HangAfter, Fault::ResetAfter];
        let kills = fired.iter().filter(|it| [Fault::KillBefore, Fault::KillAfter].contains(&it.fault));
        let lost_answers = fired.iter().filter(|it| it.call.service == Service::Sqs && lost.contains(&it.fault));
        let of_schedules = fired.iter().filter(|it| it.call.caller.as_deref() == Some("reprise-scheduled-retry"));
        Self { kills: kills.count(), lost_answers: lost_answers.count(), of_schedules: of_schedules.count() }
    }

    /// How many events Scheduler may have given up. They raise an alarm, and the next sweep does their work.
    #[must_use]
    pub fn dead_schedules(self) -> usize {
        self.of_schedules / Self::TRIES_OF_A_SCHEDULE
    }

    /// How many repeated messages are allowed on the stages.
    #[must_use]
    pub fn repeats(self) -> usize {
        self.kills * Self::REPEATS_PER_KILL + self.lost_answers * Self::REPEATS_PER_LOST_ANSWER
    }
}

impl Evidence {
    /// The flows with failures.
    pub fn flows(&self) -> BTreeSet<&str> {
        self.flow_of.values().map(String::as_str).collect()
    }

    /// Records a report that the failures queue accepted.
    pub fn record_report(&mut self, id: &str, flow: &str, attempt: u32, outcome: Outcome) {
        if outcome == Outcome::Failed {
            self.flow_of.insert(id.to_owned(), flow.to_owned());
        }
        self.reported.insert((id.to_owned(), attempt, outcome));
    }

    /// When each message was sent to a stage, by id and attempt.
    pub(crate) fn sightings(&self) -> BTreeMap<(&str, u32), Vec<Timestamp>> {
        let mut sightings: BTreeMap<(&str, u32), Vec<Timestamp>> = BTreeMap::new();
        for seen in &self.seen {
            sightings.entry((&seen.id, seen.attempt)).or_default().push(seen.sent_at);
        }
        sightings
    }
}
