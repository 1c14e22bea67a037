//! Every read of the API.

use std::collections::BTreeMap;

use contract::api::FlowFacts;
use domain::{
    Event, Filter, Flow, FlowAccess, FlowName, Interchange, InterchangeId, JobId, Minute, PayloadMeta, PayloadSide,
    Stages, Status, Timestamp,
};
use futures::TryFutureExt;
use futures::future::try_join;
use table::{FlowCounts, GroupCount, JobRecord, Order, Page, Position, Table, UnreadableJob};

use crate::AppError;
use crate::seen::seen;

/// Reads for the API.
#[derive(Debug)]
pub struct Reader {
    table: Table,
    defaults: Stages,
}

/// A flow with what is known of it.
#[derive(Debug, Clone)]
pub struct FlowView {
    /// Its configuration.
    pub flow: Flow,
    /// Counts and times.
    pub facts: FlowFacts,
}

/// A payload as it was kept.
#[derive(Debug, Clone)]
pub struct PayloadView {
    pub revision: u32,
    /// What it is.
    pub meta: PayloadMeta,
    pub bytes: Vec<u8>,
}

/// Why there is no payload to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoPayload {
    /// Nothing is known of the interchange, or the caller may not see its flow.
    Interchange,
    /// It has none on this side, or none any more.
    Side,
    /// It has one, and never had this revision of it.
    Revision(u32),
}

impl Reader {
    /// Reads from `table`.
    #[must_use]
    pub fn new(table: Table, defaults: Stages) -> Self {
        Self { table, defaults }
    }

    /// All flows that a caller may see; those with failures first, the most failures first.
    ///
    /// # Errors
    /// When the DynamoDB request fails.
    pub async fn flows(&self, access: &FlowAccess, now: Timestamp) -> Result<Vec<FlowView>, AppError> {
        let mut counts = self.table.flow_counts(now).await?;
        counts.retain(|flow, _| access.allows(flow));
        let configured = self.table.flows(counts.keys()).map_err(AppError::from);
        let (mut configured, runs) = try_join(configured, self.next_runs(&counts, now)).await?;
        let view = |(name, counts): (FlowName, FlowCounts)| {
            let flow = configured.remove(&name).unwrap_or_else(|| Flow::registered(name, &self.defaults, now));
            view(flow, counts, &runs)
        };
        let mut views: Vec<FlowView> = counts.into_iter().map(view).collect();
        views.sort_by_key(|view| std::cmp::Reverse(failed(&view.facts)));
        Ok(views)
    }

    /// One flow; `None` when it was never configured and never failed.
    ///
    /// # Errors
    /// When the DynamoDB request fails.
    pub async fn flow(&self, name: &FlowName, now: Timestamp) -> Result<Option<FlowView>, AppError> {
        let counts = self.table.counts_of(name, now).map_err(AppError::from);
        let (flow, counts) = try_join(self.known_flow(name, now), counts).await?;
        let Some(flow) = flow else { return Ok(None) };
        let runs = self.next_runs([(name, &counts)], now).await?;
        Ok(Some(view(flow, counts, &runs)))
    }

    /// The failure groups of a flow; `None` when there is no such flow.
    ///
    /// # Errors
    /// When the DynamoDB request fails.
    pub async fn groups(&self, name: &FlowName, now: Timestamp) -> Result<Option<Vec<GroupCount>>, AppError> {
        match self.known_flow(name, now).await? {
            Some(_) => Ok(Some(self.table.groups(name).await?)),
            None => Ok(None),
        }
    }

    /// A page of a flow's interchanges; `None` when there is no such flow.
    ///
    /// # Errors
    /// When the DynamoDB request fails.
    pub async fn interchanges(
        &self,
        flow: &FlowName,
        filter: &Filter,
        order: Order,
        limit: usize,
        from: Option<&Position>,
        now: Timestamp,
    ) -> Result<Option<Page>, AppError> {
        let page = match order {
            Order::Newest => self.table.list_newest(flow, filter, limit, from, now).await?,
            Order::Oldest => self.table.list(flow, filter, order, limit, from).await?,
        };
        // What holds an interchange exists: only an empty answer needs a second look.
        let exists = !page.items.is_empty() || from.is_some() || self.exists(flow).await?;
        Ok(exists.then_some(page))
    }

