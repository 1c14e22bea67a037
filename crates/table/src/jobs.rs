//! Jobs: the record, its frozen walk in chunks, and the one that is active in a flow.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{Delete, Put, Update};
use domain::{FlowName, InterchangeId, Job, JobAction, JobCounts, JobId, JobLimits, JobStatus, Timestamp};
use serde::{Deserialize, Serialize};

use crate::counts::{SKIP_PREFIX, job_counts, sum};
use crate::deltas::job_update;
use crate::item::{Item, document, key, n, number, read, s, text, unreadable};
use crate::keys::{self, ACTIVE_JOB, DATA, IF_ABSENT, JOB, SK};
use crate::list::Position;
use crate::transact::{Actions, Transacted};
use crate::{Table, TableError};

const STATUS: &str = "st";
const STEP: &str = "step";
const POSITION: &str = "pos";
const MATCHED: &str = "matched";
const CHUNK_COUNT: &str = "chunks";
const WALKED: &str = "walked";
const STARTED: &str = "startedAt";
const ENDED: &str = "endedAt";
const DONE: &str = "done";
const HALT: &str = "halt";

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
    /// The job.
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
    /// The job.
    pub job: Job,
    /// What it came to.
    pub counts: JobCounts,
    /// Steps of its walk that are recorded.
    pub step: u64,
    /// Where its walk goes on.
    pub position: Option<Position>,
    /// Chunks its walk made.
    pub chunks: u64,
    /// Chunks that are done.
    pub done: u64,
    /// Its walk has come to the end.
    pub walked: bool,
}

impl JobRecord {
    /// Whether everything it found is seen to.
    #[must_use]
    pub fn is_through(&self) -> bool {
        self.walked && self.done >= self.chunks
    }
}

/// One step of a job's walk: what it found and where it got to.
#[derive(Debug, Clone)]
pub struct WalkStep {
    /// Counts from 0.
    pub step: u64,
    /// The number of its first chunk.
    pub first_chunk: u64,
    /// What it found, a chunk each.
    pub chunks: Vec<Vec<InterchangeId>>,
    /// Where the next step goes on; `None` when there is no more.
    pub next: Option<Position>,
    /// Where the job stands with this step: `running`, or `canary` with its first.
    pub status: JobStatus,
}

/// Some interchanges of a job's selection.
#[derive(Debug, Clone)]
pub struct Chunk {
    /// Which.
    pub ids: Vec<InterchangeId>,
    /// All are seen to.
    pub done: bool,
}

