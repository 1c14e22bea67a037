//! What a harness has seen and done, which the invariants are held against.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use local_aws::{Fault, Fired, Service};

use crate::Answer;

/// Everything that is known from outside about one history.
#[derive(Debug, Default)]
pub struct Evidence {
    /// Outcomes that the failures queue took, once each.
    pub reported: BTreeSet<(String, u32, Outcome)>,
    /// The flow of every interchange that failed.
    pub flow_of: BTreeMap<String, String>,
    /// Messages that were on a stage queue, in the order in which they were received there.
    pub seen: Vec<Sighting>,
    /// Ids in the order in which they must be met on a FIFO stage, by message group.
    pub order: BTreeMap<String, Vec<String>>,
    /// Answers of 5xx that the API gave.
    pub errors: Vec<Answer>,
    /// What may explain repeats.
    pub disturbances: Disturbances,
}

/// What a pipeline reports.
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

/// A message that was on a stage queue.
#[derive(Debug, Clone)]
pub struct Sighting {
    /// The interchange.
    pub id: String,
    pub attempt: u32,
    /// `MessageGroupId`, on a FIFO queue.
    pub group: Option<String>,
    /// When SQS took it.
    pub sent_at: Timestamp,
}

/// How often something happened after which a message may be sent again, or an event of Scheduler be given up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Disturbances {
    /// Functions that were killed.
    pub kills: usize,
    /// Calls to SQS that took effect and whose answers were lost.
    pub lost_answers: usize,
    /// Faults that scheduled-retry met.
    pub of_schedules: usize,
}

impl Disturbances {
    /// Messages that a killed worker may have claimed and not finished.
    const REPEATS_PER_KILL: usize = 100;
    /// Messages of one SQS call.
    const REPEATS_PER_LOST_ANSWER: usize = 10;

    /// How often Scheduler has an event carried out before it is a dead letter: `RetryPolicy` of the template.
    const TRIES_OF_A_SCHEDULE: usize = 4;

    /// What these faults count as.
    #[must_use]
    pub fn of(fired: &[Fired]) -> Self {
        let lost = [Fault::ServerErrorAfter, Fault::HangAfter, Fault::ResetAfter];
        let kills = fired.iter().filter(|it| [Fault::KillBefore, Fault::KillAfter].contains(&it.fault));
        let lost_answers = fired.iter().filter(|it| it.call.service == Service::Sqs && lost.contains(&it.fault));
        let of_schedules = fired.iter().filter(|it| it.call.caller.as_deref() == Some("reprise-scheduled-retry"));
        Self { kills: kills.count(), lost_answers: lost_answers.count(), of_schedules: of_schedules.count() }
    }

    /// How many events Scheduler may have given up. They are told to people, and the next sweep does what they were for.
    #[must_use]
    pub fn dead_schedules(self) -> usize {
        self.of_schedules / Self::TRIES_OF_A_SCHEDULE
    }

    /// How many messages may be on a stage more than once.
    #[must_use]
    pub fn repeats(self) -> usize {
        self.kills * Self::REPEATS_PER_KILL + self.lost_answers * Self::REPEATS_PER_LOST_ANSWER
    }
}

impl Evidence {
    /// The flows that had failures.
    pub fn flows(&self) -> BTreeSet<&str> {
        self.flow_of.values().map(String::as_str).collect()
    }

    /// Notes a report that the failures queue took.
    pub fn reports(&mut self, id: &str, flow: &str, attempt: u32, outcome: Outcome) {
        if outcome == Outcome::Failed {
            self.flow_of.insert(id.to_owned(), flow.to_owned());
        }
        self.reported.insert((id.to_owned(), attempt, outcome));
    }

    /// How often a message was on a stage, by id and attempt.
    pub(crate) fn sightings(&self) -> BTreeMap<(&str, u32), Vec<Timestamp>> {
        let mut sightings: BTreeMap<(&str, u32), Vec<Timestamp>> = BTreeMap::new();
        for seen in &self.seen {
            sightings.entry((&seen.id, seen.attempt)).or_default().push(seen.sent_at);
        }
        sightings
    }
}
