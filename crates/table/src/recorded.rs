//! The records of sends, as the deadline asks for them.

use std::collections::{BTreeMap, HashMap};

use domain::{Claim, Interchange, RecordedSend, Timestamp};

use crate::item::{Item, key, text};
use crate::keys::{self, RUN, SENT, SK, WORK};
use crate::leases::{DONE_AT, progress};
use crate::list::Position;
use crate::{Table, TableError};

/// What is recorded of the sends of some units of work.
#[derive(Debug, Default)]
pub struct RecordedSends(HashMap<(String, String), Item>);

impl Table {
    /// Reads the records of the units that took these interchanges: one small read for each unit.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn recorded_sends<'a>(
        &self,
        waiting: impl IntoIterator<Item = &'a Interchange>,
    ) -> Result<RecordedSends, TableError> {
        let flights = waiting.into_iter().filter_map(|interchange| interchange.flight.as_ref());
        let wanted: BTreeMap<(String, String), ()> =
            flights.filter_map(|flight| record_key(&flight.claim)).map(|key| (key, ())).collect();
        if wanted.is_empty() {
            return Ok(RecordedSends::default());
        }
        let items = self.get_all(wanted.into_keys().map(|(pk, sk)| key(pk, sk)).collect()).await?;
        let keyed = items.into_iter().map(|item| {
            let key = (text(&item, keys::PK)?.to_owned(), text(&item, SK)?.to_owned());
            Ok((key, item))
        });
        Ok(RecordedSends(keyed.collect::<Result<_, TableError>>()?))
    }
}

impl RecordedSends {
    /// What is recorded of the send of this interchange's attempt.
    #[must_use]
    pub fn of(&self, interchange: &Interchange) -> RecordedSend {
        let Some(flight) = &interchange.flight else { return RecordedSend::Missing };
        let Some(key) = record_key(&flight.claim) else { return RecordedSend::At(flight.sent_at) };
        let Some(item) = self.0.get(&key) else {
            return match &flight.claim {
                // A chunk outlives its job by its retention: one that is gone was done long ago.
                Claim::Chunk { .. } => RecordedSend::At(flight.sent_at),
                _ => RecordedSend::Missing,
            };
        };
        match &flight.claim {
            Claim::Run { generation, .. } => of_run(item, *generation, interchange, flight.sent_at),
            _ => done_at(item),
        }
    }
}

fn done_at(item: &Item) -> RecordedSend {
    let at = text(item, DONE_AT).ok().and_then(|text| text.parse::<Timestamp>().ok());
    at.map_or(RecordedSend::Missing, RecordedSend::At)
}

/// A run records how far it has come: what it passed is on the stage, and so is all of its earlier generations.
fn of_run(item: &Item, generation: u64, interchange: &Interchange, claimed_at: Timestamp) -> RecordedSend {
    let Ok(progress) = progress(item) else { return RecordedSend::Missing };
    let is_left = progress.left.is_some_and(|left| left.ids.iter().any(|id| id == interchange.id.as_str()));
    let passed = !is_left && progress.position.is_some_and(|position| Position::of(interchange) <= position);
    if progress.generation > generation || (progress.generation == generation && (progress.ended || passed)) {
        RecordedSend::At(claimed_at)
    } else {
        RecordedSend::Missing
    }
}

/// Where the record of a unit is; `None` for work of an earlier release, which kept none.
fn record_key(claim: &Claim) -> Option<(String, String)> {
    match claim {
        Claim::Chunk { job, number } => Some((keys::job(job), keys::chunk(*number))),
        Claim::Batch { .. } => Some((keys::sent(claim), SENT.to_owned())),
        Claim::Run { slot, .. } => Some((keys::run(slot), RUN.to_owned())),
        Claim::Request(id) => Some((keys::request(id), WORK.to_owned())),
        Claim::Earlier(_) => None,
    }
}
