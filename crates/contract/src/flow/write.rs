//! A flow's configuration as JSON. The table keeps this form too (`stored.rs`), so what is left out here is lost.

use domain::{ConfirmationMode, Flow, MaskRules, RetryMode, RetryPolicy, Schedule, Window, WindowEvery};
use serde_json::Value;

use super::NO_DEADLINE;
use super::schedule::ONCE_A_DAY;
use crate::duration;
use crate::object::Object;

/// The configuration as `PUT` takes it, with every default spelled out: reads back to the same flow, but for
/// name, version and activation, which are not part of it.
#[must_use]
pub fn flow_config(flow: &Flow) -> Value {
    config_json(flow).into()
}

/// As [`flow_config`], to be added to.
pub(crate) fn config_json(flow: &Flow) -> Object {
    let stage = |url: &Option<String>| url.as_ref().map(|url| Object::new().with("queueUrl", url.as_str()));
    let stages =
        Object::new().maybe("sender", stage(&flow.stages.sender)).maybe("receiver", stage(&flow.stages.receiver));
    let dead_letter_queues: Vec<Value> = flow
        .dead_letter_queues
        .iter()
        .map(|queue| Object::new().with("arn", queue.arn.as_str()).with("phase", queue.phase.as_str()).into())
        .collect();
    let mode = match flow.confirmation.mode {
        ConfirmationMode::Confirms => "confirms",
        ConfirmationMode::Silent => "silent",
    };
    let confirmation = &flow.confirmation;
    let in_network = confirmation.in_network_within.map_or(NO_DEADLINE.to_owned(), duration::format);
    let confirmation = Object::new()
        .with("mode", mode)
        .with("within", duration::format(confirmation.within))
        .with("inNetworkWithin", in_network)
        .maybe("early", (!confirmation.early).then_some(false));
    let partners = flow.partners.iter().fold(Object::new(), |partners, (name, policy)| {
        partners.with(name, Object::new().with("retry", policy_json(policy)))
    });
    Object::new()
        .with("active", flow.active)
        .maybe("displayName", flow.display_name.as_deref())
        .with("stages", stages)
        .with("deadLetterQueues", dead_letter_queues)
        .with("functions", flow.functions.clone())
        .maybe("senders", Some(flow.senders.clone()).filter(|senders| !senders.is_empty()))
        .maybe("mask", Some(&flow.mask).filter(|mask| !mask.is_empty()).map(mask_json))
        .with("confirmation", confirmation)
        .with("retry", policy_json(&flow.retry))
        .with("partners", partners)
}

fn mask_json(mask: &MaskRules) -> Object {
    let fields: Vec<&str> = mask.fields.iter().map(|field| field.as_str()).collect();
    Object::new()
        .maybe("patterns", Some(mask.patterns.clone()).filter(|patterns| !patterns.is_empty()))
        .maybe("fields", Some(fields).filter(|fields| !fields.is_empty()))
}

/// A retry policy.
pub(crate) fn policy_json(policy: &RetryPolicy) -> Object {
    let mode = match policy.mode {
        RetryMode::Manual => "manual",
        RetryMode::Automatic => "automatic",
    };
    let categories: Vec<&str> = policy.categories.iter().map(|category| category.as_str()).collect();
    Object::new()
        .with("mode", mode)
        .with("schedule", schedule_json(&policy.schedule))
        .with("categories", categories)
        .with("jitter", policy.jitter)
        .maybe("action", policy.action.map(|action| action.as_str()))
}

fn schedule_json(schedule: &Schedule) -> Object {
    let object = Object::new().with("kind", schedule.kind());
    match schedule {
        Schedule::Ladder(ladder) => {
            let delays: Vec<String> = ladder.delays.iter().map(|delay| duration::format(*delay)).collect();
            object.with("delays", delays)
        }
        Schedule::Exponential(exponential) => object
            .with("first", duration::format(exponential.first))
            .with("factor", exponential.factor)
            .with("cap", duration::format(exponential.cap))
            .with("limit", exponential.limit),
        Schedule::Window(window) => window_json(object, window),
    }
}

fn window_json(object: Object, window: &Window) -> Object {
    let object = match &window.every {
        WindowEvery::Hour => object.with("every", "hour"),
        WindowEvery::Day { at, zone } => {
            object.with("every", "day").with("at", at.strftime("%H:%M").to_string()).maybe("timezone", zone.iana_name())
        }
    };
    object
        .maybe("interval", Some(window.interval).filter(|hours| *hours != ONCE_A_DAY))
        .with("lapse", duration::format(window.lapse))
        .maybe("batch", window.batch)
        .with("limit", window.limit)
}
