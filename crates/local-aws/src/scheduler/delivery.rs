//! Delivers an occurrence to its target, or to the dead-letter queue if its retries are exhausted.

use serde_json::json;

use super::firing::{Exhausted, Firing};
use crate::clock::instant;
use crate::invoke::InvokerSlot;
use crate::names;
use crate::sqs::{Delivery, Sqs};

/// The error of a failed delivery, as in the attributes of a dead letter.
#[derive(Debug)]
pub(super) struct DeliveryError {
    code: String,
    message: String,
}

/// Delivers the occurrence to its target and waits for the result.
pub(super) async fn deliver(firing: &Firing, sqs: &Sqs, invoker: &InvokerSlot) -> Result<(), DeliveryError> {
    let target = &firing.definition.target;
    let payload = payload(firing);
    if names::is_function_arn(&target.arn) {
        let Some(invoker) = invoker.get() else { return Err(unsupported_target(&target.arn)) };
        let answer = invoker.invoke(&target.arn, payload.into_bytes()).await;
        return answer
            .map(drop)
            .map_err(|error| DeliveryError { code: error.code().to_owned(), message: error.to_string() });
    }
    let Some(queue) = names::queue_of_arn(&target.arn) else { return Err(unsupported_target(&target.arn)) };
    let group = target.sqs_parameters.as_ref().and_then(|parameters| parameters.message_group_id.clone());
    sqs.deliver(queue, Delivery { body: payload, attributes: Vec::new(), group })
        .map_err(|error| DeliveryError { code: error.query_code().to_owned(), message: error.to_string() })
}

/// Sends an undeliverable occurrence to the schedule's dead-letter queue, if it has one.
pub(super) fn send_dead_letter(firing: &Firing, refused: &DeliveryError, exhausted: Exhausted, sqs: &Sqs) {
    let target = &firing.definition.target;
    let Some(arn) = target.dead_letter_config.as_ref().and_then(|config| config.arn.as_deref()) else { return };
    let attributes = [
        ("ERROR_CODE", refused.code.clone()),
        ("ERROR_MESSAGE", refused.message.clone()),
        ("EXECUTION_ID", firing.id.clone()),
        ("EXHAUSTED_RETRY_CONDITION", exhausted.name().to_owned()),
        ("IS_PAYLOAD_TRUNCATED", "false".to_owned()),
        ("RETRY_ATTEMPTS", firing.attempts.to_string()),
        ("SCHEDULED_TIME", instant(firing.scheduled_at).to_string()),
        ("SCHEDULE_ARN", firing.arn.clone()),
        ("TARGET_ARN", target.arn.clone()),
    ];
    let attributes = attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let queue = names::queue_of_arn(arn).unwrap_or_default();
    if let Err(error) = sqs.deliver(queue, Delivery { body: payload(firing), attributes, group: None }) {
        tracing::error!(schedule = %firing.arn, queue, %error, "a dead letter of a schedule is lost");
    }
}

/// The target's input with its context attributes replaced. Without an input, the default event of AWS.
fn payload(firing: &Firing) -> String {
    let scheduled = instant(firing.scheduled_at).to_string();
    let Some(input) = &firing.definition.target.input else {
        return json!({
            "version": "0",
            "id": firing.id,
            "detail-type": "Scheduled Event",
            "source": "aws.scheduler",
            "account": names::ACCOUNT,
            "time": scheduled,
            "region": names::REGION,
            "resources": [firing.arn],
            "detail": "{}",
        })
        .to_string();
    };
    input
        .replace("<aws.scheduler.schedule-arn>", &firing.arn)
        .replace("<aws.scheduler.scheduled-time>", &scheduled)
        .replace("<aws.scheduler.execution-id>", &firing.id)
        .replace("<aws.scheduler.attempt-number>", &(firing.attempts + 1).to_string())
}

fn unsupported_target(arn: &str) -> DeliveryError {
    DeliveryError {
        code: "ResourceNotFoundException".to_owned(),
        message: format!("the target {arn} is not supported"),
    }
}
