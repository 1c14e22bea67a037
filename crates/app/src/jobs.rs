//! Making, showing and cancelling jobs; `plan.rs` tells what one would take. The work itself is done by the runner.

use contract::FieldError;
use contract::api::JobRequest;
use domain::{Flow, FlowAccess, FlowName, Job, JobAction, JobId, JobStatus, Refusal, Selection, Stages, Timestamp};
use queues::WorkItem;
use table::{JobCreated, JobRecord, NewJob, Table};
use uuid::Uuid;

use crate::look::Looker;
use crate::seen::seen;
use crate::{AppError, WorkSender, journal};

/// Makes and shows jobs.
#[derive(Debug)]
pub struct Jobs {
    pub(crate) table: Table,
    work: WorkSender,
    looker: Looker,
    defaults: Stages,
}

/// A bulk action as it was asked for.
#[derive(Debug, Clone)]
pub struct JobOrder {
    /// On which flow.
    pub flow: FlowName,
    /// What to do.
    pub action: JobAction,
    /// To which, and why.
    pub request: JobRequest,
    /// Who asked.
    pub actor: String,
    /// The caller's Idempotency-Key and the digest of its request.
    pub idempotency: Option<(String, String)>,
}

/// Why a job was not made, shown or cancelled.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The flow was never configured and never failed.
    #[error("there is no flow {0}")]
    NoFlow(FlowName),
    /// There is no such job, or none that the caller may see.
    #[error("there is no job {}", .0.0)]
    NoJob(JobId),
    /// The flow cannot do this now.
    #[error("{0}")]
    Refused(Refusal),
    /// The selection names what it must not.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// The flow has an active job.
    #[error("job {} is active", .0.0)]
    Active(JobId),
    /// The Idempotency-Key was used for another request.
    #[error("the Idempotency-Key was used for another request")]
    KeyReused,
    /// The job has ended.
    #[error("the job is {} already", .0.as_str())]
    Ended(JobStatus),
    /// An AWS request failed.
    #[error(transparent)]
    App(#[from] AppError),
}

impl From<table::TableError> for JobError {
    fn from(error: table::TableError) -> Self {
        Self::App(error.into())
    }
}

impl Jobs {
    /// Keeps jobs at `table` and has them run through `work`.
    #[must_use]
    pub fn new(table: Table, work: WorkSender, defaults: Stages) -> Self {
        Self { looker: Looker::new(table.clone(), work.clone()), table, work, defaults }
    }

    /// Makes a job, or gives back the one that the same request made before. The caller may see the flow of the order;
    /// `access` says which others.
    ///
    /// # Errors
    /// [`JobError`]; with anything but `App` nothing was done.
    pub async fn create(
        &self,
        mut order: JobOrder,
        access: &FlowAccess,
        now: Timestamp,
    ) -> Result<JobRecord, JobError> {
        if let Some((key, _)) = &mut order.idempotency {
            *key = access.key_name(&order.flow, key);
        }
        // Before all else: the flow that made the job may have changed since, and the answer must not.
        if let Some((key, digest)) = &order.idempotency
            && let Some(made) = self.table.job_made_by(key, digest).await?
        {
            return match made {
                JobCreated::Replayed(id) => self.begun(&id).await,
                _ => Err(JobError::KeyReused),
            };
        }
        self.check(&order, access, now).await?;
        let (job, idempotency) = job(order, now);
        let idempotency = idempotency.as_ref().map(|(key, digest)| (key.as_str(), digest.as_str()));
        let id = match self.table.create_job(&NewJob { job: &job, idempotency }).await? {
            JobCreated::Created => {
                journal::job(&job, JobStatus::Queued);
                job.id
            }
            JobCreated::Replayed(id) => id,
            JobCreated::KeyReused => return Err(JobError::KeyReused),
            JobCreated::Active(id) => return Err(JobError::Active(id)),
        };
        self.begun(&id).await
    }

    /// A job as it stands; one that did not begin yet has its first step put on the queue, as its maker may have died.
    async fn begun(&self, id: &JobId) -> Result<JobRecord, JobError> {
        let record = self.job(id).await?;
        if record.job.status == JobStatus::Queued {
            self.work.send(&[first_step(id)]).await?;
        }
        Ok(record)
    }

    /// Checks that the flow has no active job.
    ///
    /// # Errors
    /// `Active`, `App`.
    pub async fn must_be_free(&self, flow: &FlowName) -> Result<(), JobError> {
        match self.table.active_job(flow).await? {
            Some(job) => Err(JobError::Active(job)),
            None => Ok(()),
        }
    }

