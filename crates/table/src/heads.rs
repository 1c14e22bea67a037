//! Reading interchanges: one, many, and one with its log.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::KeysAndAttributes;
use domain::{Event, FlowName, Interchange, InterchangeId};

use crate::item::{Item, key, log_unreadable, s, text};
use crate::keys::{self, SK};
use crate::transact::pause;
use crate::{Table, TableError, codec, event_codec};

/// Most keys of one `BatchGetItem`.
pub(crate) const MAX_KEYS: usize = 100;

/// Bytes of a log after which no more of it is read: a function answers with 6 MB at most, and no event is shorter there.
const MAX_LOG_BYTES: usize = 6_000_000;

/// Tries of a batch that is answered in part.
const TRIES: u32 = 10;

/// Interchanges that were read together.
#[derive(Debug, Clone, Default)]
pub struct Heads {
    read: HashMap<InterchangeId, Interchange>,
    /// With whose they are, where that can be told.
    unreadable: HashMap<InterchangeId, Option<FlowName>>,
}

impl Heads {
    /// The interchange; `None` where there is none, or none that can be read.
    #[must_use]
    pub fn get(&self, id: &InterchangeId) -> Option<&Interchange> {
        self.read.get(id)
    }

    /// As [`Heads::get`], and takes it out.
    pub fn remove(&mut self, id: &InterchangeId) -> Option<Interchange> {
        self.read.remove(id)
    }

    /// Whether there is something under this id that this release cannot read.
    #[must_use]
    pub fn is_unreadable(&self, id: &InterchangeId) -> bool {
        self.unreadable.contains_key(id)
    }

    /// As [`Heads::is_unreadable`], of what is known to belong to this flow.
    #[must_use]
    pub fn is_unreadable_of(&self, id: &InterchangeId, flow: &FlowName) -> bool {
        self.unreadable.get(id).is_some_and(|owner| owner.as_ref() == Some(flow))
    }

    /// Those that were read, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Interchange> {
        self.read.values()
    }
}

impl From<Interchange> for Heads {
    /// One that was read by itself.
    fn from(interchange: Interchange) -> Self {
        Self { read: HashMap::from([(interchange.id.clone(), interchange)]), unreadable: HashMap::new() }
    }
}

