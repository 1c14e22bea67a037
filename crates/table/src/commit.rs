//! The commit: writes heads on the condition of their versions, with events, counts and slot enrolments, all or
//! nothing, as many interchanges as fit a transaction.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::Put;
use domain::{Interchange, Slot, StorageLayout, Timestamp};
use futures::stream::{FuturesUnordered, StreamExt};

use crate::deltas::Deltas;
use crate::item::n;
use crate::keys::{IF_ABSENT, IF_VERSION};
use crate::packs::pack_item;
use crate::transact::{Actions, Transacted};
use crate::{Table, TableError, Work, codec};

/// Most actions of one transaction (DynamoDB's limit).
const MAX_ACTIONS: usize = 100;

/// Most bytes put into one transaction: a quarter below DynamoDB's 4 MB, for keys and counts.
const MAX_BYTES: usize = 3_000_000;

/// Most ids in one batch of a slot.
const MAX_IDS: usize = 100;

/// Transactions run side by side; each has count rows of its own.
const MAX_CONCURRENT: usize = 4;

/// What became of one work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Committed {
    /// It is written; the head has this version now.
    Done {
        /// The head's version.
        version: u64,
        /// Whether all follow-up writes are in the same transaction: `set_ttl` has nothing left to do.
        whole: bool,
    },
    /// Someone else moved the head first: load it and decide again.
    Stale,
    /// DynamoDB never takes it, for this reason; nothing of it is written.
    Unstorable(String),
}

/// What became of a group's transaction.
#[derive(Debug)]
enum GroupResult {
    /// All of it is written.
    Done,
    /// Nothing is written: others moved the heads of these works first.
    Stale(Vec<usize>),
    /// Nothing is written: DynamoDB never takes this work.
    Unstorable(usize, String),
    /// Nothing is written: DynamoDB does not take the transaction and does not say which action it is about.
    Undetermined(String),
    /// Nothing is written: DynamoDB does not take a row that the works share.
    SharedRow(String),
}

/// Works that go into one transaction, by their positions in the call.
#[derive(Debug, Clone, Default)]
struct Group {
    members: Vec<usize>,
    bytes: usize,
    deltas: Deltas,
    /// The members of each slot that are enrolled, by their positions.
    slots: BTreeMap<Slot, Vec<usize>>,
    /// If the group is one deletion or erasure: the follow-up writes in its transaction.
    follows: Option<Actions>,
}

impl Group {
    fn actions(&self) -> usize {
        2 * self.members.len()
            + self.deltas.rows()
            + self.slots.values().map(|ids| ids.len().div_ceil(MAX_IDS)).sum::<usize>()
    }

    fn with(&self, index: usize, work: &Work) -> Self {
        let mut group = self.clone();
        group.members.push(index);
        group.bytes += size(work);
        group.deltas.add(work);
        if let Some(slot) = work.enrols_in() {
            group.slots.entry(slot).or_default().push(index);
        }
        group
    }

    fn fits(&self) -> bool {
        self.members.len() == 1 || (self.actions() <= MAX_ACTIONS && self.bytes <= MAX_BYTES)
    }
}

impl Table {
    /// Commits works of distinct interchanges; the answers stand in the order of the works. Each is written
    /// whole or not at all, independently of the others: a work that DynamoDB never takes is answered
    /// [`Committed::Unstorable`], and the others are committed without it.
    ///
    /// # Errors
    /// When DynamoDB cannot be reached, stays contended, or does not take a row of counts or of a slot: some works may
    /// be written then. Deciding them again finds out which.
    pub async fn commit(&self, works: &[Work], now: Timestamp) -> Result<Vec<Committed>, TableError> {
        self.clear_ttl(works, now).await?;
        let mut outcomes = vec![None; works.len()];
        let mut waiting = grouped(works, (0..works.len()).collect());
        if let ([work], [group]) = (works, waiting.as_mut_slice())
            && work.deletes()
            && !work.erases()
        {
            group.follows = self.together(work, now)?;
        }
        let mut free: Vec<usize> = (0..MAX_CONCURRENT).collect();
        let mut running = FuturesUnordered::new();
        loop {
            while let Some(lane) = free.pop_if(|_| !waiting.is_empty()) {
                running.extend(waiting.pop().map(|group| self.commit_group(works, group, lane, now)));
            }
            let Some((lane, mut group, result)) = running.next().await else { break };
            free.push(lane);
            let result = result?;
            let is_refused = !matches!(result, GroupResult::Done | GroupResult::Stale(_));
            if is_refused && !erases(works, &group) && group.follows.take().is_some() {
                // It may be too much for one transaction: then the rest follows afterwards.
                waiting.push(group);
                continue;
            }
            for left in settle(works, &group, result, &mut outcomes)? {
                waiting.extend(grouped(works, left));
            }
        }
        for (work, outcome) in works.iter().zip(&outcomes) {
            // For the others the caller calls `set_ttl`, which does this too.
            if work.erases() && matches!(outcome, Some(Committed::Done { whole: true, .. })) {
                self.forget_answers(&work.after.id).await?;
            }
        }
        Ok(outcomes.into_iter().map(|outcome| outcome.unwrap_or(Committed::Stale)).collect())
    }

    async fn commit_group(
        &self,
        works: &[Work],
        mut group: Group,
        lane: usize,
        now: Timestamp,
    ) -> (usize, Group, Result<GroupResult, TableError>) {
        if erases(works, &group) {
            match self.erasure(&works[group.members[0]], now).await {
                Ok(actions) => group.follows = actions,
                Err(error) => return (lane, group, Err(error)),
            }
        }
        let result = match self.actions_of(works, &group, lane, now) {
            Ok((actions, owners)) => self.transact(actions).await.map(|result| owned(result, &owners)),
            Err(error) => Err(error),
        };
        (lane, group, result)
    }

