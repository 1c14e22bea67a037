//! Walking a flow's interchanges in time order: the index's shards are read side by side and merged, so that a page
//! ends at one place for all of them and nothing is lost or repeated there.

use std::collections::{BTreeSet, VecDeque};

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Filter, FlowName, Interchange, InterchangeId};
use futures::future::try_join_all;

use crate::item::{Item, log_unreadable, s, text};
use crate::keys::{self, INDEX_SK, ROW};
use crate::{Table, TableError, codec};

/// Rows a page may read before it answers with what it has and a cursor.
const MAX_SCANNED: usize = 20_000;

/// Bytes of rows that a page holds before it ends early: an answer of a function has 6 MB at most, so that more would be read in vain.
const MAX_BYTES: usize = 3_000_000;

/// Which end of time comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Order {
    /// Newest failure first.
    Newest,
    /// Oldest failure first.
    Oldest,
}

/// How far a walk has come: the sort key of the last interchange it passed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position(pub String);

impl Position {
    /// The position of an interchange: a walk that continues from there does not return it again.
    #[must_use]
    pub fn of(interchange: &Interchange) -> Self {
        Self(keys::index_sort(interchange.failure.at, &interchange.id))
    }
}

/// A row of a list: an interchange as lists show it, or the id of one that this release cannot read.
pub type Row = Result<Interchange, UnreadableRow>;

/// An interchange that this release cannot read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableRow {
    pub id: InterchangeId,
    /// Where a walk continues after it.
    pub position: Position,
}

/// Some interchanges in order.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// As lists show them.
    pub items: Vec<Row>,
    /// Where to go on; `None` at the end.
    pub next: Option<Position>,
    /// Where to go on after each of the items.
    pub(crate) places: Vec<Position>,
}

impl Page {
    /// Where to go on when only the first `shown` items are used; `None` at the end.
    #[must_use]
    pub fn after(&self, shown: usize) -> Option<Position> {
        if shown < self.items.len() {
            shown.checked_sub(1).map(|last| self.places[last].clone())
        } else {
            self.next.clone()
        }
    }
}

/// One partition of the index on its way through a walk.
struct Shard {
    partition: String,
    buffer: VecDeque<Item>,
    /// The key after which the next read begins; `None` to read from the start.
    after: Option<String>,
    ended: bool,
}

