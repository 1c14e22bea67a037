//! The batches of a slot, and the lease on each: a batch has one worker at a time, and is removed when it is done, with a
//! record of its send.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::{DeleteRequest, PutRequest, WriteRequest};
use domain::{Claim, Flow, Interchange, InterchangeId, Slot, Timestamp};

use crate::item::{Item, key, log_unreadable, n, number, readable, s, text};
use crate::keys::{self, CONFIG, DATA, IF_ABSENT, LEASED_UNTIL, PK, SENT, SK, TTL, WORKER};
use crate::leases::{DONE_AT, kept_until, lease_end};
use crate::list::Position;
use crate::slots::{Pack, pack};
use crate::statements::Statement;
use crate::{Table, TableError, flows, members};

/// How many members a batch has.
pub(crate) const MEMBERS: &str = "n";

/// Whether the slot is the deadline of some of the members.
pub(crate) const DEADLINES: &str = "dl";

/// The generation of an ordered run that has taken the batch.
const TAKEN_BY: &str = "g";

/// Batches that this worker holds now, when those come free that another one holds, and the slot's flow.
#[derive(Debug, Default)]
pub struct LeasedPacks {
    /// The configuration of the slot's flow, where it has one.
    pub flow: Option<Flow>,
    /// Ours.
    pub taken: Vec<Pack>,
    /// Batches that another worker holds.
    pub busy: Vec<String>,
    /// Batches that are not there any more: their members are all done.
    pub removed: Vec<String>,
    /// When the last of those leases ends.
    pub until: Option<Timestamp>,
}

/// A member of a slot with its place: the time of its failure, then its id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Member {
    /// Its place in the order of the slot.
    pub position: Position,
    pub id: InterchangeId,
}

/// The item of a new batch.
pub(crate) fn pack_item(slot: &Slot, members: &[&Interchange]) -> Result<Item, TableError> {
    let named = members.iter().map(|member| (member.failure.at.as_microsecond(), member.id.clone()));
    let mut item = key(keys::slot(slot), uuid::Uuid::now_v7().to_string());
    item.insert(DATA.to_owned(), members::packed(&named.collect::<Vec<_>>())?);
    item.insert(MEMBERS.to_owned(), n(members.len()));
    item.insert(LEASED_UNTIL.to_owned(), n(0));
    if members.iter().any(|member| member.status.is_in_flight()) {
        item.insert(DEADLINES.to_owned(), n(1));
    }
    Ok(item)
}

fn send_record(slot: &Slot, batch: &str, now: Timestamp) -> Item {
    let claim = Claim::Batch { slot: slot.clone(), batch: batch.to_owned() };
    let mut record = key(keys::sent(&claim), SENT);
    record.insert(DONE_AT.to_owned(), s(now.to_string()));
    record.insert(TTL.to_owned(), n(kept_until(now)));
    record
}

impl Table {
    /// Takes the leases on some batches of a slot, and reads these and the flow's configuration in one call. Batches that
    /// are done are left out.
    ///
    /// # Errors
    /// When the table cannot be read or written.
    pub async fn lease_packs(
        &self,
        slot: &Slot,
        batches: &[String],
        now: Timestamp,
    ) -> Result<LeasedPacks, TableError> {
        let text = format!(
            "UPDATE \"{}\" SET \"{WORKER}\" = ? SET \"{LEASED_UNTIL}\" = ? \
             WHERE \"{PK}\" = ? AND \"{SK}\" = ? AND \"{LEASED_UNTIL}\" < ?",
            self.name
        );
        let statements = batches.iter().map(|batch| Statement {
            text: text.clone(),
            values: vec![s(&self.writer), n(lease_end(now)), s(keys::slot(slot)), s(batch), n(now.as_millisecond())],
        });
        self.run(statements.collect()).await?;
        let is_ours = |item: &Item| {
            let until = number::<i64>(item, LEASED_UNTIL);
            crate::item::text(item, WORKER).is_ok_and(|worker| worker == self.writer) && until == Some(lease_end(now))
        };
        let mut leased = LeasedPacks::default();
        let mut unreadable = Vec::new();
        let config = key(keys::flow(&slot.flow), CONFIG);
        let wanted = batches.iter().map(|batch| key(keys::slot(slot), batch.as_str()));
        for item in self.get_all(wanted.chain([config]).collect()).await? {
            if crate::item::text(&item, SK)? == CONFIG {
                leased.flow = Some(flows::flow(&slot.flow, &item));
            } else if is_ours(&item) {
                match pack(&item) {
                    Ok(pack) => leased.taken.push(pack),
                    Err(error) => {
                        log_unreadable(&error);
                        unreadable.push(crate::item::text(&item, SK)?.to_owned());
                    }
                }
            } else {
                leased.busy.push(crate::item::text(&item, SK)?.to_owned());
                let until = number::<i64>(&item, LEASED_UNTIL).and_then(|ms| Timestamp::from_millisecond(ms).ok());
                leased.until = leased.until.max(until);
            }
        }
        leased.taken.sort_by(|a, b| a.batch.cmp(&b.batch));
        let is_there = |batch: &&String| {
            let is_taken = leased.taken.iter().any(|pack| pack.batch == **batch);
            is_taken || leased.busy.contains(batch) || unreadable.contains(batch)
        };
        leased.removed = batches.iter().filter(|batch| !is_there(batch)).cloned().collect();
        Ok(leased)
    }

