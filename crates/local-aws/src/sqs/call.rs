//! The operations by name: AWS JSON in, AWS JSON out, whether it came over HTTP or from inside.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::SqsError;
use super::{Sqs, create, delete, describe, move_task, receive, send, visibility};

/// Runs `operation` (`SendMessage`, …) for `sender`, the account where there is none, with the JSON of its request, and gives
/// the JSON of its answer.
pub(super) async fn call(sqs: &Sqs, sender: Option<&str>, operation: &str, body: &[u8]) -> Result<Vec<u8>, SqsError> {
    match operation {
        "SendMessage" => answer(&send::send_message(sqs, parse::<send::Entry>(body)?.by(sender))?),
        "SendMessageBatch" => answer(&send::send_message_batch(sqs, parse(body)?, sender)?),
        "ReceiveMessage" => answer(&receive::receive_message(sqs, parse(body)?).await?),
        "DeleteMessage" => nothing(delete::delete_message(sqs, parse(body)?)),
        "DeleteMessageBatch" => answer(&delete::delete_message_batch(sqs, parse(body)?)?),
        "ChangeMessageVisibility" => nothing(visibility::change_message_visibility(sqs, parse(body)?)),
        "ChangeMessageVisibilityBatch" => answer(&visibility::change_message_visibility_batch(sqs, parse(body)?)?),
        "CreateQueue" => answer(&create::create_queue(sqs, parse(body)?)?),
        "GetQueueUrl" => answer(&create::get_queue_url(sqs, parse(body)?)?),
        "ListQueues" => answer(&create::list_queues(sqs, parse(body)?)?),
        "ListDeadLetterSourceQueues" => answer(&create::list_dead_letter_source_queues(sqs, parse(body)?)?),
        "DeleteQueue" => nothing(create::delete_queue(sqs, parse(body)?)),
        "PurgeQueue" => nothing(create::purge_queue(sqs, parse(body)?)),
        "GetQueueAttributes" => answer(&describe::get_queue_attributes(sqs, parse(body)?)?),
        "SetQueueAttributes" => nothing(describe::set_queue_attributes(sqs, parse(body)?)),
        "TagQueue" => nothing(describe::tag_queue(sqs, parse(body)?)),
        "UntagQueue" => nothing(describe::untag_queue(sqs, parse(body)?)),
        "ListQueueTags" => answer(&describe::list_queue_tags(sqs, parse(body)?)?),
        "StartMessageMoveTask" => answer(&move_task::start(sqs, parse(body)?)?),
        "ListMessageMoveTasks" => answer(&move_task::list(sqs, parse(body)?)?),
        "CancelMessageMoveTask" => Err(move_task::cancel(sqs, parse(body)?)),
        unknown => Err(SqsError::UnknownOperation(unknown.to_owned())),
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, SqsError> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| SqsError::Serialization(error.to_string()))
}

fn answer(answer: &impl Serialize) -> Result<Vec<u8>, SqsError> {
    serde_json::to_vec(answer).map_err(SqsError::Stored)
}

fn nothing(result: Result<(), SqsError>) -> Result<Vec<u8>, SqsError> {
    result.map(|()| b"{}".to_vec())
}
