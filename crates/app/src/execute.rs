//! The one executor of re-entries and deletions: claim, commit, then send. After a crash in between, the same work
//! finds its own claim and sends again: same id, same attempt, no new event.

use std::collections::BTreeMap;

use domain::{Actor, Change, Claim, Interchange, InterchangeId, SendFailure, Timestamp};
use queues::{Delivery, StageQueues};
use table::{Committed, Table, Work};

use crate::error::TRIES;
use crate::stage_message::{message, wanted};
use crate::{AppError, Slots, journal};

/// Payload bytes held in memory at a time.
const MOST_BYTES: u64 = 24 * 1024 * 1024;

/// What to do about one interchange as it stands now.
#[derive(Debug)]
pub(crate) enum Decision {
    /// Commit this, and send what it releases.
    Commit(Box<Change>),
    /// This very work took it before: do again what follows from that, be it to send it or to remove its payloads.
    Resume,
    /// Leave it alone, for this reason.
    Skip(&'static str),
}

/// What came of a list of interchanges.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Left alone, and why.
    pub(crate) skipped: Vec<(InterchangeId, &'static str)>,
    /// As they stand now, those that were changed.
    pub(crate) changed: Vec<Interchange>,
}

impl Tally {
    /// How many were left alone, by reason.
    pub(crate) fn skips(&self) -> BTreeMap<String, u64> {
        self.skipped.iter().fold(BTreeMap::new(), |mut skips, (_, reason)| {
            *skips.entry((*reason).to_owned()).or_default() += 1;
            skips
        })
    }
}

/// An interchange that is to be sent.
#[derive(Debug)]
pub(crate) struct Claimed {
    pub(crate) interchange: Interchange,
    /// Who asked, where the claim is fresh; `None` where it was made before, and the message may have been sent already.
    pub(crate) by: Option<Actor>,
}

/// Carries decisions out.
#[derive(Debug)]
pub(crate) struct Executor {
    table: Table,
    slots: Slots,
    stages: StageQueues,
}

impl Executor {
    pub(crate) fn new(table: Table, slots: Slots, stages: StageQueues) -> Self {
        Self { table, slots, stages }
    }

    /// Decides each of `ids` as it stands, commits and sends. Whoever is overtaken is decided again.
    ///
    /// # Errors
    /// When a service did not do its part; the same call again picks up where this one stopped.
    pub(crate) async fn execute(
        &self,
        ids: &[InterchangeId],
        decide: impl Fn(Interchange) -> Decision,
        now: Timestamp,
    ) -> Result<Tally, AppError> {
        let mut tally = Tally::default();
        let mut left: Vec<InterchangeId> = ids.to_vec();
        for _ in 0..TRIES {
            let mut heads = self.table.heads(&left).await?;
            let mut works = Vec::new();
            let mut taken = Vec::new();
            for id in &left {
                let Some(head) = heads.remove(id) else {
                    tally.skipped.push((id.clone(), "not-found"));
                    continue;
                };
                match decide(head.clone()) {
                    Decision::Commit(change) => works.push(Work::new(Some(head), *change)),
                    Decision::Resume => taken.push(head),
                    Decision::Skip(reason) => tally.skipped.push((id.clone(), reason)),
                }
            }
            self.table.retire(&taken, now).await?;
            taken.retain(|i| i.status.is_waiting());
            for sends in by_bytes(taken, |i| i) {
                let sends = sends.into_iter().map(|interchange| Claimed { interchange, by: None });
                self.send(sends.collect(), now).await?;
            }
            left = Vec::new();
            for works in by_bytes(works, |work| &work.after) {
                left.extend(self.commit_and_send(works, &mut tally, now).await?);
            }
            if left.is_empty() {
                return Ok(tally);
            }
        }
        Err(AppError::Overtaken { id: left[0].to_string(), tries: TRIES })
    }

    /// Puts an interchange back to failed that `claim` took and nobody will send again.
    ///
    /// # Errors
    /// When the table did not do its part.
    pub(crate) async fn give_up(
        &self,
        id: &InterchangeId,
        claim: &Claim,
        why: &str,
        now: Timestamp,
    ) -> Result<(), AppError> {
        if let Some(head) = self.table.head(id).await?.filter(|head| head.is_claimed_by(claim)) {
            self.fail_again(head, why.to_owned(), now).await?;
        }
        Ok(())
    }

