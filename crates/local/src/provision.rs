//! Creates the template's resources at the local endpoint: tables, queues, schedule groups, schedules.
//!
//! In a data directory they may exist already, perhaps from an older template. Attributes that can change are then updated
//! to the template. Tables keep their keys, as in an AWS account.

use local_aws::dynoxide::DynoxideError;
use local_aws::dynoxide::actions::create_table::CreateTableRequest;
use local_aws::dynoxide::actions::describe_time_to_live::DescribeTimeToLiveRequest;
use local_aws::dynoxide::actions::update_time_to_live::{TimeToLiveSpecification, UpdateTimeToLiveRequest};
use local_aws::{Aws, SchedulerError, SqsError};
use serde_json::json;

use crate::template::{Queue, Schedule, Table, Template};

/// A resource of the template that could not be created or updated.
#[derive(Debug, thiserror::Error)]
pub enum ProvisionError {
    #[error("table {name}: {reason}")]
    Table { name: String, reason: String },
    #[error("queue {name}")]
    Queue {
        name: String,
        #[source]
        source: SqsError,
    },
    #[error("schedule or group {name}")]
    Schedule {
        name: String,
        #[source]
        source: SchedulerError,
    },
}

/// Creates or updates every resource of `template`. A second call changes nothing.
pub(crate) async fn provision(aws: &Aws, template: &Template) -> Result<(), ProvisionError> {
    for table in &template.tables {
        create_table(aws, table).map_err(|reason| ProvisionError::Table { name: table.name.clone(), reason })?;
    }
    for queue in &template.queues {
        let failed = |source| ProvisionError::Queue { name: queue.name.clone(), source };
        create_queue(aws, queue).await.map_err(failed)?;
    }
    for group in &template.groups {
        let failed = |source| ProvisionError::Schedule { name: group.name.clone(), source };
        aws.scheduler().create_group(&group.name).map_err(failed)?;
    }
    for schedule in &template.schedules {
        let failed = |source| ProvisionError::Schedule { name: schedule.name.clone(), source };
        create_schedule(aws, schedule).map_err(failed)?;
    }
    Ok(())
}

fn create_table(aws: &Aws, table: &Table) -> Result<(), String> {
    let database = aws.dynamodb();
    let request: CreateTableRequest =
        serde_json::from_value(table.definition.clone()).map_err(|error| error.to_string())?;
    match database.create_table(request) {
        Ok(_) | Err(DynoxideError::ResourceInUseException(_)) => {}
        Err(error) => return Err(error.to_string()),
    }
    let Some(attribute) = &table.time_to_live else { return Ok(()) };
    let described = database.describe_time_to_live(DescribeTimeToLiveRequest { table_name: table.name.clone() });
    let described = described.map_err(|error| error.to_string())?.time_to_live_description;
    // DynamoDB rejects a request that enables a time to live which is enabled already.
    if described.attribute_name.as_ref() == Some(attribute) {
        return Ok(());
    }
    let request = UpdateTimeToLiveRequest {
        table_name: table.name.clone(),
        time_to_live_specification: TimeToLiveSpecification { attribute_name: attribute.clone(), enabled: true },
    };
    database.update_time_to_live(request).map(|_| ()).map_err(|error| error.to_string())
}

async fn create_queue(aws: &Aws, queue: &Queue) -> Result<(), SqsError> {
    let sqs = aws.sqs();
    if sqs.call("GetQueueUrl", json!({ "QueueName": queue.name })).await.is_err() {
        let input = json!({ "QueueName": queue.name, "Attributes": queue.attributes });
        return sqs.call("CreateQueue", input).await.map(|_| ());
    }
    let mut changeable = queue.attributes.clone();
    changeable.remove("FifoQueue");
    if changeable.is_empty() {
        return Ok(());
    }
    let input = json!({ "QueueUrl": sqs.url(&queue.name), "Attributes": changeable });
    sqs.call("SetQueueAttributes", input).await.map(|_| ())
}

fn create_schedule(aws: &Aws, schedule: &Schedule) -> Result<(), SchedulerError> {
    aws.scheduler().create(&schedule.name, schedule.definition.clone())
}