    /// A job with its counts.
    async fn job(&self, id: &JobId) -> Result<JobRecord, JobError> {
        self.table.job(id).await?.ok_or_else(|| JobError::NoJob(id.clone()))
    }

    /// A job of a flow that the caller may see, unless it has ended.
    async fn active(&self, id: &JobId, access: &FlowAccess) -> Result<JobRecord, JobError> {
        let found = seen(access, self.table.job(id).await, |record| &record.job.flow)?;
        let record = found.ok_or_else(|| JobError::NoJob(id.clone()))?;
        if record.job.status.has_ended() {
            return Err(JobError::Ended(record.job.status));
        }
        Ok(record)
    }

    /// Asks a job to stop: what was sent stays sent, the rest is left alone.
    ///
    /// # Errors
    /// `NoJob`, `Ended`, `App`.
    pub async fn cancel(&self, id: &JobId, access: &FlowAccess, now: Timestamp) -> Result<JobRecord, JobError> {
        let record = self.active(id, access).await?;
        if self.table.cancel_job(id).await? {
            journal::job(&record.job, JobStatus::Cancelling);
        }
        let record = self.job(id).await?;
        self.looker.end_if_finished(&record, now).await?;
        self.job(id).await
    }

    /// Puts the work of a job back on the queue that nobody does: work that was set aside, or that stands still.
    ///
    /// # Errors
    /// `NoJob`, `Ended`, `App`.
    pub async fn resume(&self, id: &JobId, access: &FlowAccess) -> Result<JobRecord, JobError> {
        self.active(id, access).await?;
        self.table.note_halt(id, None).await?;
        self.looker.resume(id).await?;
        self.job(id).await
    }

    /// Checks that the flow can do this now, and that the ids it names are its own. One of a flow that the caller may not
    /// see passes like one that nobody knows: the job does not find it.
    pub(crate) async fn check(&self, order: &JobOrder, access: &FlowAccess, now: Timestamp) -> Result<(), JobError> {
        if order.request.limits.canary.is_some() && !order.action.has_outcomes() {
            let problem = format!("is not for {}, of which there are no outcomes to wait for", order.action.as_str());
            return Err(FieldError { field: "canary".to_owned(), problem }.into());
        }
        let flow = self.flow(&order.flow, now).await?;
        if let Some(refusal) = refusal(&flow, order.action) {
            return Err(JobError::Refused(refusal));
        }
        let Selection::Ids(ids) = &order.request.selection else { return Ok(()) };
        let heads = self.table.heads(ids).await?;
        let foreign = ids.iter().enumerate().find_map(|(i, id)| {
            let owner = &heads.get(id)?.flow;
            (*owner != order.flow && access.allows(owner)).then(|| FieldError {
                field: format!("selection.ids[{i}]"),
                problem: format!("is `{id}`, which belongs to flow {owner}"),
            })
        });
        foreign.map_or(Ok(()), |error| Err(error.into()))
    }

    async fn flow(&self, name: &FlowName, now: Timestamp) -> Result<Flow, JobError> {
        match self.table.flow(name).await? {
            Some(flow) => Ok(flow),
            None if name.is_unassigned() => Ok(Flow::registered(name.clone(), &self.defaults, now)),
            None => Err(JobError::NoFlow(name.clone())),
        }
    }
}

/// The job that an order asks for, and the request that makes it the same one when it comes again.
pub(crate) fn job(order: JobOrder, now: Timestamp) -> (Job, Option<(String, String)>) {
    let JobOrder { flow, action, request, actor, idempotency } = order;
    let job = Job {
        id: JobId(Uuid::now_v7().to_string()),
        flow,
        action,
        selection: request.selection,
        reason: request.reason,
        actor,
        as_of: request.as_of.unwrap_or(now).min(now),
        limits: request.limits,
        status: JobStatus::Queued,
        halt: None,
        stuck: false,
        created_at: now,
        started_at: None,
        ended_at: None,
    };
    (job, idempotency)
}

/// The work item that begins a job.
pub(crate) fn first_step(id: &JobId) -> WorkItem {
    WorkItem::Walk { job: id.0.clone(), step: 0, first_chunk: 0 }
}

fn refusal(flow: &Flow, action: JobAction) -> Option<Refusal> {
    if !flow.active && !matches!(action, JobAction::Erase | JobAction::Reschedule) {
        return Some(Refusal::FlowInactive);
    }
    let JobAction::Reenter(action) = action else { return None };
    flow.stage_queue(action).err()
}
