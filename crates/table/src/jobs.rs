//! Jobs: the record, its frozen walk in chunks, and the one that is active in a flow.

use aws_sdk_dynamodb::types::Put;
use domain::{FlowName, Job, JobAction, JobCounts, JobId, JobLimits, JobStatus, Timestamp};
use futures::stream::{self, StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};

use crate::counts::{job_counts, sum};
use crate::item::{Item, document, key, log_unreadable, n, number, read, s, text, unreadable};
use crate::keys::{self, ACTIVE_JOB, DATA, IF_ABSENT, JOB, JOBS, LEASED_UNTIL, SK};
use crate::leases::RELEASED_AT;
use crate::list::Position;
use crate::transact::{Actions, Transacted};
use crate::{Table, TableError};

pub(crate) const STATUS: &str = "st";
pub(crate) const STEP: &str = "step";
pub(crate) const QUEUED_STEPS: &str = "queued";
pub(crate) const POSITION: &str = "pos";
pub(crate) const MATCHED: &str = "matched";
pub(crate) const CHUNK_COUNT: &str = "chunks";
pub(crate) const WALKED: &str = "walked";
pub(crate) const STARTED: &str = "startedAt";
pub(crate) const ENDED: &str = "endedAt";
pub(crate) const DONE: &str = "done";
pub(crate) const HALT: &str = "halt";
pub(crate) const STUCK: &str = "stuck";

#[derive(Serialize, Deserialize)]
struct StoredJob {
    flow: String,
    action: String,
    selection: serde_json::Value,
    reason: String,
    actor: String,
    as_of: Timestamp,
    rate: Option<u32>,
    cap: Option<u64>,
    canary: Option<u32>,
    created_at: Timestamp,
}

/// A job to be made.
#[derive(Debug, Clone)]
pub struct NewJob<'a> {
    pub job: &'a Job,
    /// The caller's Idempotency-Key and the digest of its request.
    pub idempotency: Option<(&'a str, &'a str)>,
}

/// What became of a new job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobCreated {
    /// It is made and is its flow's active one.
    Created,
    /// The same request made this job before.
    Replayed(JobId),
    /// The key was used for another request.
    KeyReused,
    /// The flow has this active job.
    Active(JobId),
}

/// A job with how far it is.
#[derive(Debug, Clone)]
pub struct JobRecord {
    pub job: Job,
    /// What it came to.
    pub counts: JobCounts,
    /// Steps of its walk that are recorded.
    pub step: u64,
    /// Steps whose chunks are on the jobs queue.
    pub queued_steps: u64,
    /// Where its walk goes on.
    pub position: Option<Position>,
    /// Chunks its walk made.
    pub chunks: u64,
    /// Chunks that are done.
    pub done: u64,
    /// Its walk has come to the end.
    pub scan_complete: bool,
    /// When the last of the leases on its chunks ends that are held now or were left behind.
    pub leased_until: Option<Timestamp>,
    /// When a worker tried its work last and gave it up before it was done.
    pub tried_at: Option<Timestamp>,
}

/// A job of a list that this release cannot read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableJob {
    pub id: JobId,
    /// Where a walk of its flow's jobs stands that has come to it.
    pub position: Position,
}

impl JobRecord {
    /// Whether everything it found is seen to.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.scan_complete && self.done >= self.chunks
    }

    /// Whether a worker may be at one of its chunks at `now`.
    #[must_use]
    pub fn is_leased(&self, now: Timestamp) -> bool {
        self.leased_until.is_some_and(|until| until > now)
    }

    /// Where a walk of its flow's jobs stands that has come to it.
    #[must_use]
    pub fn position_in_list(&self) -> Position {
        Position(keys::job_pointer(self.job.created_at, &self.job.id))
    }
}

pub(crate) const IDEMPOTENCY: &str = "once";

/// Jobs of a list that are read side by side.
const SIDE_BY_SIDE: usize = 10;

/// Tries of making a job while others of its flow end and begin.
const TRIES: u32 = 8;

