//! The one executor of re-entries and deletions: claim, commit, then send. After a crash in between, the same work
//! finds its own claim and sends again: same id, same attempt, no new event.

use std::collections::{BTreeMap, HashMap};

use domain::{Actor, Cause, Change, Interchange, InterchangeId, SendFailure, Timestamp};
use queues::{Delivery, StageQueues};
use table::{Committed, Table, TableError, Work};

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

    /// Decides each of `ids` as it stands and commits; whoever is overtaken is decided again. Then sends, in the order of
    /// `ids`, what this or an earlier call for the same work has claimed.
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
        let mut sends: HashMap<InterchangeId, Claimed> = HashMap::new();
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
            let again = taken.into_iter().map(|interchange| Claimed { interchange, by: None });
            sends.extend(again.map(|claimed| (claimed.interchange.id.clone(), claimed)));
            left = self.commit(works, &mut tally, &mut sends, now).await?;
            if left.is_empty() {
                let in_order = ids.iter().filter_map(|id| sends.remove(id)).collect();
                for sends in by_bytes(in_order) {
                    tally.changed.extend(self.send(sends, now).await?);
                }
                return Ok(tally);
            }
        }
        Err(AppError::Overtaken { id: left[0].to_string(), tries: TRIES })
    }

    /// Puts an interchange back to failed that was claimed for `cause` and that nobody will send again.
    ///
    /// # Errors
    /// When the table did not do its part.
    pub(crate) async fn give_up(
        &self,
        id: &InterchangeId,
        cause: &Cause,
        why: &str,
        now: Timestamp,
    ) -> Result<(), AppError> {
        if let Some(head) = self.table.head(id).await?.filter(|head| head.is_claimed_by(&cause.claim)) {
            self.fail_again(head, cause.actor.clone(), why.to_owned(), now).await?;
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

    /// Adds to `sends` what is to be sent now, and gives back those that others overtook.
    async fn commit(
        &self,
        works: Vec<Work>,
        tally: &mut Tally,
        sends: &mut HashMap<InterchangeId, Claimed>,
        now: Timestamp,
    ) -> Result<Vec<InterchangeId>, AppError> {
        self.slots.ensure(&works).await?;
        let outcomes = self.table.commit(&works, now).await?;
        let (mut overtaken, mut changed, mut unstorable) = (Vec::new(), Vec::new(), None);
        for (work, outcome) in works.into_iter().zip(outcomes) {
            let (version, whole) = match outcome {
                Committed::Done { version, whole } => (version, whole),
                Committed::Stale => {
                    overtaken.push(work.after.id);
                    continue;
                }
                Committed::Unstorable(cause) => {
                    unstorable = Some(TableError::Unstorable { id: work.after.id.to_string(), cause });
                    continue;
                }
            };
            journal::committed(&work);
            let by = work.events.last().map(|event| event.actor.clone());
            let after = work.committed(version);
            if after.status.is_waiting() {
                sends.insert(after.id.clone(), Claimed { interchange: after, by });
            } else if whole {
                tally.changed.push(after);
            } else {
                changed.push(after);
            }
        }
        self.table.retire(&changed, now).await?;
        tally.changed.extend(changed);
        match unstorable {
            Some(error) => Err(error.into()),
            None => Ok(overtaken),
        }
    }

    /// Sends what was claimed. What SQS refuses for good is failed again; what it cannot take now stays claimed for the
    /// same work to send again. Gives back whom this call has changed: those it failed again, and those with a fresh claim.
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
                Err(why) => refused.push((claimed, why)),
            }
        }
        let mut failed = Vec::new();
        for (claimed, delivery) in sending.into_iter().zip(self.stages.send(messages).await) {
            match delivery {
                Delivery::Sent => {
                    journal::sent(&claimed);
                    sent.extend(claimed.by.is_some().then_some(claimed.interchange));
                }
                Delivery::Refused(why) => refused.push((claimed, why)),
                Delivery::Failed(why) => failed.push(why),
            }
        }
        for (Claimed { interchange, by }, error) in refused {
            // Work that comes again does not know whose it was: it is the schedule that brings it.
            let actor = by.unwrap_or(Actor::Scheduler);
            sent.push(self.fail_again(interchange, actor, error, now).await?);
        }
        match failed.first() {
            None => Ok(sent),
            Some(cause) => Err(AppError::Unsent { count: failed.len(), cause: cause.clone() }),
        }
    }

    /// Puts an interchange back to failed because SQS refused it.
    async fn fail_again(
        &self,
        claimed: Interchange,
        actor: Actor,
        error: String,
        now: Timestamp,
    ) -> Result<Interchange, AppError> {
        let queue_url = claimed.flight.as_ref().map(|flight| flight.queue_url.clone());
        let failure = SendFailure { actor, error, queue_url };
        let attempt = claimed.attempt;
        let mut current = claimed;
        for _ in 0..TRIES {
            let Some(change) = current.clone().send_failed(attempt, &failure, now) else { return Ok(current) };
            let work = Work::new(Some(current.clone()), change);
            let outcomes = self.table.commit(std::slice::from_ref(&work), now).await?;
            match outcomes.into_iter().next() {
                Some(Committed::Done { version, .. }) => {
                    journal::committed(&work);
                    return Ok(work.committed(version));
                }
                Some(Committed::Unstorable(cause)) => {
                    return Err(TableError::Unstorable { id: work.after.id.to_string(), cause }.into());
                }
                Some(Committed::Stale) | None => {}
            }
            match self.table.head(&current.id).await? {
                Some(head) => current = head,
                None => return Ok(current),
            }
        }
        Err(AppError::Overtaken { id: current.id.to_string(), tries: TRIES })
    }
}

/// Splits what is to be sent so that the payloads of each part fit in memory together.
fn by_bytes(items: Vec<Claimed>) -> Vec<Vec<Claimed>> {
    let mut parts: Vec<(u64, Vec<Claimed>)> = Vec::new();
    for item in items {
        let bytes = item.interchange.flight.as_ref().map_or(0, |flight| flight.payload.meta.bytes);
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