impl Table {
    /// Up to `limit` interchanges of `flow` that `filter` matches, from `from` on. A page may hold fewer, even
    /// none, when much was read to find them; as long as it names a position there is more to walk. What cannot be read is
    /// among them if the filter has only status and time: its position shows that it may match.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn list(
        &self,
        flow: &FlowName,
        filter: &Filter,
        order: Order,
        limit: usize,
        from: Option<&Position>,
    ) -> Result<Page, TableError> {
        let from = from.map(|position| position.0.as_str());
        self.list_where(flow, filter, order, limit, from, |_| true).await
    }

    /// As [`Self::list`], of those that `takes` lets through as well, from the sort key `from` on.
    pub(crate) async fn list_where(
        &self,
        flow: &FlowName,
        filter: &Filter,
        order: Order,
        limit: usize,
        from: Option<&str>,
        takes: impl Fn(&Row) -> bool,
    ) -> Result<Page, TableError> {
        let start = from.map(str::to_owned).or_else(|| bound(filter, order));
        let classes: BTreeSet<&str> = filter.statuses().into_iter().map(keys::index_class).collect();
        let mut shards: Vec<Shard> = classes
            .into_iter()
            .flat_map(|class| (0..keys::SHARDS).map(move |shard| (class, shard)))
            .map(|(class, shard)| Shard {
                partition: keys::index_partition(flow, class, shard),
                buffer: VecDeque::new(),
                after: start.clone(),
                ended: false,
            })
            .collect();
        let mut found = Page::default();
        let mut scanned = 0;
        let mut bytes = 0;
        let mut size = limit / 4 + 8;
        while scanned < MAX_SCANNED && bytes < MAX_BYTES {
            let dry = shards.iter_mut().filter(|shard| shard.buffer.is_empty() && !shard.ended);
            try_join_all(dry.map(|shard| self.read(shard, order, size))).await?;
            size = 250;
            let Some(item) = next(&mut shards, order)? else {
                return Ok(Page { next: None, ..found });
            };
            scanned += 1;
            let at = text(&item, INDEX_SK)?.to_owned();
            if beyond(filter, order, &at) {
                return Ok(Page { next: None, ..found });
            }
            let place = Position(at);
            let row = row(&item, &place)?;
            let is_meant = match &row {
                Ok(interchange) => filter.matches(interchange),
                Err(_) => filter.is_by_status_and_time(),
            };
            let matches = is_meant && takes(&row);
            // One more than asked for is looked for, so that a page that names a position is not the last.
            if matches && found.items.len() == limit {
                break;
            }
            if matches {
                bytes += text(&item, ROW).map_or(0, str::len);
                found.items.push(row);
                found.places.push(place.clone());
            }
            found.next = Some(place);
        }
        Ok(found)
    }

    async fn read(&self, shard: &mut Shard, order: Order, size: usize) -> Result<(), TableError> {
        let condition = match (&shard.after, order) {
            (None, _) => keys::BY_INDEX,
            (Some(_), Order::Oldest) => keys::BY_INDEX_AFTER,
            (Some(_), Order::Newest) => keys::BY_INDEX_BEFORE,
        };
        let mut query = self
            .client
            .query()
            .table_name(&self.name)
            .index_name(keys::INDEX)
            .key_condition_expression(condition)
            .expression_attribute_values(":ip", s(&shard.partition))
            .scan_index_forward(order == Order::Oldest)
            .limit(i32::try_from(size).unwrap_or(i32::MAX));
        if let Some(after) = &shard.after {
            query = query
                .expression_attribute_names("#is", INDEX_SK)
                .expression_attribute_values(":is", AttributeValue::S(after.clone()));
        }
        let page = query.send().await.map_err(TableError::call("Query"))?;
        shard.ended = page.last_evaluated_key.is_none();
        shard.buffer = page.items.unwrap_or_default().into();
        if let Some(last) = shard.buffer.back() {
            shard.after = Some(text(last, INDEX_SK)?.to_owned());
        }
        Ok(())
    }
}

/// Takes the item that comes first over all shards.
fn next(shards: &mut [Shard], order: Order) -> Result<Option<Item>, TableError> {
    let mut first: Option<(usize, &str)> = None;
    for (i, shard) in shards.iter().enumerate() {
        let Some(item) = shard.buffer.front() else { continue };
        let at = text(item, INDEX_SK)?;
        let earlier = first.is_none_or(|(_, best)| match order {
            Order::Oldest => at < best,
            Order::Newest => at > best,
        });
        if earlier {
            first = Some((i, at));
        }
    }
    let first = first.map(|(i, _)| i);
    Ok(first.and_then(|i| shards[i].buffer.pop_front()))
}

fn row(item: &Item, place: &Position) -> Result<Row, TableError> {
    let unreadable = |error| {
        log_unreadable(&error);
        Ok(Err(UnreadableRow { id: codec::id(item)?, position: place.clone() }))
    };
    codec::listed(item).map(Ok).or_else(unreadable)
}

/// Where a filter on time lets a walk begin.
fn bound(filter: &Filter, order: Order) -> Option<String> {
    match order {
        Order::Oldest => filter.from.map(keys::sortable),
        Order::Newest => filter.to.map(keys::sortable),
    }
}

/// Whether a walk has passed everything a filter on time can match.
fn beyond(filter: &Filter, order: Order, at: &str) -> bool {
    match order {
        Order::Oldest => filter.to.is_some_and(|to| at >= keys::sortable(to).as_str()),
        Order::Newest => filter.from.is_some_and(|from| at < keys::sortable(from).as_str()),
    }
}
