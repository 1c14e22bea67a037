//! Storing a flow's configuration.

use contract::FieldError;
use contract::api::{FlowPlan, JobRequest};
use domain::{
    Category, Flow, FlowName, HypotheticalFailure, Job, JobAction, JobId, JobLimits, JobStatus, Phase, Selection,
    Stages, Timestamp,
};
use queues::OwnQueues;
use table::{FlowPut, Table};

use crate::error::TRIES;
use crate::jobs::{first_step, job};
use crate::{AppError, JobOrder, Sweeper, WorkSender, journal};

/// Stores configurations.
#[derive(Debug)]
pub struct Configure {
    table: Table,
    work: WorkSender,
    sweeper: Sweeper,
    defaults: Stages,
    own: OwnQueues,
}

/// Most retries that a plan shows.
const SHOWN: usize = 20;

/// The replacement of a configuration, as it was asked for.
#[derive(Debug, Clone, Copy)]
pub struct FlowOrder<'a> {
    /// Of which flow.
    pub flow: &'a FlowName,
    /// The configuration's JSON.
    pub body: &'a [u8],
    /// The version that it must have.
    pub if_match: Option<u64>,
    /// Who asked.
    pub actor: &'a str,
}

/// Why a configuration was not stored.
#[derive(Debug, thiserror::Error)]
pub enum ConfigureError {
    /// A field is wrong.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// `If-Match` names another version than the flow has.
    #[error("the flow has version {version}")]
    VersionMismatch {
        /// The version it has; 0 when it has no configuration.
        version: u64,
    },
    /// The flow's failed interchanges were to be rescheduled, and it has an active job.
    #[error("job {} is active", .0.0)]
    JobActive(JobId),
    /// An AWS request failed.
    #[error(transparent)]
    App(#[from] AppError),
}

impl From<table::TableError> for ConfigureError {
    fn from(error: table::TableError) -> Self {
        Self::App(error.into())
    }
}

impl Configure {
    /// Stores at `table`; what was held of a flow that becomes active goes to `work`, and so do jobs that reschedule. The
    /// queues in `own` are refused as stages.
    #[must_use]
    pub fn new(table: Table, work: WorkSender, defaults: Stages, own: OwnQueues) -> Self {
        Self { sweeper: Sweeper::new(table.clone(), work.clone()), table, work, defaults, own }
    }

    /// Replaces a configuration.
    ///
    /// # Errors
    /// [`ConfigureError`]; with anything but `App` nothing was stored.
    pub async fn put(&self, order: FlowOrder<'_>, now: Timestamp) -> Result<Flow, ConfigureError> {
        self.store(order, None, now).await
    }

    /// Replaces a configuration and creates the job that reschedules the flow's failed interchanges: both or neither.
    ///
    /// # Errors
    /// As [`Configure::put`].
    pub async fn put_and_reschedule(
        &self,
        order: FlowOrder<'_>,
        now: Timestamp,
    ) -> Result<(Flow, JobId), ConfigureError> {
        let job = rescheduling(order, now);
        let flow = self.store(order, Some(&job), now).await?;
        Ok((flow, job.id))
    }

    async fn store(&self, order: FlowOrder<'_>, job: Option<&Job>, now: Timestamp) -> Result<Flow, ConfigureError> {
        for _ in 0..TRIES {
            let (before, mut flow) = self.read(order, now).await?;
            match self.table.put_flow(&flow, before.as_ref(), job).await? {
                FlowPut::Stored { version } => {
                    flow.version = version;
                    journal::configured(&flow, order.actor);
                    if let Some(job) = job {
                        journal::job(job, JobStatus::Queued);
                        self.work.send(&[first_step(&job.id)]).await?;
                    }
                    if flow.active && before.is_some_and(|before| before.is_held()) {
                        self.sweeper.release(order.flow, now).await?;
                    }
                    return Ok(flow);
                }
                FlowPut::Stale => {}
                FlowPut::SourceTaken { arn } => return Err(taken(&flow, &arn).into()),
                FlowPut::JobActive { job } => return Err(ConfigureError::JobActive(job)),
            }
        }
        Err(AppError::Overtaken { id: order.flow.to_string(), tries: TRIES }.into())
    }

