//! Walking from the newest failure to the oldest while interchanges fail again. Such a one moves to the newest end, which
//! the walk has passed already. So at the oldest end the walk goes on over what has failed again since it began, and again
//! over what has failed again meanwhile, until that was done within one page.
//!
//! The walk must never be short of an interchange that it would have met, had nothing failed. It may meet one twice: where
//! it was, and where it is since it failed again.

use domain::{Filter, FlowName, Interchange, InterchangeId, Timestamp};
use jiff::SignedDuration;

use crate::list::{Order, Page, Position, Row};
use crate::{Table, TableError};

/// How long a commit may come after the clock was read for it: a function's time-out of 30 seconds, and clocks that
/// differ by as much.
const MAX_COMMIT_DELAY: SignedDuration = SignedDuration::from_mins(1);

/// How long after a failure its report may come in. What comes in later and was passed already may be missed.
const MAX_REPORT_DELAY: SignedDuration = SignedDuration::from_mins(15);

/// Between the parts of a position; no sort key contains it.
const SEPARATOR: &str = "|";

/// Where a walk is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    /// The first stretch is 0 and takes everything; the later ones take what has failed again since the one before began.
    stretch: u32,
    /// When the stretch before this one began.
    since: Timestamp,
    /// When this stretch began.
    began: Timestamp,
    /// The last sort key passed; `None` at the newest end.
    key: Option<String>,
}

impl Place {
    fn first(now: Timestamp) -> Self {
        Self { stretch: 0, since: now, began: now, key: None }
    }

    /// The stretch after this one, which begins at `now`.
    fn next(&self, now: Timestamp) -> Self {
        Self { stretch: self.stretch.saturating_add(1), since: self.began, began: now, key: None }
    }

    fn at(&self, key: Position) -> Position {
        Self { key: Some(key.0), ..self.clone() }.position()
    }

    fn position(&self) -> Position {
        let Self { stretch, since, began, key } = self;
        let key = key.as_deref().unwrap_or_default();
        Position([stretch.to_string().as_str(), &since.to_string(), &began.to_string(), key].join(SEPARATOR))
    }

    /// Reads a position back. A stretch of which nothing was walked yet begins at `now`.
    fn read(position: &Position, now: Timestamp) -> Option<Self> {
        let mut parts = position.0.splitn(4, SEPARATOR);
        let (stretch, since, began) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?);
        let key = parts.next().filter(|key| !key.is_empty()).map(str::to_owned);
        let began = if key.is_none() { now } else { began.parse().ok()? };
        Some(Self { stretch, since, began, key })
    }

    /// The filter for this stretch: what has failed again is at the newest end.
    fn narrowed(&self, filter: &Filter) -> Filter {
        let least = (self.stretch > 0).then(|| earlier(self.since, MAX_REPORT_DELAY));
        Filter { from: filter.from.max(least), ..filter.clone() }
    }

    /// Whether the stretch is about this one. What was committed more than once and failed since then has failed again, or
    /// is new. When the walk began, a commit may have been on its way whose failure was recorded just before.
    fn takes(&self, row: &Row) -> bool {
        match row {
            Ok(interchange) => self.takes_readable(interchange),
            Err(_) => self.stretch == 0,
        }
    }

    fn takes_readable(&self, interchange: &Interchange) -> bool {
        let recorded_at = interchange.failure.recorded_at;
        let was_on_its_way = || {
            let failed_again = interchange.status.is_failed() && interchange.attempt > 1;
            failed_again && recorded_at >= earlier(self.since, MAX_COMMIT_DELAY)
        };
        match self.stretch {
            0 => true,
            1 if was_on_its_way() => true,
            _ => interchange.version > 1 && recorded_at > self.since,
        }
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
                if !page.items.iter().any(|met| id_of(met) == id_of(&item)) {
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

fn id_of(row: &Row) -> &InterchangeId {
    match row {
        Ok(interchange) => &interchange.id,
        Err(unreadable) => &unreadable.id,
    }
}

fn earlier(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.checked_sub(by).unwrap_or(Timestamp::MIN)
}
