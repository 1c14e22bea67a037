//! A flow's configuration: what people send is read strictly, since a typing error in a retry policy would act on messages
//! for months; what is stored is read leniently (`stored.rs`).

mod aws;
mod policy;
mod schedule;
mod shape;
mod stored;
mod write;

use std::collections::BTreeMap;

use domain::{Confirmation, ConfirmationMode, DeadLetterQueue, Flow, FlowName, Phase, RetryPolicy, Stages, Timestamp};
use jiff::SignedDuration;

use crate::fields::{Field, Fields, parse};
use crate::{FieldError, duration, limits};

pub use stored::{read_stored_flow, stored_flow_config};
pub use write::flow_config;
pub(crate) use write::{config_json, policy_json};

/// No delay is shorter: retries fall on whole minutes.
const LEAST_DELAY: SignedDuration = SignedDuration::from_mins(1);
/// No delay is longer.
const YEAR: SignedDuration = SignedDuration::from_hours(365 * 24);

/// What `confirmation.inNetworkWithin` says where there is no deadline.
const NO_DEADLINE: &str = "none";
const IN_NETWORK: &str = "a duration from 1m to 365d, like `90s`, `5m`, `24h`, or `none`";

/// What the API shows beside a configuration. It may come back in a `PUT`, so that what was read can be changed
/// and sent again; it says nothing there.
const SHOWN_BESIDE: [&str; 9] =
    ["flow", "version", "counts", "oldestFailureAt", "newestFailureAt", "nextRunAt", "retries", "job", "problems"];

/// Reads the body of `PUT /flows/{flow}`. Version is 0 and `activated_at` is `now`: the caller sets both.
///
/// Stages that are left out are `defaults` (none for [`FlowName::unassigned`], which is retried by hand unless it
/// says otherwise); `{}` is none. A partner's policy replaces the flow's as a whole: what it leaves out is the default, not the flow's.
///
/// # Errors
/// Names the field that is unknown or impossible, what it says and what is allowed.
pub fn read_flow(name: FlowName, json: &[u8], defaults: &Stages, now: Timestamp) -> Result<Flow, FieldError> {
    let value = parse(json)?;
    let fields = Fields::of(&value)?;
    fields.only(&[&shape::CONFIG.names()[..], &SHOWN_BESIDE[..]].concat())?;
    let other = fields.at("flow").parsed("a flow", |text| Some(text != name.as_str()))?;
    if other == Some(true) {
        return Err(fields.at("flow").wrong(&format!("left out or `{name}`, as in the path")));
    }
    let registered = Flow::registered(name, defaults, now);
    let mode = registered.retry.mode;
    let default_policy = || RetryPolicy { mode, ..RetryPolicy::default() };
    Ok(Flow {
        display_name: fields.at("displayName").text(limits::TEXT)?,
        active: fields.at("active").flag()?.unwrap_or(true),
        stages: stages(&fields.at("stages"))?.unwrap_or(registered.stages),
        dead_letter_queues: dead_letter_queues(&fields.at("deadLetterQueues"))?,
        functions: functions(&fields.at("functions"))?,
        senders: senders(&fields.at("senders"), &registered.name)?,
        confirmation: confirmation(&fields.at("confirmation"))?,
        retry: policy::read(&fields.at("retry"), default_policy())?.unwrap_or_else(default_policy),
        partners: partners(&fields.at("partners"), &default_policy)?,
        ..registered
    })
}

/// `None` when they are left out.
fn stages(field: &Field<'_>) -> Result<Option<Stages>, FieldError> {
    let Some(fields) = field.object()? else { return Ok(None) };
    fields.only(&shape::STAGES.names())?;
    let stage = |name| stage(&fields.at(name));
    Ok(Some(Stages { sender: stage("sender")?, receiver: stage("receiver")? }))
}

fn stage(field: &Field<'_>) -> Result<Option<String>, FieldError> {
    let Some(fields) = field.object()? else { return Ok(None) };
    fields.only(&shape::STAGE.names())?;
    fields.at("queueUrl").must(aws::QUEUE_URL, aws::queue_url).map(Some)
}

