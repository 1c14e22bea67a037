//! Slots: what falls due in one minute, in batches (`packs.rs`), and registered so that nothing depends on a schedule
//! that fired.

use std::collections::{BTreeMap, BTreeSet};

use domain::{FlowName, InterchangeId, Minute, Slot, Timestamp};

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{Delete, Put};

use crate::item::{Item, key, log_unreadable, n, number, readable, s, text, unreadable};
use crate::keys::{self, HELD, SK, SLOTS};
use crate::packs::{DEADLINES, MEMBERS};
use crate::transact::{Actions, Transacted};
use crate::{Table, TableError, members};

/// When the sweep looks at a slot again, in milliseconds since 1970.
const NOT_BEFORE: &str = "next";

/// One batch of a slot's members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pack {
    /// Names the batch within its slot.
    pub batch: String,
    /// Its members.
    pub ids: Vec<InterchangeId>,
    /// Whether the slot is the deadline of some of them, not their next retry.
    pub has_deadlines: bool,
}

/// A slot that is registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    pub slot: Slot,
    /// The sweep leaves it alone until then: its work was queued a moment ago.
    pub not_before: Option<Timestamp>,
}

/// What is enrolled in a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Enrolled {
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
    pub async fn slots_due_before(&self, time: Timestamp) -> Result<Vec<Registered>, TableError> {
        let query = self
            .query(keys::UP_TO_SK)
            .expression_attribute_values(":pk", s(SLOTS))
            .expression_attribute_values(":sk", s(time.to_string()));
        Ok(readable(&self.query_all(query).await?, registered).collect())
    }

    /// Tells the sweep to leave a slot alone until `time`, since its work is on the jobs queue.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn note_dispatched(&self, slot: &Slot, time: Timestamp) -> Result<(), TableError> {
        let registration = key(SLOTS, keys::slot_registration(slot));
        let update = self.client.update_item().table_name(&self.name).set_key(Some(registration));
        let update = update
            .condition_expression("attribute_exists(pk)")
            .update_expression("SET #next = :next")
            .expression_attribute_names("#next", NOT_BEFORE)
            .expression_attribute_values(":next", n(time.as_millisecond()));
        match update.send().await {
            // A slot that is no longer registered is held, or was empty.
            Err(error)
                if !error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
            {
                Err(TableError::call("UpdateItem")(error))
            }
            _ => Ok(()),
        }
    }

    /// Moves a slot of an inactive flow out of the sweep's sight, until the flow is active.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn hold_slot(&self, slot: &Slot) -> Result<(), TableError> {
        let held = key(HELD, keys::held_slot(slot));
        self.move_registration(held, key(SLOTS, keys::slot_registration(slot)), slot, None).await
    }

    /// Moves a slot back that was held, for the sweep to find it should nobody else take it up.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn unhold_slot(&self, slot: &Slot) -> Result<(), TableError> {
        let registration = key(SLOTS, keys::slot_registration(slot));
        self.move_registration(registration, key(HELD, keys::held_slot(slot)), slot, Some(Enrolled::Retries)).await
    }

    async fn move_registration(
        &self,
        mut to: Item,
        from: Item,
        slot: &Slot,
        holds: Option<Enrolled>,
    ) -> Result<(), TableError> {
        if let Some(enrolled) = holds {
            to.insert(enrolled.as_str().to_owned(), s("yes"));
        }
        let mut actions = Actions::default();
        actions.put(self.built(Put::builder().table_name(&self.name).set_item(Some(to)).build())?);
        actions.delete(self.built(Delete::builder().table_name(&self.name).set_key(Some(from)).build())?);
        match self.transact(actions).await? {
            Transacted::Done => Ok(()),
            Transacted::ConditionsFailed(_) | Transacted::Refused(..) => {
                let cause = format!("the registration of slot {} cannot be moved", slot.minute);
                Err(TableError::Call { operation: "TransactWriteItems", cause })
            }
        }
    }

    /// The held slots, of one flow or of all.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn held_slots(&self, flow: Option<&FlowName>) -> Result<Vec<Slot>, TableError> {
        let query = match flow {
            Some(flow) => self.query(keys::BY_PREFIX).expression_attribute_values(":sk", s(format!("{flow}#"))),
            None => self.query(keys::BY_PK),
        };
        let items = self.query_all(query.expression_attribute_values(":pk", s(HELD))).await?;
        Ok(readable(&items, held).collect())
    }

    /// One page of a slot's batches, after the batch `after`, with the last batch read where there are more.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn pack_page(&self, slot: &Slot, after: Option<&str>) -> Result<(Vec<Pack>, Option<String>), TableError> {
        let (items, next) = self.pack_items(slot, after).await?;
        Ok((readable(&items, pack).collect(), next))
    }

    /// As [`Table::pack_page`], the items as they are.
    pub(crate) async fn pack_items(
        &self,
        slot: &Slot,
        after: Option<&str>,
    ) -> Result<(Vec<Item>, Option<String>), TableError> {
        let query = self.query(keys::BY_PK).expression_attribute_values(":pk", s(keys::slot(slot)));
        let start = after.map(|after| key(keys::slot(slot), after));
        let page = query.set_exclusive_start_key(start).send().await.map_err(TableError::call("Query"))?;
        let next = page.last_evaluated_key.as_ref().map(|last| text(last, SK).map(str::to_owned)).transpose()?;
        Ok((page.items.unwrap_or_default(), next))
    }

    /// How many are enrolled in a slot, some of them perhaps handled otherwise by now.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn enrolled(&self, slot: &Slot) -> Result<usize, TableError> {
        let query = self
            .query(keys::BY_PK)
            .expression_attribute_values(":pk", s(keys::slot(slot)))
            .projection_expression("#n")
            .expression_attribute_names("#n", MEMBERS);
        let mut members = 0;
        let mut start = None;
        loop {
            let page = query.clone().set_exclusive_start_key(start).send().await.map_err(TableError::call("Query"))?;
            members += page.items().iter().map(|item| number(item, MEMBERS).unwrap_or(0)).sum::<usize>();
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(members);
            }
        }
    }

    /// Whether a slot has no batch.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn is_empty(&self, slot: &Slot) -> Result<bool, TableError> {
        let query = self.query(keys::BY_PK).expression_attribute_values(":pk", s(keys::slot(slot))).limit(1);
        let page = query.send().await.map_err(TableError::call("Query"))?;
        Ok(page.items().is_empty())
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
            let retries = page.items().iter().filter(|item| item.contains_key(Enrolled::Retries.as_str()));
            for slot in readable(retries, slot) {
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

fn held(item: &Item) -> Result<Slot, TableError> {
    let parts = text(item, SK)?.split_once('#');
    let read = parts.and_then(|(flow, minute)| {
        Some(Slot { minute: Minute::at_or_after(minute.parse().ok()?), flow: FlowName::new(flow).ok()? })
    });
    read.ok_or_else(|| unreadable(item, "held slot"))
}

fn registered(item: &Item) -> Result<Registered, TableError> {
    let not_before = number::<i64>(item, NOT_BEFORE).and_then(|ms| Timestamp::from_millisecond(ms).ok());
    Ok(Registered { slot: slot(item)?, not_before })
}

pub(crate) fn pack(item: &Item) -> Result<Pack, TableError> {
    Ok(Pack {
        batch: text(item, SK)?.to_owned(),
        ids: members::members(item)?.into_iter().map(|(_, id)| id).collect(),
        has_deadlines: item.contains_key(DEADLINES),
    })
}

/// The ids that are ids. The others are named in the log and passed over.
pub(crate) fn readable_ids(ids: Vec<String>, item: &Item) -> Vec<InterchangeId> {
    let passed_over = |error: domain::InvalidName| log_unreadable(&unreadable(item, &error.to_string()));
    ids.into_iter().filter_map(|id| InterchangeId::new(id).map_err(passed_over).ok()).collect()
}