    /// Notes that SQS has the message, where nothing else would tell. Whoever was faster knows more.
    ///
    /// # Errors
    /// When the table did not do its part.
    pub(crate) async fn note_sent(&self, sent: Interchange, now: Timestamp) -> Result<Interchange, AppError> {
        let Some(change) = sent.clone().noted_as_sent(sent.attempt) else { return Ok(sent) };
        let work = Work::new(Some(sent), change);
        let outcomes = self.table.commit(std::slice::from_ref(&work), now).await?;
        Ok(match outcomes.first() {
            Some(Committed::Done { version, .. }) => work.committed(*version),
            _ => work.after,
        })
    }

    /// Gives back those that others overtook.
    async fn commit_and_send(
        &self,
        works: Vec<Work>,
        tally: &mut Tally,
        now: Timestamp,
    ) -> Result<Vec<InterchangeId>, AppError> {
        self.slots.ensure(&works).await?;
        let outcomes = self.table.commit(&works, now).await?;
        let mut overtaken = Vec::new();
        let (mut sends, mut changed) = (Vec::new(), Vec::new());
        for (work, outcome) in works.into_iter().zip(outcomes) {
            let Committed::Done { version, whole } = outcome else {
                overtaken.push(work.after.id);
                continue;
            };
            journal::committed(&work);
            let by = work.events.last().map(|event| event.actor.clone());
            let after = work.committed(version);
            if after.status.is_waiting() {
                sends.push(Claimed { interchange: after, by });
            } else if whole {
                tally.changed.push(after);
            } else {
                changed.push(after);
            }
        }
        self.table.retire(&changed, now).await?;
        tally.changed.extend(changed);
        tally.changed.extend(self.send(sends, now).await?);
        Ok(overtaken)
    }

    /// Sends what was claimed. What SQS refuses for good is failed again; what it cannot take now stays claimed
    /// for the same work to send again.
    async fn send(&self, claimed: Vec<Claimed>, now: Timestamp) -> Result<Vec<Interchange>, AppError> {
        if claimed.is_empty() {
            return Ok(Vec::new());
        }
        let bodies = self.table.payloads(&wanted(&claimed)).await?;
        let mut sent = Vec::new();
        let mut refused = Vec::new();
        let mut messages = Vec::new();
        let mut sending = Vec::new();
        for claimed in claimed {
            match message(&claimed.interchange, &bodies) {
                Ok(message) => {
                    messages.push(message);
                    sending.push(claimed);
                }
                Err(why) => refused.push((claimed.interchange, why)),
            }
        }
        let mut failed = Vec::new();
        for (claimed, delivery) in sending.into_iter().zip(self.stages.send(messages).await) {
            match delivery {
                Delivery::Sent => {
                    journal::sent(&claimed);
                    sent.push(claimed.interchange);
                }
                Delivery::Refused(why) => refused.push((claimed.interchange, why)),
                Delivery::Failed(why) => failed.push(why),
            }
        }
        for (interchange, why) in refused {
            sent.push(self.fail_again(interchange, why, now).await?);
        }
        match failed.first() {
            None => Ok(sent),
            Some(cause) => Err(AppError::Unsent { count: failed.len(), cause: cause.clone() }),
        }
    }

    /// Puts an interchange back to failed because SQS refused it.
    async fn fail_again(&self, claimed: Interchange, error: String, now: Timestamp) -> Result<Interchange, AppError> {
        let queue_url = claimed.flight.as_ref().map(|flight| flight.queue_url.clone());
        let failure = SendFailure { error, queue_url };
        let attempt = claimed.attempt;
        let mut current = claimed;
        for _ in 0..TRIES {
            let Some(change) = current.clone().send_failed(attempt, &failure, now) else { return Ok(current) };
            let work = Work::new(Some(current.clone()), change);
            let outcomes = self.table.commit(std::slice::from_ref(&work), now).await?;
            if let Some(Committed::Done { version, .. }) = outcomes.first() {
                journal::committed(&work);
                return Ok(work.committed(*version));
            }
            match self.table.head(&current.id).await? {
                Some(head) => current = head,
                None => return Ok(current),
            }
        }
        Err(AppError::Overtaken { id: current.id.to_string(), tries: TRIES })
    }
}

/// Splits a list so that the payloads of each part fit in memory together.
fn by_bytes<T>(items: Vec<T>, interchange: impl Fn(&T) -> &Interchange) -> Vec<Vec<T>> {
    let mut parts: Vec<(u64, Vec<T>)> = Vec::new();
    for item in items {
        let bytes = interchange(&item).flight.as_ref().map_or(0, |flight| flight.payload.meta.bytes);
        match parts.last_mut() {
            Some((sum, part)) if *sum + bytes <= MOST_BYTES => {
                *sum += bytes;
                part.push(item);
            }
            _ => parts.push((bytes, vec![item])),
        }
    }
    parts.into_iter().map(|(_, part)| part).collect()
}