    /// What [`Configure::put`] would store, and when it would retry a failure of this `category` and `phase` that happens
    /// now. Nothing is stored.
    ///
    /// # Errors
    /// As [`Configure::put`].
    pub async fn plan(
        &self,
        order: FlowOrder<'_>,
        category: Category,
        phase: Phase,
        now: Timestamp,
    ) -> Result<FlowPlan, ConfigureError> {
        let (before, mut flow) = self.read(order, now).await?;
        let queues = flow.dead_letter_queues.iter().map(|queue| queue.arn.as_str());
        let sources = queues.chain(flow.functions.iter().map(String::as_str));
        let owners = self.table.source_owners(sources).await?;
        if let Some((arn, _)) = owners.iter().find(|(_, owner)| owner.flow != flow.name) {
            return Err(taken(&flow, arn).into());
        }
        flow.version = before.map_or(0, |before| before.version);
        let forecast = |partner| flow.forecast(HypotheticalFailure { partner, category, phase }, SHOWN, now);
        let default = forecast(None);
        let partners = flow.partners.keys().map(|name| (name.clone(), forecast(Some(name)))).collect();
        Ok(FlowPlan { default, partners, flow, now, category, phase })
    }

    /// The flow as it is, and as the order would have it. What stays active keeps its activation.
    async fn read(&self, order: FlowOrder<'_>, now: Timestamp) -> Result<(Option<Flow>, Flow), ConfigureError> {
        let before = self.table.flow(order.flow).await?;
        let version = before.as_ref().map_or(0, |before| before.version);
        if order.if_match.is_some_and(|wanted| wanted != version) {
            return Err(ConfigureError::VersionMismatch { version });
        }
        let mut flow = contract::read_flow(order.flow.clone(), order.body, &self.defaults, now)?;
        refuse_own(&flow, &self.own)?;
        if let Some(before) = before.as_ref().filter(|before| before.active && flow.active) {
            flow.activated_at = before.activated_at;
        }
        Ok((before, flow))
    }
}

/// Refuses stages that are queues of Reprise itself.
fn refuse_own(flow: &Flow, own: &OwnQueues) -> Result<(), FieldError> {
    let stages = [("stages.sender.queueUrl", &flow.stages.sender), ("stages.receiver.queueUrl", &flow.stages.receiver)];
    let named = stages.into_iter().find_map(|(field, url)| {
        let url = url.as_deref().filter(|url| own.contains(url))?;
        let problem = format!("is `{url}`, one of Reprise's own queues: a stage is a queue that the pipeline reads");
        Some(FieldError { field: field.to_owned(), problem })
    });
    named.map_or(Ok(()), Err)
}

/// The job that reschedules all that is failed.
fn rescheduling(order: FlowOrder<'_>, now: Timestamp) -> Job {
    let request = JobRequest {
        reason: "the retry policy was changed".to_owned(),
        selection: Selection::All,
        limits: JobLimits::default(),
        as_of: None,
    };
    let (flow, actor) = (order.flow.clone(), order.actor.to_owned());
    job(JobOrder { flow, action: JobAction::Reschedule, request, actor, idempotency: None }, now).0
}

fn taken(flow: &Flow, arn: &str) -> FieldError {
    let queue = flow.dead_letter_queues.iter().position(|queue| queue.arn == arn);
    let function = flow.functions.iter().position(|function| function == arn);
    let field = match (queue, function) {
        (Some(i), _) => format!("deadLetterQueues[{i}].arn"),
        (None, Some(i)) => format!("functions[{i}]"),
        (None, None) => "deadLetterQueues".to_owned(),
    };
    FieldError { field, problem: format!("is `{arn}`, which belongs to another flow already") }
}