impl Table {
    /// The interchange as it is now. One of which only an early outcome is known is not there.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn head(&self, id: &InterchangeId) -> Result<Option<Interchange>, TableError> {
        let item = self.get(key(keys::interchange(id), keys::HEAD)).await?;
        Ok(item.as_ref().map(codec::interchange).transpose()?.filter(|head| !head.is_early()))
    }

    /// The interchanges as they are now; unknown ids are left out, and so are those of which only an early outcome is known.
    ///
    /// # Errors
    /// When the table cannot be read. One that cannot be read itself is among the [`Heads`] as such.
    pub async fn heads(&self, ids: impl IntoIterator<Item = &InterchangeId>) -> Result<Heads, TableError> {
        let mut heads = self.heads_and_early(ids).await?;
        heads.read.retain(|_, head| !head.is_early());
        Ok(heads)
    }

    /// As [`Self::heads`], and those of which only an [early](Interchange::is_early) outcome is known: they are kept under the
    /// key of the head, so that a first failure meets them without another read.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn heads_and_early(&self, ids: impl IntoIterator<Item = &InterchangeId>) -> Result<Heads, TableError> {
        let keys = ids.into_iter().map(|id| key(keys::interchange(id), keys::HEAD)).collect();
        let mut heads = Heads::default();
        for item in self.get_all(keys).await? {
            match codec::interchange(&item) {
                Ok(interchange) => {
                    heads.read.insert(interchange.id.clone(), interchange);
                }
                Err(error) => {
                    log_unreadable(&error);
                    let TableError::Unreadable { flow, .. } = error else { return Err(error) };
                    heads.unreadable.extend(codec::id(&item).ok().map(|id| (id, flow)));
                }
            }
        }
        Ok(heads)
    }

    /// The interchange with the newest events of its log, oldest first: those before the event `before` where it is given.
    /// All of them, unless they are more than an answer can hold.
    ///
    /// The head is read first, then the log newest first: a concurrent commit adds to what was read already.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn interchange_with_log(
        &self,
        id: &InterchangeId,
        before: Option<u64>,
    ) -> Result<Option<(Interchange, Vec<Event>)>, TableError> {
        let last = before.map_or(keys::HEAD.to_owned(), |before| keys::event(before.saturating_sub(1)));
        let query = self
            .query(keys::BETWEEN)
            .expression_attribute_values(":pk", s(keys::interchange(id)))
            .expression_attribute_values(":first", s(keys::EVENT_PREFIX))
            .expression_attribute_values(":last", s(last))
            .scan_index_forward(false);
        let mut head = if before.is_some() { self.head(id).await? } else { None };
        let mut events = Vec::new();
        let mut bytes = 0;
        let mut start = None;
        loop {
            let page = query.clone().set_exclusive_start_key(start).send().await.map_err(TableError::call("Query"))?;
            for item in page.items.unwrap_or_default() {
                if text(&item, SK)? == keys::HEAD {
                    head = Some(codec::interchange(&item)?);
                } else {
                    bytes += event_codec::texts(&item).map(str::len).sum::<usize>();
                    events.extend(event_codec::events(&item));
                }
            }
            start = page.last_evaluated_key;
            if start.is_none() || bytes > MAX_LOG_BYTES {
                break;
            }
        }
        events.retain(|event| before.is_none_or(|before| event.sequence < before));
        events.sort_by_key(|event| event.sequence);
        Ok(head.filter(|head| !head.is_early()).map(|head| (head, events)))
    }

    pub(crate) async fn get(&self, key: Item) -> Result<Option<Item>, TableError> {
        let call = self.client.get_item().table_name(&self.name).set_key(Some(key)).consistent_read(true);
        Ok(call.send().await.map_err(TableError::call("GetItem"))?.item)
    }

    /// Reads many items, consistently, a hundred a call; missing ones are left out.
    pub(crate) async fn get_all(&self, keys: Vec<Item>) -> Result<Vec<Item>, TableError> {
        let mut items = Vec::with_capacity(keys.len());
        for keys in keys.chunks(MAX_KEYS) {
            let mut wanted = keys.to_vec();
            for attempt in 0.. {
                if attempt == TRIES {
                    return Err(TableError::Contended { operation: "BatchGetItem", tries: TRIES });
                }
                let request = KeysAndAttributes::builder().set_keys(Some(wanted)).consistent_read(true).build();
                let request = self.built(request)?;
                let call = self.client.batch_get_item().request_items(&self.name, request);
                let answer = call.send().await.map_err(TableError::call("BatchGetItem"))?;
                items.extend(answer.responses.unwrap_or_default().into_values().flatten());
                let left = answer.unprocessed_keys.unwrap_or_default().into_values().flat_map(|k| k.keys);
                wanted = left.collect();
                if wanted.is_empty() {
                    break;
                }
                pause(attempt).await;
            }
        }
        Ok(items)
    }

    /// A consistent query of the table with this key condition.
    pub(crate) fn query(&self, condition: &str) -> QueryFluentBuilder {
        self.client.query().table_name(&self.name).key_condition_expression(condition).consistent_read(true)
    }

    /// Runs a query to its end.
    pub(crate) async fn query_all(&self, query: QueryFluentBuilder) -> Result<Vec<Item>, TableError> {
        let mut items = Vec::new();
        let mut start = None;
        loop {
            let page = query.clone().set_exclusive_start_key(start).send().await;
            let page = page.map_err(TableError::call("Query"))?;
            items.extend(page.items.unwrap_or_default());
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(items);
            }
        }
    }
}
