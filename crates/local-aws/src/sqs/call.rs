//! Runs an operation by its name, with AWS JSON as request and response, for HTTP and for direct calls.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::SqsError;
use super::{Sqs, create, delete, describe, move_task, receive, send, visibility};

/// Runs `operation` (`SendMessage`, …) with the request in `body`, and returns the response as JSON. Without a `sender`, the
/// account is the sender.
pub(super) async fn call(sqs: &Sqs, sender: Option<&str>, operation: &str, body: &[u8]) -> Result<Vec<u8>, SqsError> {
    match operation {
        "SendMessage" => to_json(&send::send_message(sqs, parse::<send::Entry>(body)?.by(sender))?),
        "SendMessageBatch" => to_json(&send::send_message_batch(sqs, parse(body)?, sender)?),
        "ReceiveMessage" => to_json(&receive::receive_message(sqs, parse(body)?).await?),
        "DeleteMessage" => empty_json(delete::delete_message(sqs, parse(body)?)),
        "DeleteMessageBatch" => to_json(&delete::delete_message_batch(sqs, parse(body)?)?),
        "ChangeMessageVisibility" => empty_json(visibility::change_message_visibility(sqs, parse(body)?)),
        "ChangeMessageVisibilityBatch" => to_json(&visibility::change_message_visibility_batch(sqs, parse(body)?)?),
        "CreateQueue" => to_json(&create::create_queue(sqs, parse(body)?)?),
        "GetQueueUrl" => to_json(&create::get_queue_url(sqs, parse(body)?)?),
        "ListQueues" => to_json(&create::list_queues(sqs, parse(body)?)?),
        "ListDeadLetterSourceQueues" => to_json(&create::list_dead_letter_source_queues(sqs, parse(body)?)?),
        "DeleteQueue" => empty_json(create::delete_queue(sqs, parse(body)?)),
        "PurgeQueue" => empty_json(create::purge_queue(sqs, parse(body)?)),
        "GetQueueAttributes" => to_json(&describe::get_queue_attributes(sqs, parse(body)?)?),
        "SetQueueAttributes" => empty_json(describe::set_queue_attributes(sqs, parse(body)?)),
        "TagQueue" => empty_json(describe::tag_queue(sqs, parse(body)?)),
        "UntagQueue" => empty_json(describe::untag_queue(sqs, parse(body)?)),
        "ListQueueTags" => to_json(&describe::list_queue_tags(sqs, parse(body)?)?),
        "StartMessageMoveTask" => to_json(&move_task::start(sqs, parse(body)?)?),
        "ListMessageMoveTasks" => to_json(&move_task::list(sqs, parse(body)?)?),
        "CancelMessageMoveTask" => Err(move_task::cancel(sqs, parse(body)?)),
        unknown => Err(SqsError::UnknownOperation(unknown.to_owned())),
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, SqsError> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| SqsError::Serialization(error.to_string()))
}

fn to_json(answer: &impl Serialize) -> Result<Vec<u8>, SqsError> {
    serde_json::to_vec(answer).map_err(SqsError::Stored)
}

fn empty_json(result: Result<(), SqsError>) -> Result<Vec<u8>, SqsError> {
    result.map(|()| b"{}".to_vec())
}