impl Table {
    /// Makes a job and its flow's active one.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn create_job(&self, new: &NewJob<'_>) -> Result<JobCreated, TableError> {
        for _ in 0..TRIES {
            match self.transact(self.creation(new)?).await? {
                Transacted::Done => return Ok(JobCreated::Created),
                Transacted::Refused(_, cause) => {
                    return Err(TableError::Unstorable { id: new.job.id.0.clone(), cause });
                }
                Transacted::ConditionsFailed(_) => match self.why_not_created(new).await? {
                    Some(JobCreated::Active(id)) if !self.is_active(&id).await? => {
                        self.free_flow(&new.job.flow, &id).await?;
                    }
                    Some(why) => return Ok(why),
                    None => {}
                },
            }
        }
        Err(TableError::Contended { operation: "TransactWriteItems", tries: TRIES })
    }

    /// Writes the job and its flow's pointer to it, each on the condition that there is none.
    pub(crate) fn creation(&self, new: &NewJob<'_>) -> Result<Actions, TableError> {
        let job = new.job;
        let mut actions = Actions::default();
        let active = document(keys::flow(&job.flow), ACTIVE_JOB, &job.id.0);
        actions.put(self.put_if_absent(active)?);
        actions.put(self.put_if_absent(document(JOBS, job.id.0.as_str(), &job.flow.as_str()))?);
        let mut item = job_item(job);
        if let Some((name, _)) = new.idempotency {
            item.insert(IDEMPOTENCY.to_owned(), s(name));
        }
        actions.put(self.put_if_absent(item)?);
        let pointer = document(keys::flow(&job.flow), keys::job_pointer(job.created_at, &job.id), &job.id.0);
        actions.put(self.put_if_absent(pointer)?);
        if let Some((name, digest)) = new.idempotency {
            actions.put(self.put_if_absent(Self::idempotent_item(name, &job.id, digest))?);
        }
        Ok(actions)
    }

    /// What an Idempotency-Key stands for already, seen from a request with this digest: `Replayed` or `KeyReused`; `None`
    /// where it was never used.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn job_made_by(&self, key: &str, digest: &str) -> Result<Option<JobCreated>, TableError> {
        let made = self.idempotent_request(key).await?;
        Ok(made.map(|(job, before)| if before == digest { JobCreated::Replayed(job) } else { JobCreated::KeyReused }))
    }

    /// `None` when the job that was in the way has ended in the meantime.
    async fn why_not_created(&self, new: &NewJob<'_>) -> Result<Option<JobCreated>, TableError> {
        if let Some((name, digest)) = new.idempotency
            && let Some(made) = self.job_made_by(name, digest).await?
        {
            return Ok(Some(made));
        }
        Ok(self.active_job(&new.job.flow).await?.map(JobCreated::Active))
    }

    /// The flow's active job.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn active_job(&self, flow: &FlowName) -> Result<Option<JobId>, TableError> {
        let item = self.get(key(keys::flow(flow), ACTIVE_JOB)).await?;
        item.as_ref().map(|item| read(item, DATA).map(JobId)).transpose()
    }

    /// A job with its counts.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn job(&self, id: &JobId) -> Result<Option<JobRecord>, TableError> {
        let query = self
            .query(keys::FROM_SK)
            .expression_attribute_values(":pk", s(keys::job(id)))
            .expression_attribute_values(":sk", s(keys::COUNT_PREFIX));
        let mut items = self.query_all(query).await?;
        let Some(at) = items.iter().position(|item| text(item, SK).is_ok_and(|sk| sk == JOB)) else { return Ok(None) };
        let item = items.swap_remove(at);
        let (leases, rows): (Vec<Item>, Vec<Item>) =
            items.into_iter().partition(|item| text(item, SK).is_ok_and(|sk| sk.starts_with(keys::LEASE_PREFIX)));
        let sums = sum(&rows);
        let job = job(id, &item)?;
        let mut counts = job_counts(&sums, number(&item, MATCHED).unwrap_or(0));
        if job.status == JobStatus::Cancelled {
            counts.cancel_rest();
        }
        let done = sums.get(DONE).copied().unwrap_or(0).max(0).unsigned_abs();
        Ok(Some(JobRecord {
            job,
            counts,
            step: number(&item, STEP).unwrap_or(0),
            queued_steps: number(&item, QUEUED_STEPS).unwrap_or(0),
            position: text(&item, POSITION).ok().map(|position| Position(position.to_owned())),
            chunks: number(&item, CHUNK_COUNT).unwrap_or(0),
            done,
            scan_complete: item.contains_key(WALKED),
            leased_until: leases.iter().filter_map(|lease| time(lease, LEASED_UNTIL)).max(),
            tried_at: leases.iter().filter_map(|lease| time(lease, RELEASED_AT)).max(),
        }))
    }

    /// A flow's jobs from `from` on, newest first, up to `limit`.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn jobs_of(
        &self,
        flow: &FlowName,
        limit: usize,
        from: Option<&Position>,
    ) -> Result<Vec<Result<JobRecord, UnreadableJob>>, TableError> {
        let query = self
            .query(keys::BETWEEN)
            .expression_attribute_values(":pk", s(keys::flow(flow)))
            .expression_attribute_values(":first", s(keys::JOB_PREFIX))
            .expression_attribute_values(":last", s(from.map_or(keys::JOB_END, |from| from.0.as_str())))
            .scan_index_forward(false)
            // The one that the walk has passed is met again.
            .limit(i32::try_from(limit + usize::from(from.is_some())).unwrap_or(i32::MAX));
        let page = query.send().await.map_err(TableError::call("Query"))?;
        let pointers = page.items.unwrap_or_default();
        let passed = |pointer: &&Item| from.is_some_and(|from| text(pointer, SK).is_ok_and(|sk| sk == from.0));
        let pointers = pointers.iter().filter(|pointer| !passed(pointer)).take(limit);
        let jobs = pointers.map(|pointer| self.job_at(pointer));
        let jobs: Vec<_> = stream::iter(jobs).buffered(SIDE_BY_SIDE).try_collect().await?;
        Ok(jobs.into_iter().flatten().collect())
    }

    /// The job that a flow points to.
    async fn job_at(&self, pointer: &Item) -> Result<Option<Result<JobRecord, UnreadableJob>>, TableError> {
        let position = Position(text(pointer, SK)?.to_owned());
        let id = position.0.rsplit_once('#').map_or_else(String::new, |(_, id)| id.to_owned());
        match self.job(&JobId(id.clone())).await {
            Ok(record) => Ok(record.map(Ok)),
            Err(error @ TableError::Unreadable { .. }) => {
                log_unreadable(&error);
                Ok(Some(Err(UnreadableJob { id: JobId(id), position })))
            }
            Err(error) => Err(error),
        }
    }

    /// Runs a transaction that either happens or was overtaken.
    pub(crate) async fn happened(&self, actions: Actions, id: &JobId) -> Result<bool, TableError> {
        match self.transact(actions).await? {
            Transacted::Done => Ok(true),
            Transacted::ConditionsFailed(_) => Ok(false),
            Transacted::Refused(_, cause) => Err(TableError::Unstorable { id: id.0.clone(), cause }),
        }
    }

    fn put_if_absent(&self, item: Item) -> Result<Put, TableError> {
        let put = Put::builder().table_name(&self.name).set_item(Some(item)).condition_expression(IF_ABSENT);
        self.built(put.build())
    }
}

