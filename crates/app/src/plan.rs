//! Planning a job: what it would take, counted as the job itself will, and nothing changed.

use std::collections::BTreeMap;

use domain::{FlowAccess, Interchange, Job, Selection, Timestamp};
use table::Order;

use crate::execute::UNREADABLE;
use crate::jobs::job;
use crate::{JobError, JobOrder, Jobs};

/// What a job would take.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// How many.
    pub count: u64,
    /// Whether `count` is all of them, or there are more than were looked at.
    pub is_exact: bool,
    /// The oldest of them.
    pub sample: Vec<Interchange>,
    /// How many of them the job would pass over, by reason, as far as they tell now.
    pub skips: BTreeMap<String, u64>,
    /// The time at which the selection was frozen: sent back with the job, it takes exactly these.
    pub as_of: Timestamp,
    /// When the newest failure of them was recorded.
    newest: Option<Timestamp>,
}

/// Interchanges of a plan that are shown.
const SAMPLE: usize = 10;

/// Interchanges that a plan counts, a page of the walk at a time.
const COUNTED: u64 = 200_000;
const PAGE: usize = 10_000;

impl Jobs {
    /// What a job would take, and nothing changed.
    ///
    /// # Errors
    /// As [`Jobs::create`], but for what only making a job can meet.
    pub async fn plan(&self, order: JobOrder, access: &FlowAccess, now: Timestamp) -> Result<Plan, JobError> {
        self.check(&order, access, now).await?;
        let asks_for_time = order.request.as_of.is_some();
        let (job, _) = job(order, now);
        let mut plan = Plan { is_exact: true, as_of: job.as_of, ..Plan::default() };
        match &job.selection {
            Selection::Ids(ids) => {
                let heads = self.table.heads(ids).await?;
                let known = |id| match heads.get(id) {
                    Some(head) if head.flow == job.flow => Ok(head),
                    None if heads.is_unreadable_of(id, &job.flow) => Err(UNREADABLE),
                    _ => Err("not-found"),
                };
                plan.add(&job, ids.iter().map(known));
            }
            Selection::Filter(_) | Selection::All => self.plan_walk(&job, &mut plan).await?,
        }
        // Not now: a batch that is being taken in was recorded when it began, and nobody sees it before its commit.
        if let Some(newest) = plan.newest.filter(|_| plan.is_exact && !asks_for_time) {
            plan.as_of = newest.min(plan.as_of);
        }
        Ok(plan)
    }

    async fn plan_walk(&self, job: &Job, plan: &mut Plan) -> Result<(), JobError> {
        let filter = job.filter().unwrap_or_default();
        let mut from = None;
        loop {
            let page = self.table.list(&job.flow, &filter, Order::Oldest, PAGE, from.as_ref()).await?;
            let rows = page.items.iter().map(|row| row.as_ref().map_err(|_| UNREADABLE));
            plan.add(job, rows.filter(|row| row.map_or(true, |interchange| job.selects(interchange))));
            from = page.next;
            if from.is_none() || job.limits.cap == Some(plan.count) {
                return Ok(());
            }
            if plan.count >= COUNTED {
                plan.is_exact = false;
                return Ok(());
            }
        }
    }
}

impl Plan {
    /// Counts what the job would take, as the job will: also those that are not there or cannot be read, with the reason
    /// why it would pass over them.
    fn add<'a>(&mut self, job: &Job, found: impl Iterator<Item = Result<&'a Interchange, &'static str>>) {
        let room = job.limits.cap.map_or(usize::MAX, |cap| usize::try_from(cap - self.count).unwrap_or(usize::MAX));
        for interchange in found.take(room) {
            self.count += 1;
            if let Some(reason) = interchange.map_or_else(Some, |i| job.would_skip(i)) {
                *self.skips.entry(reason.to_owned()).or_default() += 1;
            }
            self.newest = self.newest.max(interchange.ok().map(|i| i.failure.recorded_at));
            if self.sample.len() < SAMPLE {
                self.sample.extend(interchange.ok().cloned());
            }
        }
    }
}
