//! Walking from the newest failure to the oldest while interchanges fail again. Such a one moves to the newest end, which
//! the walk has passed already. So at the oldest end the walk goes on over what has failed again since it began, and again
//! over what has failed again meanwhile, until that was done within one page.
//!
//! The walk must never be short of an interchange that it would have met, had nothing failed. It may meet one twice: where
//! it was, and where it is since it failed again.

use domain::{Filter, FlowName, Interchange, Timestamp};
use jiff::SignedDuration;

use crate::list::{Order, Page, Position};
use crate::{Table, TableError};

/// How long a commit may come after the clock was read for it: a function's time-out of 30 seconds, and clocks that
/// differ by as much.
const MAX_COMMIT_DELAY: SignedDuration = SignedDuration::from_mins(1);

/// How long after a failure its report may come in. What comes in later and was passed already may be missed.
const MAX_REPORT_DELAY: SignedDuration = SignedDuration::from_mins(15);

/// Between the parts of a position; no sort key contains it.
const SEPARATOR: char = '|';

/// Where a walk is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    /// Takes what has failed again since then; everything while there is none.
    since: Option<Timestamp>,
    /// When this stretch of the walk began.
    began: Timestamp,
    /// The last sort key passed; `None` at the newest end.
    key: Option<String>,
}

impl Place {
    fn first(now: Timestamp) -> Self {
        Self { since: None, began: now, key: None }
    }

    /// The stretch after this one, which begins at `now`.
    fn next(&self, now: Timestamp) -> Self {
        let since = match self.since {
            None => earlier(self.began, MAX_COMMIT_DELAY),
            Some(_) => self.began,
        };
        Self { since: Some(since), began: now, key: None }
    }

    fn at(&self, key: Position) -> Position {
        Self { key: Some(key.0), ..self.clone() }.position()
    }

    fn position(&self) -> Position {
        let since = self.since.map(|since| since.to_string()).unwrap_or_default();
        let key = self.key.as_deref().unwrap_or_default();
        Position(format!("{since}{SEPARATOR}{}{SEPARATOR}{key}", self.began))
    }

    /// Reads a position back. A stretch of which nothing was walked yet begins at `now`.
    fn read(position: &Position, now: Timestamp) -> Option<Self> {
        let mut parts = position.0.splitn(3, SEPARATOR);
        let (since, began, key) = (parts.next()?, parts.next()?, parts.next()?);
        let since = if since.is_empty() { None } else { Some(since.parse().ok()?) };
        let key = Some(key.to_owned()).filter(|key| !key.is_empty());
        let began = if key.is_none() { now } else { began.parse().ok()? };
        Some(Self { since, began, key })
    }

    /// The filter for this stretch: what has failed again is at the newest end.
    fn narrowed(&self, filter: &Filter) -> Filter {
        let least = self.since.map(|since| earlier(since, MAX_REPORT_DELAY));
        Filter { from: filter.from.max(least), ..filter.clone() }
    }

    /// Whether the stretch is about this one. What was committed more than once and failed since then has failed again, or
    /// is new.
    fn takes(&self, interchange: &Interchange) -> bool {
        self.since.is_none_or(|since| interchange.version > 1 && interchange.failure.recorded_at >= since)
    }
}

impl Table {
    /// As [`Self::list`] from the newest failure on, and never short of one that fails again during the walk. Once
    /// everything was walked, what failed again meanwhile follows, with its new place. The walk that `from` continues
    /// began with this method too.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn list_newest(
        &self,
        flow: &FlowName,
        filter: &Filter,
        limit: usize,
        from: Option<&Position>,
        now: Timestamp,
    ) -> Result<Page, TableError> {
        let mut place = from.and_then(|from| Place::read(from, now)).unwrap_or_else(|| Place::first(now));
        let mut page = Page::default();
        loop {
            let begins = place.key.is_none();
            let narrowed = place.narrowed(filter);
            let room = limit - page.items.len();
            // Where the page is full, one more is looked for, so that a page that names a position is not the last.
            let found = self
                .list_where(flow, &narrowed, Order::Newest, room.max(1), place.key.as_deref(), |i| place.takes(i))
                .await?;
            if room == 0 && !found.items.is_empty() {
                page.next = Some(place.position());
                return Ok(page);
            }
            for (item, key) in found.items.into_iter().zip(found.places) {
                // Once in a page is enough.
                if !page.items.iter().any(|met| met.id == item.id) {
                    page.items.push(item);
                    page.places.push(place.at(key));
                }
            }
            if let Some(key) = found.next {
                page.next = Some(place.at(key));
                return Ok(page);
            }
            // What was walked within one page left nobody the time to fail again unseen.
            if begins {
                return Ok(page);
            }
            place = place.next(now);
        }
    }
}

fn earlier(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.checked_sub(by).unwrap_or(Timestamp::MIN)
}
