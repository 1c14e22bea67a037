//! What is written with an erasure, so that nothing that a partner or a person wrote is left: the log without its texts, the end of the
//! payloads, of kept answers, and of the samples that the interchange gave to its failure groups.
//!
//! All of it goes into the transaction that erases, with the version of the head as its condition: an interchange is erased as a whole or not
//! at all. What does not fit into one transaction is written before it, and its expiry after it. A worker that dies before the transaction
//! leaves an interchange that is not erased, and of which nothing expires; a repeat does the rest.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{Delete, Put};
use domain::{Event, FlowName, Interchange, InterchangeId, Status, Timestamp};

use crate::event_codec::{events, stored_again};
use crate::item::{Item, key, n, s, text};
use crate::keys::{self, BYTES, DATA, MESSAGE, PK, SK, TTL, VERSION};
use crate::retention::Other;
use crate::transact::Actions;
use crate::{Table, TableError, Work};

/// Items of an interchange that are written in the transaction that erases it: it has room for no more than a hundred.
const MAX_TOGETHER: usize = 80;

/// Bytes of these, below the 4 MB of a transaction.
const MAX_BYTES_TOGETHER: usize = 2_000_000;

/// Readings of the failure groups' rows, which may be folded meanwhile.
const TRIES: u32 = 5;

impl Work {
    /// Whether it erases the interchange.
    pub(crate) fn erases(&self) -> bool {
        self.after.status == Status::Erased && self.before.as_ref().is_none_or(|i| i.status != Status::Erased)
    }
}

impl Table {
    /// What is written with an erasure. `None` where it does not fit into the transaction: it is written now then, and its expiry is left to
    /// [`Self::set_ttl`].
    pub(crate) async fn erasure(&self, work: &Work, now: Timestamp) -> Result<Option<Actions>, TableError> {
        let id = &work.after.id;
        let log = self.query_all(self.items(id, keys::EVENT_PREFIX)).await?;
        let logged: Vec<Event> = log.iter().flat_map(events).collect();
        self.forget_samples(work, &logged).await?;

        let expires_at = self.expires_at(now);
        let mut scrubbed: Vec<Item> = log.iter().map(without_texts).collect::<Result<_, _>>()?;
        let answers = self.query_all(self.items(id, keys::ANSWER_PREFIX).projection_expression(keys::KEY)).await?;
        let payloads = self.query_all(self.items(id, keys::PAYLOAD_PREFIX).projection_expression(SK)).await?;
        if scrubbed.len() + answers.len() + payloads.len() > MAX_TOGETHER || bytes(&scrubbed) > MAX_BYTES_TOGETHER {
            for item in scrubbed {
                self.put_unless_newer(item, work).await?;
            }
            for answer in answers {
                self.delete(answer).await?;
            }
            self.remove_payloads(work, payloads, expires_at).await?;
            return Ok(None);
        }
        for item in &mut scrubbed {
            item.insert(VERSION.to_owned(), n(work.version()));
            item.insert(TTL.to_owned(), n(expires_at));
        }

        let mut actions = Actions::default();
        for item in scrubbed {
            actions.put(self.built(Put::builder().table_name(&self.name).set_item(Some(item)).build())?);
        }
        for answer in answers {
            actions.delete(self.built(Delete::builder().table_name(&self.name).set_key(Some(answer)).build())?);
        }
        let after = work.clone().committed(work.version());
        for item in payloads {
            actions.update(self.update(&after, &payload(&item)?, expires_at)?);
        }
        Ok(Some(actions))
    }

    /// Deletes the answers that requests were given about an interchange which is erased. To be done after the commit that erases: a
    /// request that ran beside it may have kept one since the erasure looked.
    pub(crate) async fn forget_answers(&self, id: &InterchangeId) -> Result<(), TableError> {
        let answers = self.items(id, keys::ANSWER_PREFIX).projection_expression(keys::KEY);
        for answer in self.query_all(answers).await? {
            self.delete(answer).await?;
        }
        Ok(())
    }

    fn items(&self, id: &InterchangeId, prefix: &str) -> QueryFluentBuilder {
        self.query(keys::BY_PREFIX)
            .expression_attribute_values(":pk", s(keys::interchange(id)))
            .expression_attribute_values(":sk", s(prefix))
    }