    /// Gives batches up whose members are not all done: only those for whom `stays` holds remain in them. A batch of which
    /// nobody remains is left for its record to be written.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn release_packs(
        &self,
        slot: &Slot,
        packs: &[Pack],
        stays: impl Fn(&InterchangeId) -> bool,
    ) -> Result<(), TableError> {
        let text = format!(
            "UPDATE \"{}\" SET \"{LEASED_UNTIL}\" = ? SET \"{WORKER}\" = ? SET \"{DATA}\" = ? \
             SET \"{MEMBERS}\" = ? WHERE \"{PK}\" = ? AND \"{SK}\" = ? AND \"{WORKER}\" = ?",
            self.name
        );
        let keys: Vec<Item> = packs.iter().map(|pack| key(keys::slot(slot), pack.batch.as_str())).collect();
        let mut statements = Vec::new();
        for item in self.get_all(keys).await? {
            // What cannot be read stays as it is.
            let Some(mut kept) = readable([&item], members::members).next() else { continue };
            kept.retain(|(_, id)| stays(id));
            statements.push(Statement {
                text: text.clone(),
                values: vec![
                    n(0),
                    s("-"),
                    members::packed(&kept)?,
                    n(kept.len()),
                    s(keys::slot(slot)),
                    s(crate::item::text(&item, SK)?),
                    s(&self.writer),
                ],
            });
        }
        self.run(statements).await
    }

    /// Removes batches whose members are all done, and records the sends of their claims: from now on their silence
    /// counts.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn finish_packs(&self, slot: &Slot, packs: &[Pack], now: Timestamp) -> Result<(), TableError> {
        let mut writes = Vec::new();
        // Records first: a batch that is gone without one would be taken as not sent.
        for pack in packs {
            let record = send_record(slot, &pack.batch, now);
            let put = self.built(PutRequest::builder().set_item(Some(record)).build())?;
            writes.push((0, WriteRequest::builder().put_request(put).build()));
        }
        for pack in packs {
            let gone = key(keys::slot(slot), pack.batch.as_str());
            let delete = self.built(DeleteRequest::builder().set_key(Some(gone)).build())?;
            writes.push((0, WriteRequest::builder().delete_request(delete).build()));
        }
        self.write_all(writes).await
    }

    /// Records the sends of batches that were removed, where that was not done: of what removes a batch and records its
    /// send, DynamoDB may have taken the removal alone.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn record_removed(&self, slot: &Slot, batches: &[String], now: Timestamp) -> Result<(), TableError> {
        for batch in batches {
            let put = self.client.put_item().table_name(&self.name);
            let put = put.set_item(Some(send_record(slot, batch, now))).condition_expression(IF_ABSENT);
            match put.send().await {
                Ok(_) => {}
                Err(error) if error.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => {}
                Err(error) => return Err(TableError::call("PutItem")(error)),
            }
        }
        Ok(())
    }

    /// Marks batches as taken by a generation of their slot's ordered run: the run sees to these and to no others.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn take_into_run(&self, slot: &Slot, generation: u64) -> Result<(), TableError> {
        let text = format!("UPDATE \"{}\" SET \"{TAKEN_BY}\" = ? WHERE \"{PK}\" = ? AND \"{SK}\" = ?", self.name);
        let mut after = None;
        loop {
            let (items, next) = self.pack_items(slot, after.as_deref()).await?;
            let batches = items.iter().map(|item| crate::item::text(item, SK)).collect::<Result<Vec<_>, _>>()?;
            let statements = batches.into_iter().map(|batch| Statement {
                text: text.clone(),
                values: vec![n(generation), s(keys::slot(slot)), s(batch)],
            });
            self.run(statements.collect()).await?;
            after = next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// The next `most` members of a generation of a slot's ordered run after `position`, oldest failure first. Reads the
    /// slot's batches page by page, and holds no more than that.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn next_members(
        &self,
        slot: &Slot,
        generation: u64,
        position: Option<&Position>,
        most: usize,
    ) -> Result<Vec<Member>, TableError> {
        let mut members: BTreeSet<Member> = BTreeSet::new();
        let mut after = None;
        loop {
            let (items, next) = self.pack_items(slot, after.as_deref()).await?;
            let taken = items.iter().filter(|item| number::<u64>(item, TAKEN_BY) == Some(generation));
            for members_of_batch in readable(taken, members::members) {
                for (micros, id) in members_of_batch {
                    let failed_at = Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH);
                    let member = Member { position: Position(keys::index_sort(failed_at, &id)), id };
                    if position.is_none_or(|passed| member.position > *passed) {
                        members.insert(member);
                        if members.len() > most {
                            members.pop_last();
                        }
                    }
                }
            }
            after = next;
            if after.is_none() {
                return Ok(members.into_iter().collect());
            }
        }
    }

    /// Removes the batches that a generation of a slot's ordered run has taken; those that cannot be read stay. `true` when
    /// the slot is empty then.
    ///
    /// # Errors
    /// When the table cannot be read or written.
    pub async fn remove_run(&self, slot: &Slot, generation: u64) -> Result<bool, TableError> {
        let mut after = None;
        let mut is_empty = true;
        loop {
            let (items, next) = self.pack_items(slot, after.as_deref()).await?;
            let (done, others): (Vec<&Item>, Vec<&Item>) =
                items.iter().partition(|item| number(item, TAKEN_BY) == Some(generation) && pack(item).is_ok());
            is_empty &= others.is_empty();
            let keys = done.iter().map(|item| Ok(key(keys::slot(slot), text(item, SK)?)));
            self.delete_all(keys.collect::<Result<_, TableError>>()?).await?;
            after = next;
            if after.is_none() {
                return Ok(is_empty);
            }
        }
    }
}