    /// The actions of a group, and for each of the first ones the work that it belongs to.
    fn actions_of(
        &self,
        works: &[Work],
        group: &Group,
        lane: usize,
        now: Timestamp,
    ) -> Result<(Actions, Vec<usize>), TableError> {
        let mut actions = Actions::default();
        let mut owners = Vec::new();
        for index in &group.members {
            let work = &works[*index];
            let entry = work.entry();
            let storage = entry.as_ref().map_or(&work.after.storage, |entry| &entry.storage);
            actions.put(self.head_put(work, storage, now)?);
            owners.push(*index);
            if let Some(entry) = entry {
                let expires_at = self.expiry(work, now);
                if entry.begins {
                    actions.put(self.log_put(work, entry, expires_at)?);
                } else {
                    actions.update(self.log_update(work, entry, expires_at)?);
                }
                owners.push(*index);
            }
        }
        for update in
            group.deltas.updates(&self.name, &format!("{}-{lane}", self.writer), now, self.job_expires_at(now))
        {
            actions.update(update);
        }
        for (slot, members) in &group.slots {
            for members in members.chunks(MAX_IDS) {
                let members: Vec<&Interchange> = members.iter().map(|index| &works[*index].after).collect();
                let item = pack_item(slot, &members)?;
                actions.put(self.built(Put::builder().table_name(&self.name).set_item(Some(item)).build())?);
            }
        }
        actions.0.extend(group.follows.iter().flat_map(|follows| follows.0.clone()));
        Ok((actions, owners))
    }

    fn head_put(&self, work: &Work, storage: &StorageLayout, now: Timestamp) -> Result<Put, TableError> {
        let expected = work.expected_version();
        let item = codec::head(&work.after, storage, expected + 1, self.expiry(work, now));
        let put = Put::builder().table_name(&self.name).set_item(Some(item));
        let put = if expected == 0 {
            put.condition_expression(IF_ABSENT)
        } else {
            put.condition_expression(IF_VERSION).expression_attribute_values(":v", n(expected))
        };
        self.built(put.build())
    }

    pub(crate) fn built<T>(&self, built: Result<T, aws_sdk_dynamodb::error::BuildError>) -> Result<T, TableError> {
        built.map_err(|e| TableError::Call { operation: "TransactWriteItems", cause: e.to_string() })
    }
}

/// Whether a group is the erasure of one interchange, which needs most of a transaction.
fn erases(works: &[Work], group: &Group) -> bool {
    matches!(group.members.as_slice(), [index] if works[*index].erases())
}

/// Packs works into as few transactions as they fit. An erasure has one of its own.
fn grouped(works: &[Work], members: Vec<usize>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for index in members {
        let work = &works[index];
        let last = groups.last().filter(|group| !work.erases() && !erases(works, group));
        let joined = last.map(|group| group.with(index, work)).filter(Group::fits);
        match (joined, groups.last_mut()) {
            (Some(joined), Some(last)) => *last = joined,
            _ => groups.push(Group::default().with(index, work)),
        }
    }
    groups
}

/// Replaces the positions of actions in a result by their works: the first actions belong to `owners`, those
/// after them are shared.
fn owned(result: Transacted, owners: &[usize]) -> GroupResult {
    match result {
        Transacted::Done => GroupResult::Done,
        Transacted::ConditionsFailed(positions) => {
            GroupResult::Stale(positions.iter().filter_map(|p| owners.get(*p).copied()).collect())
        }
        Transacted::Refused(usize::MAX, cause) => GroupResult::Undetermined(cause),
        Transacted::Refused(position, cause) => match owners.get(position) {
            Some(index) => GroupResult::Unstorable(*index, cause),
            None => GroupResult::SharedRow(cause),
        },
    }
}

/// Records the results of a group's works and returns those that must be tried again, in groups.
/// Where DynamoDB does not say which action it refuses, the group is halved until the work is found.
fn settle(
    works: &[Work],
    group: &Group,
    result: GroupResult,
    outcomes: &mut [Option<Committed>],
) -> Result<Vec<Vec<usize>>, TableError> {
    let without = |gone: &[usize]| group.members.iter().copied().filter(|index| !gone.contains(index)).collect();
    match result {
        GroupResult::Done => {
            for index in &group.members {
                outcomes[*index] =
                    Some(Committed::Done { version: works[*index].version(), whole: group.follows.is_some() });
            }
            Ok(Vec::new())
        }
        GroupResult::Stale(stale) => {
            for index in &stale {
                outcomes[*index] = Some(Committed::Stale);
            }
            Ok(vec![without(&stale)])
        }
        GroupResult::Unstorable(index, cause) => {
            outcomes[index] = Some(Committed::Unstorable(cause));
            Ok(vec![without(&[index])])
        }
        GroupResult::Undetermined(cause) => match group.members.as_slice() {
            [index] => {
                outcomes[*index] = Some(Committed::Unstorable(cause));
                Ok(Vec::new())
            }
            members => {
                let (first, second) = members.split_at(members.len() / 2);
                Ok(vec![first.to_vec(), second.to_vec()])
            }
        },
        GroupResult::SharedRow(cause) => Err(TableError::Unstorable { id: "of a shared row".to_owned(), cause }),
    }
}

/// About how many bytes a work writes: its texts, and some for everything else.
fn size(work: &Work) -> usize {
    let after = &work.after;
    let parts: usize = after.parts.iter().map(|p| p.id.len() + p.message.as_ref().map_or(0, String::len) + 20).sum();
    let message = after.error.message.as_ref().map_or(0, String::len);
    2 * (2_000 + parts + message * work.events.len().max(1))
}