impl Table {
    /// Makes a job and its flow's active one.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn create_job(&self, new: &NewJob<'_>) -> Result<JobCreated, TableError> {
        let job = new.job;
        let mut actions = Actions::default();
        let active = document(keys::flow(&job.flow), ACTIVE_JOB, &job.id.0);
        actions.put(self.put_if_absent(active)?);
        actions.put(self.put_if_absent(job_item(job))?);
        actions.put(self.put_if_absent(document(
            keys::flow(&job.flow),
            keys::job_pointer(job.created_at, &job.id),
            &job.id.0,
        ))?);
        if let Some((name, digest)) = new.idempotency {
            actions.put(self.put_if_absent(Self::idempotent_item(name, &job.id, digest))?);
        }
        match self.transact(actions).await? {
            Transacted::Done => Ok(JobCreated::Created),
            Transacted::Refused(_, cause) => Err(TableError::Unstorable { id: job.id.0.clone(), cause }),
            Transacted::ConditionsFailed(_) => self.why_not_created(new).await,
        }
    }

    async fn why_not_created(&self, new: &NewJob<'_>) -> Result<JobCreated, TableError> {
        if let Some((name, digest)) = new.idempotency
            && let Some((job, before)) = self.idempotent_request(name).await?
        {
            return Ok(if before == digest { JobCreated::Replayed(job) } else { JobCreated::KeyReused });
        }
        match self.active_job(&new.job.flow).await? {
            Some(job) => Ok(JobCreated::Active(job)),
            // It ended in the meantime: the caller may try at once.
            None => Err(TableError::Contended { operation: "TransactWriteItems", tries: 1 }),
        }
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
        let sums = sum(&items);
        let counts = job_counts(&sums, number(&item, MATCHED).unwrap_or(0));
        let done = sums.get(DONE).copied().unwrap_or(0).max(0).unsigned_abs();
        Ok(Some(JobRecord {
            job: job(id, &item)?,
            counts,
            step: number(&item, STEP).unwrap_or(0),
            position: text(&item, POSITION).ok().map(|position| Position(position.to_owned())),
            chunks: number(&item, CHUNK_COUNT).unwrap_or(0),
            done,
            walked: item.contains_key(WALKED),
        }))
    }

    /// A flow's jobs, newest first, up to `limit`.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn jobs_of(&self, flow: &FlowName, limit: usize) -> Result<Vec<JobRecord>, TableError> {
        let query = self
            .query(keys::BY_PREFIX)
            .expression_attribute_values(":pk", s(keys::flow(flow)))
            .expression_attribute_values(":sk", s(keys::JOB_PREFIX))
            .scan_index_forward(false)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX));
        let page = query.send().await.map_err(TableError::call("Query"))?;
        let mut jobs = Vec::new();
        for pointer in page.items.unwrap_or_default() {
            jobs.extend(self.job(&JobId(read(&pointer, DATA)?)).await?);
        }
        Ok(jobs)
    }

    /// Records a step of a job's walk with its chunks. `false` when that step is recorded already (the same work
    /// item again) or the job stopped.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn record_step(&self, id: &JobId, step: &WalkStep, now: Timestamp) -> Result<bool, TableError> {
        let found: usize = step.chunks.iter().map(Vec::len).sum();
        let mut set = "SET step = :next, st = :status, startedAt = if_not_exists(startedAt, :now)".to_owned();
        let mut update = Update::builder()
            .table_name(&self.name)
            .set_key(Some(key(keys::job(id), JOB)))
            .condition_expression("step = :step AND st IN (:queued, :canary, :running)")
            .expression_attribute_values(":step", n(step.step))
            .expression_attribute_values(":next", n(step.step + 1))
            .expression_attribute_values(":status", s(step.status.as_str()))
            .expression_attribute_values(":queued", s(JobStatus::Queued.as_str()))
            .expression_attribute_values(":canary", s(JobStatus::Canary.as_str()))
            .expression_attribute_values(":running", s(JobStatus::Running.as_str()))
            .expression_attribute_values(":now", s(now.to_string()))
            .expression_attribute_values(":found", n(found))
            .expression_attribute_values(":chunks", n(step.chunks.len()));
        match &step.next {
            Some(position) => {
                set.push_str(", pos = :pos");
                update = update.expression_attribute_values(":pos", s(&position.0));
            }
            None => {
                set.push_str(", walked = :walked");
                update = update.expression_attribute_values(":walked", s("yes"));
            }
        }
        let update = update.update_expression(format!("{set} ADD matched :found, chunks :chunks"));
        let mut actions = Actions::default();
        actions.update(self.built(update.build())?);
        for (number, ids) in (step.first_chunk..).zip(&step.chunks) {
            let ids: Vec<&str> = ids.iter().map(InterchangeId::as_str).collect();
            let item = document(keys::job(id), keys::chunk(number), &ids);
            actions.put(self.built(Put::builder().table_name(&self.name).set_item(Some(item)).build())?);
        }
        self.happened(actions, id).await
    }

    /// One chunk of a job.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn chunk(&self, id: &JobId, number: u64) -> Result<Option<Chunk>, TableError> {
        let Some(item) = self.get(key(keys::job(id), keys::chunk(number))).await? else { return Ok(None) };
        let ids: Vec<String> = read(&item, DATA)?;
        let ids = ids.into_iter().map(InterchangeId::new).collect::<Result<_, _>>();
        let ids = ids.map_err(|e| unreadable(&item, &e.to_string()))?;
        Ok(Some(Chunk { ids, done: item.contains_key(DONE) }))
    }

    /// Marks a chunk as done and counts what it left alone, once. `false` when it was marked before.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn finish_chunk(
        &self,
        id: &JobId,
        number: u64,
        skips: &BTreeMap<String, u64>,
        now: Timestamp,
    ) -> Result<bool, TableError> {
        let mark = Update::builder()
            .table_name(&self.name)
            .set_key(Some(key(keys::job(id), keys::chunk(number))))
            .condition_expression("attribute_not_exists(done)")
            .update_expression("SET done = :done")
            .expression_attribute_values(":done", s("yes"));
        let mut adds: BTreeMap<String, i64> = skips
            .iter()
            .map(|(reason, count)| (format!("{SKIP_PREFIX}{reason}"), i64::try_from(*count).unwrap_or(i64::MAX)))
            .collect();
        adds.insert(DONE.to_owned(), 1);
        let mut actions = Actions::default();
        actions.update(self.built(mark.build())?);
        if let Some(count) = job_update(&self.name, &format!("{}-0", self.writer), id, &adds, now) {
            actions.update(count);
        }
        self.happened(actions, id).await
    }

    /// Asks an active job to stop. `false` when it cannot any more.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn cancel_job(&self, id: &JobId) -> Result<bool, TableError> {
        let update = Update::builder()
            .table_name(&self.name)
            .set_key(Some(key(keys::job(id), JOB)))
            .condition_expression("st IN (:queued, :canary, :running)")
            .update_expression("SET st = :cancelling")
            .expression_attribute_values(":queued", s(JobStatus::Queued.as_str()))
            .expression_attribute_values(":canary", s(JobStatus::Canary.as_str()))
            .expression_attribute_values(":running", s(JobStatus::Running.as_str()))
            .expression_attribute_values(":cancelling", s(JobStatus::Cancelling.as_str()));
        let mut actions = Actions::default();
        actions.update(self.built(update.build())?);
        self.happened(actions, id).await
    }

    /// Notes why a job does not go on now, or (`None`) that it does again.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn note_halt(&self, id: &JobId, why: Option<&str>) -> Result<(), TableError> {
        let update = self.client.update_item().table_name(&self.name).set_key(Some(key(keys::job(id), JOB)));
        let update = match why {
            Some(why) => update.update_expression("SET halt = :why").expression_attribute_values(":why", s(why)),
            None => update.update_expression("REMOVE halt"),
        };
        update.send().await.map_err(TableError::call("UpdateItem")).map(drop)
    }

    /// Ends a job that stands at `from` and frees its flow. `false` when it stands elsewhere by now.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn end_job(&self, job: &Job, from: JobStatus, to: JobStatus, now: Timestamp) -> Result<bool, TableError> {
        let update = Update::builder()
            .table_name(&self.name)
            .set_key(Some(key(keys::job(&job.id), JOB)))
            .condition_expression("st = :from")
            .update_expression("SET st = :to, endedAt = :now")
            .expression_attribute_values(":from", s(from.as_str()))
            .expression_attribute_values(":to", s(to.as_str()))
            .expression_attribute_values(":now", s(now.to_string()));
        let free = Delete::builder()
            .table_name(&self.name)
            .set_key(Some(key(keys::flow(&job.flow), ACTIVE_JOB)))
            .condition_expression("d = :job")
            .expression_attribute_values(":job", s(crate::item::json(&job.id.0)));
        let mut actions = Actions::default();
        actions.update(self.built(update.build())?);
        actions.delete(self.built(free.build())?);
        self.happened(actions, &job.id).await
    }

    /// Runs a transaction that either happens or was overtaken.
    async fn happened(&self, actions: Actions, id: &JobId) -> Result<bool, TableError> {
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
        status: JobStatus::from_word(text(item, STATUS)?).ok_or_else(|| unreadable(item, "status"))?,
        created_at: stored.created_at,
        started_at: time(STARTED),
        ended_at: time(ENDED),
    })
}
