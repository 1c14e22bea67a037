//! Slots: what falls due in one minute, packed in batches, and registered so that nothing depends on a schedule
//! that fired.

use std::collections::{BTreeMap, BTreeSet};

use domain::{FlowName, InterchangeId, Minute, Slot, Timestamp};

use crate::item::{Item, key, read, s, text, unreadable};
use crate::keys::{self, DATA, SK, SLOTS};
use crate::{Table, TableError};

/// One batch of a slot's members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pack {
    /// Names the batch within its slot.
    pub batch: String,
    /// Its members.
    pub ids: Vec<InterchangeId>,
}

/// What is enrolled in a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Enrolled {
    /// Retries.
    Retries,
    /// Deadlines of outcomes.
    Deadlines,
}

impl Enrolled {
    fn as_str(self) -> &'static str {
        match self {
            Self::Retries => "retries",
            Self::Deadlines => "deadlines",
        }
    }
}

impl Table {
    /// Registers a slot, so that the sweep finds it, with what is enrolled in it. To be done before anything is;
    /// doing it again changes nothing.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn register_slot(&self, slot: &Slot, enrolled: Enrolled) -> Result<(), TableError> {
        let registration = key(SLOTS, keys::slot_registration(slot));
        let update = self.client.update_item().table_name(&self.name).set_key(Some(registration));
        let update = update
            .update_expression("SET #what = :yes")
            .expression_attribute_names("#what", enrolled.as_str())
            .expression_attribute_values(":yes", s("yes"));
        update.send().await.map_err(TableError::call("UpdateItem")).map(drop)
    }

    /// Takes an emptied slot off the register.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn unregister_slot(&self, slot: &Slot) -> Result<(), TableError> {
        self.delete(key(SLOTS, keys::slot_registration(slot))).await
    }

    /// Registered slots that fell due before `time`, oldest first.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn slots_due_before(&self, time: Timestamp) -> Result<Vec<Slot>, TableError> {
        let query = self
            .query(keys::UP_TO_SK)
            .expression_attribute_values(":pk", s(SLOTS))
            .expression_attribute_values(":sk", s(time.to_string()));
        self.query_all(query).await?.iter().map(slot).collect()
    }

    /// The batches of a slot.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn packs(&self, slot: &Slot) -> Result<Vec<Pack>, TableError> {
        let query = self.query(keys::BY_PK).expression_attribute_values(":pk", s(keys::slot(slot)));
        self.query_all(query).await?.iter().map(pack).collect()
    }

    /// Some batches of a slot; those that are done are left out.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn packs_named(&self, slot: &Slot, batches: &[String]) -> Result<Vec<Pack>, TableError> {
        let keys = batches.iter().map(|batch| key(keys::slot(slot), batch.as_str())).collect();
        self.get_all(keys).await?.iter().map(pack).collect()
    }

    /// Removes batches whose members were all seen to.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn delete_packs(&self, slot: &Slot, packs: &[Pack]) -> Result<(), TableError> {
        self.delete_all(packs.iter().map(|pack| key(keys::slot(slot), pack.batch.as_str())).collect()).await
    }

    /// How many are enrolled in a slot, some of them perhaps handled otherwise by now.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn enrolled(&self, slot: &Slot) -> Result<usize, TableError> {
        Ok(self.packs(slot).await?.iter().map(|pack| pack.ids.len()).sum())
    }

    /// The first minute from `from` on for which a retry of each of these flows is registered; flows without one are left
    /// out. Reads no further than to the last of them.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn next_retries(
        &self,
        mut flows: BTreeSet<FlowName>,
        from: Minute,
    ) -> Result<BTreeMap<FlowName, Minute>, TableError> {
        let query = self.query(keys::FROM_SK).expression_attribute_values(":pk", s(SLOTS));
        let query = query.expression_attribute_values(":sk", s(from.to_string()));
        let mut first = BTreeMap::new();
        let mut start = None;
        while !flows.is_empty() {
            let page = query.clone().set_exclusive_start_key(start).send().await.map_err(TableError::call("Query"))?;
            for item in page.items().iter().filter(|item| item.contains_key(Enrolled::Retries.as_str())) {
                let slot = slot(item)?;
                if flows.remove(&slot.flow) {
                    first.insert(slot.flow, slot.minute);
                }
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        Ok(first)
    }

    pub(crate) async fn delete(&self, key: Item) -> Result<(), TableError> {
        let delete = self.client.delete_item().table_name(&self.name).set_key(Some(key));
        delete.send().await.map_err(TableError::call("DeleteItem")).map(drop)
    }
}

fn slot(item: &Item) -> Result<Slot, TableError> {
    let parts = text(item, SK)?.split_once('#');
    let read = parts.and_then(|(minute, flow)| {
        Some(Slot { minute: Minute::at_or_after(minute.parse().ok()?), flow: FlowName::new(flow).ok()? })
    });
    read.ok_or_else(|| unreadable(item, "slot"))
}

fn pack(item: &Item) -> Result<Pack, TableError> {
    let ids: Vec<String> = read(item, DATA)?;
    let ids = ids.into_iter().map(InterchangeId::new).collect::<Result<_, _>>();
    Ok(Pack { batch: text(item, SK)?.to_owned(), ids: ids.map_err(|e| unreadable(item, &e.to_string()))? })
}