    /// Removes the texts of this interchange from the rows of its flow's failure groups. The next failure of a group gives it a new sample.
    async fn forget_samples(&self, work: &Work, logged: &[Event]) -> Result<(), TableError> {
        let head = work.before.as_ref().and_then(|before| before.error.message.as_deref());
        let texts: BTreeSet<&str> =
            logged.iter().filter_map(Event::error_text).chain(head).filter(|t| !t.is_empty()).collect();
        if texts.is_empty() {
            return Ok(());
        }
        for _ in 0..TRIES {
            let mut is_clean = true;
            for row in self.group_rows(&work.after.flow).await? {
                if text(&row, MESSAGE).is_ok_and(|sample| texts.contains(sample)) {
                    is_clean &= self.forget_sample(&row).await?;
                }
            }
            if is_clean {
                return Ok(());
            }
        }
        Err(TableError::Contended { operation: "UpdateItem", tries: TRIES })
    }

    /// Removes the sample from a row; `false` when the row was changed or folded into another one since it was read.
    async fn forget_sample(&self, row: &Item) -> Result<bool, TableError> {
        let update = self.client.update_item().table_name(&self.name);
        let update = update
            .set_key(Some(key(text(row, PK)?, text(row, SK)?)))
            .update_expression("REMOVE #msg")
            .condition_expression("#msg = :sample")
            .expression_attribute_names("#msg", MESSAGE)
            .expression_attribute_values(":sample", s(text(row, MESSAGE)?));
        match update.send().await {
            Ok(_) => Ok(true),
            Err(error)
                if error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
            {
                Ok(false)
            }
            Err(error) => Err(TableError::call("UpdateItem")(error)),
        }
    }

    async fn group_rows(&self, flow: &FlowName) -> Result<Vec<Item>, TableError> {
        let query = self
            .query(keys::BY_PREFIX)
            .expression_attribute_values(":pk", s(keys::flow(flow)))
            .expression_attribute_values(":sk", s(keys::GROUP_PREFIX))
            .expression_attribute_names("#msg", MESSAGE)
            .projection_expression("pk, sk, #msg");
        self.query_all(query).await
    }

    async fn put_unless_newer(&self, item: Item, work: &Work) -> Result<(), TableError> {
        let put = self.client.put_item().table_name(&self.name).set_item(Some(item));
        let put = put
            .condition_expression("#v <= :v")
            .expression_attribute_names("#v", VERSION)
            .expression_attribute_values(":v", n(work.expected_version()));
        match put.send().await {
            // Another commit was faster: the transaction fails on the version of the head.
            Err(error)
                if !error.as_service_error().is_some_and(PutItemError::is_conditional_check_failed_exception) =>
            {
                Err(TableError::call("PutItem")(error))
            }
            _ => Ok(()),
        }
    }

    async fn remove_payloads(&self, work: &Work, items: Vec<Item>, expires_at: i64) -> Result<(), TableError> {
        let before: &Interchange = work.before.as_ref().unwrap_or(&work.after);
        let others: Vec<Other> = items.iter().map(payload).collect::<Result<_, _>>()?;
        self.run(others.iter().map(|other| self.ending(before, other, expires_at)).collect()).await
    }
}

/// An item of payload bytes, which are to go from it.
fn payload(item: &Item) -> Result<Other, TableError> {
    Ok(Other { sk: text(item, SK)?.to_owned(), removes: vec![BYTES.to_owned()] })
}

/// An item of the log with its events alone, and without their texts. It carries no payload any more; version and expiry stay.
fn without_texts(item: &Item) -> Result<Item, TableError> {
    let mut logged = events(item);
    logged.sort_by_key(|event| event.sequence);
    let logged: Vec<Event> = logged.into_iter().map(Event::without_texts).collect();
    let mut scrubbed = key(text(item, PK)?, text(item, SK)?);
    scrubbed.insert(DATA.to_owned(), s(stored_again(&logged)));
    let stays = [VERSION, TTL].into_iter().filter_map(|name| item.get_key_value(name));
    scrubbed.extend(stays.map(|(name, value)| (name.clone(), value.clone())));
    Ok(scrubbed)
}

fn bytes(items: &[Item]) -> usize {
    items.iter().map(|item| text(item, DATA).map_or(0, str::len)).sum()
}
