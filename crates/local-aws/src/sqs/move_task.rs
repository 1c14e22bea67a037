//! Message move tasks: SQS's redrive from a dead-letter queue. A task is complete when `start` returns, so there are no
//! running tasks to list or cancel.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::Sqs;
use super::error::{SqsError, required};
use crate::names;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Start {
    source_arn: Option<String>,
    destination_arn: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Started {
    task_handle: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct List {
    source_arn: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listed {
    results: Vec<()>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Cancel {
    task_handle: Option<String>,
}

/// Moves all visible messages to the destination, or each one back to the queue that it came from.
pub(super) fn start(sqs: &Sqs, request: Start) -> Result<Started, SqsError> {
    let arn = required("SourceArn", request.source_arn)?;
    let source = named(sqs, &arn)?;
    let is_target = |queue: &str| {
        sqs.queues().all().iter().any(|it| it.settings.redrive.as_ref().is_some_and(|redrive| redrive.queue == queue))
    };
    if !is_target(&source.name) {
        return Err(SqsError::InvalidParameterValue(
            "Source queue must be configured as a Dead Letter Queue.".to_owned(),
        ));
    }
    let destinations = match &request.destination_arn {
        Some(arn) => vec![named(sqs, arn)?],
        None => sqs.queues().all(),
    };
    let now = sqs.clock().millis();
    sqs.store().transact(|db| {
        let mut move_to = db.prepare_cached(
            "UPDATE message SET queue = ?2, sent_at = ?3, visible_at = ?3, received_at = NULL, first_received_at = NULL,
             receives = 0, source_arn = NULL
             WHERE queue = ?1 AND visible_at <= ?3 AND (?4 IS NULL OR source_arn = ?4)",
        )?;
        for destination in &destinations {
            let only = request.destination_arn.is_none().then(|| destination.arn());
            move_to.execute((source.id, destination.id, now, only))?;
        }
        Ok::<_, SqsError>(())
    })?;
    destinations.iter().for_each(|destination| destination.wake());
    Ok(Started { task_handle: STANDARD.encode(format!("move {arn} {now}")) })
}

pub(super) fn list(sqs: &Sqs, request: List) -> Result<Listed, SqsError> {
    named(sqs, &required("SourceArn", request.source_arn)?)?;
    Ok(Listed { results: Vec::new() })
}

/// Always fails, because a task is already complete.
pub(super) fn cancel(_: &Sqs, request: Cancel) -> SqsError {
    match required("TaskHandle", request.task_handle) {
        Ok(_) => SqsError::UnsupportedOperation("Only active tasks can be cancelled.".to_owned()),
        Err(error) => error,
    }
}

fn named(sqs: &Sqs, arn: &str) -> Result<std::sync::Arc<super::queue::Queue>, SqsError> {
    names::queue_of_arn(arn).and_then(|name| sqs.queues().find(name)).ok_or_else(|| {
        SqsError::ResourceNotFound(
            "The resource that you specified for the SourceArn parameter doesn't exist.".to_owned(),
        )
    })
}
