//! What an Idempotency-Key made or was answered: small facts written once.

use aws_sdk_dynamodb::types::ReturnValue;
use domain::{Interchange, InterchangeId, JobId, Timestamp};
use futures::future::try_join;

use crate::item::{document, json, key, n, read, s, text};
use crate::keys::{self, DATA, REQUEST, TTL};
use crate::{Table, TableError};

/// Most bytes of an answer that is kept, below DynamoDB's 400 KB an item.
const MAX_ANSWER: usize = 350_000;

/// What was answered to a request, JSON.
const ANSWER: &str = "answer";

/// The attempt and the version of the interchange when a request to act on it began first, JSON.
const FOUND: &str = "found";

/// What is known of a request with an Idempotency-Key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestBegun {
    /// Nobody was answered yet.
    Unanswered {
        /// The interchange's attempt when the request began first.
        attempt: u32,
        /// Its version then.
        version: u64,
    },
    /// This was answered before.
    Answered(String),
    /// The key was used for another request.
    KeyReused,
}

impl Table {
    /// Notes that a request to act on an interchange begins, with the attempt and the version that it finds, or tells
    /// what became of the one before it.
    ///
    /// # Errors
    /// When the table cannot be read or written.
    pub async fn begin_request(
        &self,
        name: &str,
        digest: &str,
        found: &Interchange,
        now: Timestamp,
    ) -> Result<RequestBegun, TableError> {
        let kept = self.get(key(keys::interchange(&found.id), keys::answer(name)));
        let update = self.client.update_item().table_name(&self.name);
        let update = update
            .set_key(Some(key(keys::idempotency(name), REQUEST)))
            .update_expression(
                "SET #data = if_not_exists(#data, :data), #ttl = if_not_exists(#ttl, :ttl), \
                 #found = if_not_exists(#found, :found)",
            )
            .expression_attribute_names("#data", DATA)
            .expression_attribute_names("#ttl", TTL)
            .expression_attribute_names("#found", FOUND)
            .expression_attribute_values(":data", s(json(&("", digest))))
            .expression_attribute_values(":ttl", n(self.expires_at(now)))
            .expression_attribute_values(":found", s(json(&(found.attempt, found.version))))
            .return_values(ReturnValue::AllNew);
        let begun = async { update.send().await.map_err(TableError::call("UpdateItem")) };
        let (begun, kept) = try_join(begun, kept).await?;
        let item = begun.attributes.unwrap_or_default();
        let (job, before): (String, String) = read(&item, DATA)?;
        if !job.is_empty() || before != digest {
            return Ok(RequestBegun::KeyReused);
        }
        // A release before kept the answer beside the key.
        if let Ok(answer) = kept.as_ref().map_or_else(|| text(&item, ANSWER), |kept| text(kept, ANSWER)) {
            return Ok(RequestBegun::Answered(answer.to_owned()));
        }
        let (attempt, version) = read(&item, FOUND)?;
        Ok(RequestBegun::Unanswered { attempt, version })
    }

    /// Keeps what a request was answered, with the interchange that it is about: the answer has its texts. An answer that is more than an
    /// item holds is not kept.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn answer_request(
        &self,
        name: &str,
        id: &InterchangeId,
        answer: &str,
        now: Timestamp,
    ) -> Result<(), TableError> {
        if answer.len() > MAX_ANSWER {
            return Ok(());
        }
        let mut item = key(keys::interchange(id), keys::answer(name));
        item.insert(ANSWER.to_owned(), s(answer));
        item.insert(TTL.to_owned(), n(self.expires_at(now)));
        let put = self.client.put_item().table_name(&self.name).set_item(Some(item));
        put.send().await.map_err(TableError::call("PutItem")).map(drop)
    }

    /// The job that an idempotency key made and the digest of the request that made it.
    pub(crate) async fn idempotent_request(&self, name: &str) -> Result<Option<(JobId, String)>, TableError> {
        let item = self.get(key(keys::idempotency(name), REQUEST)).await?;
        let stored = item.as_ref().map(|item| read::<(String, String)>(item, DATA)).transpose()?;
        // An action on one interchange made no job: for a job its key is used.
        Ok(stored.map(|(job, digest)| if job.is_empty() { (JobId(job), String::new()) } else { (JobId(job), digest) }))
    }

    pub(crate) fn idempotent_item(name: &str, job: &JobId, digest: &str) -> crate::item::Item {
        document(keys::idempotency(name), REQUEST, &(&job.0, digest))
    }
}
