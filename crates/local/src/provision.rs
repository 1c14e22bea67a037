//! Makes the template's resources at the local endpoint: tables, queues, schedule groups, schedules.
//!
//! With a data directory they may be there already, from an older template even. What can be changed is then changed to
//! what the template says; tables keep their keys, as they do in an account.

use local_aws::dynoxide::DynoxideError;
use local_aws::dynoxide::actions::create_table::CreateTableRequest;
use local_aws::dynoxide::actions::describe_time_to_live::DescribeTimeToLiveRequest;
use local_aws::dynoxide::actions::update_time_to_live::{TimeToLiveSpecification, UpdateTimeToLiveRequest};
use local_aws::{Aws, SchedulerError, SqsError};
use serde_json::json;

use crate::template::{Queue, Schedule, Table, Template};

/// Why a resource of the template is not there.
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

/// Has everything in `template` exist. Doing it twice changes nothing.
pub(crate) async fn provision(aws: &Aws, template: &Template) -> Result<(), ProvisionError> {
    for table in &template.tables {
        create_table(aws, table).map_err(|reason| ProvisionError::Table { name: table.name.clone(), reason })?;
    }
    for queue in &template.queues {
        let named = |source| ProvisionError::Queue { name: queue.name.clone(), source };
        create_queue(aws, queue).await.map_err(named)?;
    }
    for group in &template.groups {
        let named = |source| ProvisionError::Schedule { name: group.name.clone(), source };
        aws.scheduler().create_group(&group.name).map_err(named)?;
    }
    for schedule in &template.schedules {
        let named = |source| ProvisionError::Schedule { name: schedule.name.clone(), source };
        create_schedule(aws, schedule).map_err(named)?;
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
    // DynamoDB refuses to enable what is enabled.
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
