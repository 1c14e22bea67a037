//! Slots that exist before anything is enrolled in them: registered at the table and scheduled, so that after the
//! commit nothing is left to do and a crash leaves at most a slot with nobody in it. What is registered is found by the
//! sweep every minute, so a Scheduler that fails holds nothing up.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain::Slot;
use futures::future::try_join_all;
use schedules::Schedules;
use table::{Enrolled, Table, Work};

use crate::AppError;

/// Slots remembered as made, to make each once; forgotten together when there are this many.
const MAX_REMEMBERED: usize = 10_000;

/// How long Scheduler is not asked after it failed, so that its time-outs do not hold up what is taken in.
const PAUSE: Duration = Duration::from_secs(30);

/// Makes slots, once each for this execution environment.
#[derive(Debug)]
pub struct Slots {
    table: Table,
    schedules: Option<Schedules>,
    made: Mutex<HashSet<(Slot, Enrolled)>>,
    /// Scheduler failed and is not asked until then.
    down_until: Mutex<Option<Instant>>,
}

impl Slots {
    /// Registers at `table`, schedules through `schedules`.
    #[must_use]
    pub fn new(table: Table, schedules: Schedules) -> Self {
        Self { table, schedules: Some(schedules), made: Mutex::default(), down_until: Mutex::default() }
    }

    /// Registers at `table` alone, for work that enrols no interchange. If one is enrolled all the same, the sweep finds it.
    #[must_use]
    pub fn unscheduled(table: Table) -> Self {
        Self { table, schedules: None, made: Mutex::default(), down_until: Mutex::default() }
    }

    /// Makes every slot that these works are enrolled in.
    ///
    /// # Errors
    /// When the table cannot be written; nothing is enrolled then.
    pub(crate) async fn ensure(&self, works: &[Work]) -> Result<(), AppError> {
        let wanted: BTreeSet<(Slot, Enrolled)> =
            works.iter().filter_map(|work| Some((work.enrols_in()?, work.enrolled_as()))).collect();
        let fresh: Vec<(Slot, Enrolled)> = {
            let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
            wanted.into_iter().filter(|slot| !made.contains(slot)).collect()
        };
        try_join_all(fresh.iter().map(|(slot, enrolled)| self.make(slot, *enrolled))).await?;
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if made.len() + fresh.len() > MAX_REMEMBERED {
            made.clear();
        }
        made.extend(fresh);
        Ok(())
    }

    async fn make(&self, slot: &Slot, enrolled: Enrolled) -> Result<(), AppError> {
        self.table.register_slot(slot, enrolled).await?;
        let Some(schedules) = self.schedules.as_ref().filter(|_| !self.is_down()) else { return Ok(()) };
        if let Err(error) = schedules.ensure(slot).await {
            tracing::warn!(error = crate::chain(&error), "a slot has no schedule, so the sweep dispatches it");
            *self.down_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + PAUSE);
        }
        Ok(())
    }

    fn is_down(&self) -> bool {
        let until = *self.down_until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| until > Instant::now())
    }
}
