//! A job's progress: the steps of its walk, its chunks, and its end.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{Delete, Put, Update};
use domain::{InterchangeId, Job, JobId, JobStatus, Timestamp};

use crate::counts::SKIP_PREFIX;
use crate::deltas::job_update;
use crate::item::{Item, document, key, n, read, s, text};
use crate::job_register::KEPT_AT;
use crate::jobs::{DONE, IDEMPOTENCY, QUEUED_STEPS};
use crate::keys::{self, ACTIVE_JOB, DATA, JOB, JOBS, LEASED_UNTIL, PK, REQUEST, SK, TTL};
use crate::leases::Unit;
use crate::list::Position;
use crate::slots::readable_ids;
use crate::statements::Statement;
use crate::transact::Actions;
use crate::{Table, TableError};

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
            let mut item = document(keys::job(id), keys::chunk(number), &ids);
            item.insert(TTL.to_owned(), n(self.job_expires_at(now)));
            actions.put(self.built(Put::builder().table_name(&self.name).set_item(Some(item)).build())?);
        }
        self.happened(actions, id).await
    }

    /// Notes that what follows from a step is on the jobs queue, so that the step that comes again does not queue it again.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn note_queued(&self, id: &JobId, step: u64) -> Result<(), TableError> {
        let update = self.client.update_item().table_name(&self.name).set_key(Some(key(keys::job(id), JOB)));
        let update = update
            .condition_expression("attribute_exists(pk)")
            .update_expression("SET #queued = :steps")
            .expression_attribute_names("#queued", QUEUED_STEPS)
            .expression_attribute_values(":steps", n(step + 1));
        existing(update.send().await)
    }

    /// One chunk of a job.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn chunk(&self, id: &JobId, number: u64) -> Result<Option<Chunk>, TableError> {
        let Some(item) = self.get(key(keys::job(id), keys::chunk(number))).await? else { return Ok(None) };
        let ids = readable_ids(read(&item, DATA)?, &item);
        Ok(Some(Chunk { ids, done: item.contains_key(DONE) }))
    }

    /// Records that a chunk is done and all that it sent is on the stage, counts what it left alone, and gives its lease
    /// up: all of it, once. `false` when it was done before.
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
            .condition_expression("attribute_exists(pk) AND attribute_not_exists(done)")
            .update_expression("SET done = :done")
            .expression_attribute_values(":done", s(now.to_string()));
        let mut adds: BTreeMap<String, i64> = skips
            .iter()
            .map(|(reason, count)| (format!("{SKIP_PREFIX}{reason}"), i64::try_from(*count).unwrap_or(i64::MAX)))
            .collect();
        adds.insert(DONE.to_owned(), 1);
        let mut actions = Actions::default();
        actions.update(self.built(mark.build())?);
        let writer = format!("{}-0", self.writer);
        if let Some(count) = job_update(&self.name, &writer, id, &adds, now, self.job_expires_at(now)) {
            actions.update(count);
        }
        let lease = Unit::Chunk(id.clone(), number).key();
        let free = Delete::builder().table_name(&self.name).set_key(Some(lease));
        actions.delete(self.built(free.build())?);
        self.happened(actions, id).await
    }

    /// Removes the lease of a unit that is done.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn drop_lease(&self, unit: &Unit) -> Result<(), TableError> {
        self.delete(unit.key()).await
    }

    /// Chunks of a job that are not done and that nobody holds at `now`, from the chunk `from` on: those of one page, and
    /// where the next page begins.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn open_chunks(
        &self,
        id: &JobId,
        from: u64,
        now: Timestamp,
    ) -> Result<(Vec<u64>, Option<u64>), TableError> {
        let number =
            |item: &Item, prefix: &str| -> Option<u64> { text(item, SK).ok()?.strip_prefix(prefix)?.parse().ok() };
        let leases = self
            .query(keys::BY_PREFIX)
            .expression_attribute_values(":pk", s(keys::job(id)))
            .expression_attribute_values(":sk", s(keys::LEASE_PREFIX));
        let leases = self.query_all(leases).await?;
        let live = |item: &&Item| {
            crate::item::number::<i64>(item, LEASED_UNTIL).is_some_and(|until| until > now.as_millisecond())
        };
        let held: BTreeSet<u64> =
            leases.iter().filter(live).filter_map(|item| number(item, keys::LEASE_PREFIX)).collect();
        let page = self
            .query(keys::BETWEEN)
            .expression_attribute_values(":pk", s(keys::job(id)))
            .expression_attribute_values(":first", s(keys::chunk(from)))
            .expression_attribute_values(":last", s(keys::chunk(MAX_CHUNK)))
            .filter_expression("attribute_not_exists(done)")
            .projection_expression("sk")
            .send()
            .await
            .map_err(TableError::call("Query"))?;
        let open = page.items().iter().filter_map(|item| number(item, keys::CHUNK_PREFIX));
        let next = page.last_evaluated_key.as_ref().and_then(|last| number(last, keys::CHUNK_PREFIX));
        Ok((open.filter(|chunk| !held.contains(chunk)).collect(), next.map(|last| last + 1)))
    }

    /// When what is kept of an active job may go, should it end now: twice the retention, so that all of it outlives
    /// the job's own item.
    pub(crate) fn job_expires_at(&self, now: Timestamp) -> i64 {
        now.as_second().saturating_add(self.retention.as_secs().saturating_mul(2))
    }

    /// Puts off the expiry of everything that is kept of a job that is still active.
    ///
    /// # Errors
    /// When the table cannot be read or written.
    pub async fn keep_job(&self, id: &JobId, now: Timestamp) -> Result<(), TableError> {
        let query = self
            .query(keys::BY_PK)
            .expression_attribute_values(":pk", s(keys::job(id)))
            .filter_expression("attribute_exists(#ttl)")
            .projection_expression("sk")
            .expression_attribute_names("#ttl", TTL);
        let items = self.query_all(query).await?;
        let text_of = format!("UPDATE \"{}\" SET \"{TTL}\" = ? WHERE \"{PK}\" = ? AND \"{SK}\" = ?", self.name);
        let statements = items.iter().map(|item| {
            let values = vec![n(self.job_expires_at(now)), s(keys::job(id)), s(text(item, SK)?)];
            Ok(Statement { text: text_of.clone(), values })
        });
        self.run(statements.collect::<Result<_, TableError>>()?).await?;
        let noted = Statement {
            text: format!("UPDATE \"{}\" SET \"{KEPT_AT}\" = ? WHERE \"{PK}\" = ? AND \"{SK}\" = ?", self.name),
            values: vec![s(now.to_string()), s(JOBS), s(id.0.as_str())],
        };
        self.run(vec![noted]).await
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
            None => update.update_expression("REMOVE halt, stuck"),
        };
        // A job that is gone has nothing to note.
        let update = update.condition_expression("attribute_exists(pk)");
        existing(update.send().await)
    }

    /// Notes that work of a job failed too often and was set aside, and what it was.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn note_stuck(&self, id: &JobId, why: &str) -> Result<(), TableError> {
        let update = self.client.update_item().table_name(&self.name).set_key(Some(key(keys::job(id), JOB)));
        let update = update
            .condition_expression("attribute_exists(pk)")
            .update_expression("SET halt = :why, stuck = :yes")
            .expression_attribute_values(":why", s(why))
            .expression_attribute_values(":yes", s("yes"));
        existing(update.send().await)
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
            .update_expression("SET st = :to, endedAt = :now, #ttl = :ttl")
            .expression_attribute_names("#ttl", TTL)
            .expression_attribute_values(":ttl", n(self.expires_at(now)))
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
        let registration = key(JOBS, job.id.0.as_str());
        let unregister = Delete::builder().table_name(&self.name).set_key(Some(registration));
        actions.delete(self.built(unregister.build())?);
        if !self.happened(actions, &job.id).await? {
            return Ok(false);
        }
        self.let_expire(job, now).await?;
        Ok(true)
    }

    /// Lets what leads to an ended job go with it.
    async fn let_expire(&self, job: &Job, now: Timestamp) -> Result<(), TableError> {
        let pointer = (keys::flow(&job.flow), keys::job_pointer(job.created_at, &job.id));
        let request = self.idempotency_of(&job.id).await?.map(|name| (keys::idempotency(&name), REQUEST.to_owned()));
        let text = format!("UPDATE \"{}\" SET \"{TTL}\" = ? WHERE \"{PK}\" = ? AND \"{SK}\" = ?", self.name);
        let statements = std::iter::once(pointer)
            .chain(request)
            .map(|(pk, sk)| Statement { text: text.clone(), values: vec![n(self.expires_at(now)), s(pk), s(sk)] });
        self.run(statements.collect()).await
    }

    /// The Idempotency-Key that made a job.
    async fn idempotency_of(&self, id: &JobId) -> Result<Option<String>, TableError> {
        let item = self.get(key(keys::job(id), JOB)).await?;
        Ok(item.and_then(|item| text(&item, IDEMPOTENCY).ok().map(str::to_owned)))
    }
}

/// An update on the condition that the item is there; without it nothing is to be done.
fn existing<T>(result: Result<T, SdkError<UpdateItemError>>) -> Result<(), TableError> {
    match result {
        Err(error) if !error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception) => {
            Err(TableError::call("UpdateItem")(error))
        }
        _ => Ok(()),
    }
}

/// The highest number of a chunk that its key has digits for.
const MAX_CHUNK: u64 = 99_999_999;
