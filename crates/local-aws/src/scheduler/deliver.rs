//! What a target receives, and what its dead-letter queue receives instead.

use serde_json::json;

use super::firing::{Exhausted, Firing};
use crate::aws::Invoker;
use crate::clock::instant;
use crate::names;
use crate::sqs::{Delivery, Sqs};

/// Why a target did not take an occurrence, as a dead letter tells it.
#[derive(Debug)]
pub(super) struct Refused {
    code: String,
    message: String,
}

/// Hands the occurrence to its target and waits for what that says.
pub(super) async fn deliver(firing: &Firing, sqs: &Sqs, invoker: &Invoker) -> Result<(), Refused> {
    let target = &firing.definition.target;
    let payload = payload(firing);
    if names::is_function_arn(&target.arn) {
        let Some(invoker) = invoker.get() else { return Err(unserved(&target.arn)) };
        let answer = invoker.invoke(&target.arn, payload.into_bytes()).await;
        return answer.map(drop).map_err(|error| Refused { code: error.code().to_owned(), message: error.to_string() });
    }
    let Some(queue) = names::queue_of_arn(&target.arn) else { return Err(unserved(&target.arn)) };
    let group = target.sqs_parameters.as_ref().and_then(|parameters| parameters.message_group_id.clone());
    sqs.deliver(queue, Delivery { body: payload, attributes: Vec::new(), group })
        .map_err(|error| Refused { code: error.query_code().to_owned(), message: error.to_string() })
}

/// Puts what could not be delivered on the dead-letter queue, if the schedule has one.
pub(super) fn bury(firing: &Firing, refused: &Refused, exhausted: Exhausted, sqs: &Sqs) {
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

/// The input with its context attributes filled in; without an input, the event AWS makes up.
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

fn unserved(arn: &str) -> Refused {
    Refused { code: "ResourceNotFoundException".to_owned(), message: format!("nothing here serves the target {arn}") }
}