fn dead_letter_queues(field: &Field<'_>) -> Result<Vec<DeadLetterQueue>, FieldError> {
    let mut queues: Vec<DeadLetterQueue> = Vec::new();
    for item in at_most(field, field.list()?.unwrap_or_default())? {
        let fields = item.object()?.ok_or_else(|| item.wrong("an object"))?;
        fields.only(&shape::DEAD_LETTER_QUEUE.names())?;
        let arn = fields.at("arn").must(aws::QUEUE_ARN, aws::queue_arn)?;
        if queues.iter().any(|queue| queue.arn == arn) {
            return Err(fields.at("arn").refused("is listed twice"));
        }
        let phase = fields.at("phase").parsed("processing or delivery", Phase::from_word)?;
        queues.push(DeadLetterQueue { arn, phase: phase.unwrap_or(Phase::Processing) });
    }
    Ok(queues)
}

fn functions(field: &Field<'_>) -> Result<Vec<String>, FieldError> {
    let mut functions: Vec<String> = Vec::new();
    for item in at_most(field, field.list()?.unwrap_or_default())? {
        let arn = item.must(aws::FUNCTION_ARN, aws::function_arn)?;
        if functions.contains(&arn) {
            return Err(item.refused("is listed twice"));
        }
        functions.push(arn);
    }
    Ok(functions)
}

/// None for [`FlowName::unassigned`], which takes what no other flow does.
fn senders(field: &Field<'_>, flow: &FlowName) -> Result<Vec<String>, FieldError> {
    let items = field.list()?.unwrap_or_default();
    if items.len() > limits::SENDERS {
        return Err(field.wrong(&format!("a list of at most {}", limits::SENDERS)));
    }
    if flow.is_unassigned() && !items.is_empty() {
        return Err(field.refused("is not for `unassigned`, which takes what no other flow does"));
    }
    let mut senders: Vec<String> = Vec::new();
    for item in items {
        let sender = item.must(aws::SENDER, aws::sender)?;
        if senders.contains(&sender) {
            return Err(item.refused("is listed twice"));
        }
        senders.push(sender);
    }
    Ok(senders)
}

fn at_most<T>(field: &Field<'_>, items: Vec<T>) -> Result<Vec<T>, FieldError> {
    if items.len() > limits::SOURCES {
        return Err(field.wrong(&format!("a list of at most {}", limits::SOURCES)));
    }
    Ok(items)
}

fn confirmation(field: &Field<'_>) -> Result<Confirmation, FieldError> {
    let default = Confirmation::default();
    let Some(fields) = field.object()? else { return Ok(default) };
    fields.only(&shape::CONFIRMATION.names())?;
    let mode = fields.at("mode").parsed("confirms or silent", |word| match word {
        "confirms" => Some(ConfirmationMode::Confirms),
        "silent" => Some(ConfirmationMode::Silent),
        _ => None,
    })?;
    let within = fields.at("within").duration(LEAST_DELAY..=YEAR)?;
    let in_network = fields.at("inNetworkWithin").parsed(IN_NETWORK, |text| match text {
        NO_DEADLINE => Some(None),
        _ => duration::parse(text).filter(|within| (LEAST_DELAY..=YEAR).contains(within)).map(Some),
    })?;
    Ok(Confirmation {
        mode: mode.unwrap_or(default.mode),
        within: within.unwrap_or(default.within),
        in_network_within: in_network.unwrap_or(default.in_network_within),
        early: fields.at("early").flag()?.unwrap_or(default.early),
    })
}

fn partners(
    field: &Field<'_>,
    default_policy: &impl Fn() -> RetryPolicy,
) -> Result<BTreeMap<String, RetryPolicy>, FieldError> {
    let Some(fields) = field.object()? else { return Ok(BTreeMap::new()) };
    if fields.each().count() > limits::PARTNERS {
        return Err(field.wrong(&format!("an object of at most {} partners", limits::PARTNERS)));
    }
    let mut partners = BTreeMap::new();
    for (name, partner) in fields.each() {
        if name.is_empty() || name.chars().count() > limits::TEXT {
            return Err(partner.refused("is no partner's name: must be 1-256 characters"));
        }
        let fields = partner.object()?.ok_or_else(|| partner.wrong("an object with `retry`"))?;
        fields.only(&shape::PARTNER.names())?;
        let retry = fields.at("retry");
        let policy = policy::read(&retry, default_policy())?.ok_or_else(|| retry.wrong("a retry policy"))?;
        partners.insert(name.to_owned(), policy);
    }
    Ok(partners)
}
