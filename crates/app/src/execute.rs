//! The one executor of re-entries and deletions: claim, commit, then send. A worker that gives up in the middle says what
//! is left, so that the next worker sends that and nothing else. After a crash the same unit of work finds its own claims
//! and sends them again: same id, same attempt, no new event.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use domain::{Actor, Change, Interchange, InterchangeId, JobId, SendFailure, Timestamp};
use futures::future::try_join;
use queues::{Delivery, StageQueues};
use table::{Committed, Heads, Left, Table, Work};

use crate::epochs::Epochs;
use crate::error::TRIES;
use crate::stage_message::{message, wanted};
use crate::{AppError, Slots, journal};

/// Payload bytes held in memory at a time.
const MAX_BYTES: u64 = 24 * 1024 * 1024;

/// The reason to skip an interchange that DynamoDB can never store in its new state.
pub(crate) const UNSTORABLE: &str = "unstorable";

/// Why an interchange is left alone that this release cannot read.
pub(crate) const UNREADABLE: &str = "unreadable";

/// What to do about one interchange as it stands now.
#[derive(Debug)]
pub(crate) enum Decision {
    /// Commit this, and send what it releases.
    Commit(Box<Change>),
    /// The same unit claimed it before: repeat the follow-up work, which is to send it or to remove its payloads.
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
    /// Those that are on their stage now, sent by this call.
    pub(crate) sent: HashSet<InterchangeId>,
    /// Jobs that waited for an outcome of their first messages, which is known now.
    pub(crate) canaries: BTreeSet<JobId>,
}

impl Tally {
    /// How many were left alone, by reason.
    pub(crate) fn skips(&self) -> BTreeMap<String, u64> {
        self.skipped.iter().fold(BTreeMap::new(), |mut skips, (_, reason)| {
            *skips.entry((*reason).to_owned()).or_default() += 1;
            skips
        })
    }

    /// What a worker leaves behind that gives up now: the members that are neither done nor left alone.
    pub(crate) fn left(&self, members: &[InterchangeId]) -> Left {
        let done: HashSet<&InterchangeId> =
            self.sent.iter().chain(self.skipped.iter().map(|(id, _)| id)).chain(self.ended()).collect();
        let ids = members.iter().filter(|id| !done.contains(id)).map(|id| id.as_str().to_owned());
        Left { ids: ids.collect(), skips: self.skips(), ..Left::default() }
    }

    /// Those that were changed and have nothing to be sent.
    fn ended(&self) -> impl Iterator<Item = &InterchangeId> {
        self.changed.iter().filter(|changed| !changed.status.is_waiting()).map(|changed| &changed.id)
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
    epochs: Epochs,
}

impl Executor {
    pub(crate) fn new(table: Table, slots: Slots, stages: StageQueues) -> Self {
        Self { epochs: Epochs::new(table.clone()), table, slots, stages }
    }

