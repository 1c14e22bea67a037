//! A job's progress: the steps of its walk, its chunks, and its end.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{Delete, Put, Update};
use domain::{InterchangeId, Job, JobId, JobStatus, Timestamp};

use crate::counts::SKIP_PREFIX;
use crate::deltas::job_update;
use crate::item::{document, key, n, read, s, unreadable};
use crate::jobs::DONE;
use crate::keys::{self, ACTIVE_JOB, DATA, JOB, JOBS};
use crate::list::Position;
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
            let item = self.expiring(document(keys::job(id), keys::chunk(number), &ids), now);
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
        if let Some(count) = job_update(&self.name, &format!("{}-0", self.writer), id, &adds, now, self.expires_at(now))
        {
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
        let registration = key(JOBS, job.id.0.as_str());
        let unregister = Delete::builder().table_name(&self.name).set_key(Some(registration));
        actions.delete(self.built(unregister.build())?);
        self.happened(actions, &job.id).await
    }
}
