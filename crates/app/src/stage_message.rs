//! A re-entry as the message that a stage queue is given.

use std::collections::HashMap;

use contract::{MessageAttribute, RepriseAttribute, decode_attributes};
use domain::{Digest, Epoch, Interchange, InterchangeId, PartStatus, Revision};
use queues::StageMessage;

use crate::execute::Claimed;

/// The payloads and kept attributes that these need.
pub(crate) fn wanted(claimed: &[Claimed]) -> Vec<(InterchangeId, Revision)> {
    claimed
        .iter()
        .flat_map(|Claimed { interchange: i, .. }| {
            let payload = i.flight.as_ref().map(|flight| flight.payload.clone());
            payload.into_iter().chain(i.attributes.current().cloned()).map(|revision| (i.id.clone(), revision))
        })
        .collect()
}

/// The message; why there is none, where what it needs is not kept any more.
pub(crate) fn message(
    interchange: &Interchange,
    bodies: &HashMap<(InterchangeId, Digest), Vec<u8>>,
    epoch: Epoch,
) -> Result<StageMessage, String> {
    let flight = interchange.flight.as_ref().ok_or("nothing is in flight")?;
    let body = |digest: Digest| bodies.get(&(interchange.id.clone(), digest)).cloned();
    let payload = body(flight.payload.meta.digest).ok_or("the payload is not kept any more")?;
    let attributes = interchange.attributes.current().and_then(|kept| body(kept.meta.digest));
    let carried: Vec<MessageAttribute> = match attributes {
        Some(kept) => decode_attributes(&kept).map_err(|e| e.to_string())?,
        None => Vec::new(),
    };
    let parties = &interchange.parties;
    let failed_parts = interchange.parts.iter().filter(|part| part.status == PartStatus::Failed);
    Ok(StageMessage {
        queue_url: flight.queue_url.clone(),
        payload,
        attribute: RepriseAttribute {
            interchange_id: interchange.id.clone(),
            flow: interchange.flow.clone(),
            attempt: interchange.attempt,
            epoch,
            action: flight.action,
            trigger: flight.trigger,
            encoding: None,
            content_type: flight.payload.meta.content_type.clone(),
            parts: failed_parts.map(|part| part.id.clone()).collect(),
            correlation_id: parties.correlation_id.clone(),
            traceparent: parties.traceparent.clone(),
            job: interchange.job.clone(),
        },
        dead_letter_attributes: carried,
        group: parties.order_key.clone().unwrap_or_else(|| interchange.id.to_string()),
    })
}