    /// Decides each of `ids` in its current state and commits; on a version conflict it is decided again. Then sends, in the order of
    /// `ids`, what this or an earlier call for the same unit has claimed. `loaded` are heads that were read a moment ago, so
    /// that they are not read again. `tally` tells what is done, also where this fails in the middle.
    ///
    /// # Errors
    /// When a service fails; a call for what is left goes on where this one stopped.
    pub(crate) async fn execute(
        &self,
        ids: &[InterchangeId],
        loaded: Option<Heads>,
        decide: impl Fn(Interchange) -> Decision,
        tally: &mut Tally,
        now: Timestamp,
    ) -> Result<(), AppError> {
        let mut loaded = loaded;
        let mut left: Vec<InterchangeId> = ids.to_vec();
        let mut sends: HashMap<InterchangeId, Claimed> = HashMap::new();
        for _ in 0..TRIES {
            let mut heads = match loaded.take() {
                Some(heads) => heads,
                None => self.table.heads(&left).await?,
            };
            let mut works = Vec::new();
            let mut taken = Vec::new();
            for id in &left {
                let Some(head) = heads.remove(id) else {
                    let why = if heads.is_unreadable(id) { UNREADABLE } else { "not-found" };
                    tally.skipped.push((id.clone(), why));
                    continue;
                };
                match decide(head.clone()) {
                    Decision::Commit(change) => works.push(Work::new(Some(head), *change)),
                    Decision::Resume => taken.push(head),
                    Decision::Skip(reason) => tally.skipped.push((id.clone(), reason)),
                }
            }
            self.table.set_ttl(&taken, now).await?;
            for interchange in taken {
                if interchange.status.is_waiting() {
                    sends.insert(interchange.id.clone(), Claimed { interchange, by: None });
                } else {
                    tally.sent.insert(interchange.id);
                }
            }
            left = self.commit(works, tally, &mut sends, now).await?;
            if left.is_empty() {
                let in_order = ids.iter().filter_map(|id| sends.remove(id)).collect();
                for sends in by_bytes(in_order) {
                    self.send(sends, tally, now).await?;
                }
                return Ok(());
            }
        }
        Err(AppError::Overtaken { id: left[0].to_string(), tries: TRIES })
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
        let (mut overtaken, mut changed) = (Vec::new(), Vec::new());
        for (work, outcome) in works.into_iter().zip(outcomes) {
            let (version, whole) = match outcome {
                Committed::Done { version, whole } => (version, whole),
                Committed::Stale => {
                    overtaken.push(work.after.id);
                    continue;
                }
                Committed::Unstorable(cause) => {
                    journal::unstorable(&work, &cause);
                    tally.skipped.push((work.after.id, UNSTORABLE));
                    continue;
                }
            };
            journal::committed(&work);
            tally.canaries.extend(work.ends_canary().cloned());
            let by = work.events.last().map(|event| event.actor.clone());
            let is_fresh = work.before.as_ref().is_none_or(|before| !before.status.is_waiting());
            let after = work.committed(version);
            if after.status.is_waiting() && is_fresh {
                sends.insert(after.id.clone(), Claimed { interchange: after, by });
            } else if whole {
                tally.changed.push(after);
            } else {
                changed.push(after);
            }
        }
        self.table.set_ttl(&changed, now).await?;
        tally.changed.extend(changed);
        Ok(overtaken)
    }

    /// Sends what was claimed. What SQS refuses permanently is failed again; what it did not take, or did not say, stays
    /// claimed for the same unit to send again.
    async fn send(&self, claimed: Vec<Claimed>, tally: &mut Tally, now: Timestamp) -> Result<(), AppError> {
        if claimed.is_empty() {
            return Ok(());
        }
        let wanted = wanted(&claimed);
        let payloads = async { Ok(self.table.payloads(&wanted).await?) };
        let (bodies, epoch) = try_join(payloads, self.epochs.current(now)).await?;
        let mut refused = Vec::new();
        let mut messages = Vec::new();
        let mut sending = Vec::new();
        for claimed in claimed {
            match message(&claimed.interchange, &bodies, epoch) {
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
                    tally.sent.insert(claimed.interchange.id.clone());
                    tally.changed.extend(claimed.by.is_some().then_some(claimed.interchange));
                }
                Delivery::Refused(why) => refused.push((claimed, why)),
                Delivery::Failed(why) => failed.push((claimed, why)),
            }
        }
        for (Claimed { interchange, by }, error) in refused {
            // A claim that was made before does not say who asked for it, so the actor is the scheduler.
            let actor = by.unwrap_or(Actor::Scheduler);
            tally.changed.push(self.fail_again(interchange, actor, error, now).await?);
        }
        let count = failed.len();
        match failed.into_iter().next() {
            None => Ok(()),
            Some((_, cause)) => Err(AppError::Unsent { count, cause }),
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
                    return Err(table::TableError::Unstorable { id: work.after.id.to_string(), cause }.into());
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
            Some((sum, part)) if *sum + bytes <= MAX_BYTES => {
                *sum += bytes;
                part.push(item);
            }
            _ => parts.push((bytes, vec![item])),
        }
    }
    parts.into_iter().map(|(_, part)| part).collect()
}
