//! The register of jobs that have not ended, as the sweep goes through it, and the freeing of flows whose job is gone.

use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use domain::{FlowName, JobId, JobStatus, Timestamp};

use crate::item::{json, key, read, s, text};
use crate::jobs::STATUS;
use crate::keys::{self, ACTIVE_JOB, DATA, JOB, JOBS, SK};
use crate::{Table, TableError};

const SEEN: &str = "seen";
const SEEN_AT: &str = "seenAt";
pub(crate) const KEPT_AT: &str = "keptAt";

/// A job on the register, as the sweep saw it last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredJob {
    /// The job.
    pub id: JobId,
    /// Its flow; `None` where an earlier release registered it.
    pub flow: Option<FlowName>,
    /// How far it was.
    pub seen: Option<String>,
    /// Since when it has been that far.
    pub seen_at: Option<Timestamp>,
    /// When what is kept of it got another expiry last.
    pub kept_at: Option<Timestamp>,
}

impl Table {
    /// Whether a job is there and has not ended.
    pub(crate) async fn is_active(&self, id: &JobId) -> Result<bool, TableError> {
        let item = self.get(key(keys::job(id), JOB)).await?;
        let status = item.as_ref().and_then(|item| JobStatus::from_word(text(item, STATUS).ok()?));
        Ok(status.is_some_and(|status| !status.has_ended()))
    }

    /// Frees a flow, and takes the job off the register, where the job that blocks it has ended or is not there.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn free_flow(&self, flow: &FlowName, id: &JobId) -> Result<(), TableError> {
        let delete = self.client.delete_item().table_name(&self.name).set_key(Some(key(keys::flow(flow), ACTIVE_JOB)));
        let delete = delete.condition_expression("d = :job").expression_attribute_values(":job", s(json(&id.0)));
        match delete.send().await {
            Err(error)
                if !error.as_service_error().is_some_and(DeleteItemError::is_conditional_check_failed_exception) =>
            {
                return Err(TableError::call("DeleteItem")(error));
            }
            _ => {}
        }
        self.delete(key(JOBS, id.0.as_str())).await
    }

    /// The jobs that have not ended, with what the sweep saw of them last.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn registered_jobs(&self) -> Result<Vec<RegisteredJob>, TableError> {
        let query = self.query(keys::BY_PK).expression_attribute_values(":pk", s(JOBS));
        let items = self.query_all(query).await?;
        items
            .iter()
            .map(|item| {
                let flow: Option<String> = read(item, DATA).ok();
                Ok(RegisteredJob {
                    id: JobId(text(item, SK)?.to_owned()),
                    flow: flow.and_then(|flow| FlowName::new(flow).ok()),
                    seen: text(item, SEEN).ok().map(str::to_owned),
                    seen_at: text(item, SEEN_AT).ok().and_then(|text| text.parse().ok()),
                    kept_at: text(item, KEPT_AT).ok().and_then(|text| text.parse().ok()),
                })
            })
            .collect()
    }

    /// Notes how far a registered job was when the sweep saw it.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn note_seen(&self, id: &JobId, seen: &str, now: Timestamp) -> Result<(), TableError> {
        let update = self.client.update_item().table_name(&self.name).set_key(Some(key(JOBS, id.0.as_str())));
        let update = update
            .condition_expression("attribute_exists(pk)")
            .update_expression("SET #seen = :seen, #at = :now")
            .expression_attribute_names("#seen", SEEN)
            .expression_attribute_names("#at", SEEN_AT)
            .expression_attribute_values(":seen", s(seen))
            .expression_attribute_values(":now", s(now.to_string()));
        match update.send().await {
            // It has ended meanwhile.
            Err(error)
                if !error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
            {
                Err(TableError::call("UpdateItem")(error))
            }
            _ => Ok(()),
        }
    }
}