    /// An interchange with the newest events of its log, or the newest before the one of this number, and its flow; `None`
    /// when nothing is known of it or the caller may not see its flow. They are as many as an answer can hold, or more.
    ///
    /// # Errors
    /// When the DynamoDB request fails.
    pub async fn interchange(
        &self,
        id: &InterchangeId,
        before: Option<u64>,
        access: &FlowAccess,
        now: Timestamp,
    ) -> Result<Option<(Interchange, Vec<Event>, Flow)>, AppError> {
        let found = self.table.interchange_with_log(id, before).await;
        let Some((interchange, events)) = seen(access, found, |(found, _)| &found.flow)? else { return Ok(None) };
        let flow = self.known_flow(&interchange.flow, now).await?;
        let flow = flow.unwrap_or_else(|| Flow::registered(interchange.flow.clone(), &self.defaults, now));
        Ok(Some((interchange, events, flow)))
    }

    /// A payload's bytes: the newest revision, or the one asked for.
    ///
    /// # Errors
    /// When the DynamoDB request fails.
    pub async fn payload(
        &self,
        id: &InterchangeId,
        side: PayloadSide,
        revision: Option<u32>,
        access: &FlowAccess,
    ) -> Result<Result<PayloadView, NoPayload>, AppError> {
        let found = seen(access, self.table.head(id).await, |head| &head.flow)?;
        let Some(interchange) = found else { return Ok(Err(NoPayload::Interchange)) };
        let payloads = interchange.payloads(side);
        let Some(newest) = payloads.current() else { return Ok(Err(NoPayload::Side)) };
        let found = match revision {
            None => Some(newest.clone()),
            Some(number) if payloads.is_older(number) => self.table.logged_revision(id, side, number).await?,
            Some(number) => payloads.revision(number).cloned(),
        };
        let Some(found) = found else { return Ok(Err(NoPayload::Revision(revision.unwrap_or_default()))) };
        let bytes = self.table.payload(id, &found).await?;
        let view = bytes.map(|bytes| PayloadView { revision: found.number, meta: found.meta.clone(), bytes });
        Ok(view.ok_or(NoPayload::Side))
    }

    /// A job; `None` when there is no such one or the caller may not see its flow.
    ///
    /// # Errors
    /// When the DynamoDB request fails.
    pub async fn job(&self, id: &JobId, access: &FlowAccess) -> Result<Option<JobRecord>, AppError> {
        Ok(seen(access, self.table.job(id).await, |record| &record.job.flow)?)
    }

    /// Up to `limit` of a flow's jobs from `from` on, newest first; `None` when there is no such flow.
    ///
    /// # Errors
    /// When the DynamoDB request fails.
    pub async fn jobs(
        &self,
        flow: &FlowName,
        limit: usize,
        from: Option<&Position>,
    ) -> Result<Option<Vec<Result<JobRecord, UnreadableJob>>>, AppError> {
        let jobs = self.table.jobs_of(flow, limit, from).await?;
        let exists = !jobs.is_empty() || from.is_some() || self.exists(flow).await?;
        Ok(exists.then_some(jobs))
    }

    /// The key that signs cursors.
    ///
    /// # Errors
    /// When the DynamoDB request fails.
    pub async fn cursor_key(&self, fresh: Vec<u8>) -> Result<Vec<u8>, AppError> {
        Ok(self.table.cursor_key(fresh).await?)
    }

    async fn exists(&self, flow: &FlowName) -> Result<bool, AppError> {
        Ok(flow.is_unassigned() || self.table.flow(flow).await?.is_some())
    }

    async fn known_flow(&self, name: &FlowName, now: Timestamp) -> Result<Option<Flow>, AppError> {
        let flow = self.table.flow(name).await?;
        let unassigned = || name.is_unassigned().then(|| Flow::registered(name.clone(), &self.defaults, now));
        Ok(flow.or_else(unassigned))
    }

    /// The next automatic retry of each flow that has one.
    async fn next_runs(
        &self,
        counts: impl IntoIterator<Item = (&FlowName, &FlowCounts)>,
        now: Timestamp,
    ) -> Result<BTreeMap<FlowName, Minute>, AppError> {
        let scheduled = counts.into_iter().filter(|(_, counts)| counts.scheduled > 0).map(|(name, _)| name.clone());
        Ok(self.table.next_retries(scheduled.collect(), Minute::at_or_after(now)).await?)
    }
}

fn view(flow: Flow, counts: FlowCounts, runs: &BTreeMap<FlowName, Minute>) -> FlowView {
    let facts = FlowFacts {
        counts: counts.by_status,
        oldest_failure_at: counts.oldest_failure_at,
        newest_failure_at: counts.newest_failure_at,
        next_run_at: runs.get(&flow.name).copied(),
    };
    FlowView { flow, facts }
}

fn failed(facts: &FlowFacts) -> u64 {
    let of = |status| facts.counts.get(&status).copied().unwrap_or(0);
    of(Status::Failed) + of(Status::PartiallyFailed)
}