/// A time that an item keeps in milliseconds since 1970.
fn time(item: &Item, name: &str) -> Option<Timestamp> {
    Timestamp::from_millisecond(number(item, name)?).ok()
}

fn job_item(job: &Job) -> Item {
    let stored = StoredJob {
        flow: job.flow.to_string(),
        action: job.action.as_str().to_owned(),
        selection: contract::api::selection_json(&job.selection),
        reason: job.reason.clone(),
        actor: job.actor.clone(),
        as_of: job.as_of,
        rate: job.limits.rate,
        cap: job.limits.cap,
        canary: job.limits.canary,
        created_at: job.created_at,
    };
    let mut item = document(keys::job(&job.id), JOB, &stored);
    item.insert(STATUS.to_owned(), s(job.status.as_str()));
    item.insert(STEP.to_owned(), n(0));
    item
}

fn job(id: &JobId, item: &Item) -> Result<Job, TableError> {
    let stored: StoredJob = read(item, DATA)?;
    let time = |name: &str| text(item, name).ok().and_then(|t| t.parse::<Timestamp>().ok());
    Ok(Job {
        id: id.clone(),
        flow: FlowName::new(stored.flow).map_err(|_| unreadable(item, "flow"))?,
        action: JobAction::from_word(&stored.action).ok_or_else(|| unreadable(item, "action"))?,
        selection: contract::api::read_selection(&stored.selection).map_err(|e| unreadable(item, &e.to_string()))?,
        reason: stored.reason,
        actor: stored.actor,
        as_of: stored.as_of,
        limits: JobLimits { rate: stored.rate, cap: stored.cap, canary: stored.canary },
        halt: text(item, HALT).ok().map(str::to_owned),
        stuck: item.contains_key(STUCK),
        status: JobStatus::from_word(text(item, STATUS)?).ok_or_else(|| unreadable(item, "status"))?,
        created_at: stored.created_at,
        started_at: time(STARTED),
        ended_at: time(ENDED),
    })
}
