//! A configuration as the table keeps it: read leniently, since it may be of another release. What this release does not
//! know is kept and written back; what it knows otherwise becomes a problem that the flow shows, and the part falls
//! back to what does nothing by itself. Nothing here is an error: no configuration may stand in the way of another.

use std::collections::BTreeMap;

use domain::{
    ConfigProblem, Confirmation, DeadLetterQueue, Flow, FlowName, Phase, RetryMode, RetryPolicy, Stages, Timestamp,
    Unknown,
};
use serde_json::Value;

use super::shape::{CONFIG, merge, split};
use super::{aws, confirmation, flow_config, policy, stage};
use crate::FieldError;
use crate::fields::{Field, Fields};

/// The name under which a flow carries what is unknown of its configuration.
const DOCUMENT: &str = "config";

/// Reads a stored configuration. The caller sets the version.
///
/// A part that is not understood falls back: an unknown schedule or policy to one that is retried by hand only, an
/// unknown stage to none, unknown rules of confirmation to the defaults. Each is among the flow's `problems`.
#[must_use]
pub fn read_stored_flow(name: FlowName, json: &str, activated_at: Timestamp) -> Flow {
    let value: Value = match serde_json::from_str(json) {
        Ok(value @ Value::Object(_)) => value,
        Ok(_) => return Flow::unreadable(name, 0, activated_at, "is no JSON object".to_owned()),
        Err(error) => return Flow::unreadable(name, 0, activated_at, format!("is not JSON: {error}")),
    };
    let (known, unknown) = split(&value, &CONFIG);
    let known = Value::Object(known);
    let Ok(fields) = Fields::of(&known) else {
        return Flow::unreadable(name, 0, activated_at, "is no JSON object".to_owned());
    };
    let mode = Flow::registered(name.clone(), &Stages::default(), activated_at).retry.mode;
    let mut problems = Problems::default();
    let automatic = || RetryPolicy { mode, ..RetryPolicy::default() };
    // Each field is named: one that is added must be read here too.
    let mut flow = Flow {
        name,
        activated_at,
        display_name: problems.or(fields.at("displayName").text(usize::MAX), None),
        active: problems.or(fields.at("active").flag(), Some(false)).unwrap_or(true),
        stages: stages(&fields.at("stages"), &mut problems),
        dead_letter_queues: dead_letter_queues(&fields.at("deadLetterQueues"), &mut problems),
        functions: functions(&fields.at("functions"), &mut problems),
        senders: senders(&fields.at("senders"), &mut problems),
        confirmation: problems.or(confirmation(&fields.at("confirmation")), Confirmation::default()),
        retry: policy_or_manual(&fields.at("retry"), &automatic, &mut problems).unwrap_or_else(automatic),
        partners: partners(&fields.at("partners"), &automatic, &mut problems),
        version: 0,
        problems: Vec::new(),
        unknown: Unknown::default(),
    };
    flow.problems = problems.0;
    if !unknown.is_empty() {
        flow.unknown.members.insert(DOCUMENT.to_owned(), Value::Object(unknown).to_string());
    }
    flow
}

/// The configuration as the table keeps it: all that the flow says, and what it carries of a later release.
#[must_use]
pub fn stored_flow_config(flow: &Flow) -> Value {
    let mut config = flow_config(flow);
    let unknown = flow.unknown.members.get(DOCUMENT).and_then(|json| serde_json::from_str(json).ok());
    if let (Some(config), Some(unknown)) = (config.as_object_mut(), unknown) {
        merge(config, unknown, &CONFIG);
    }
    config
}

/// What was not understood so far.
#[derive(Default)]
struct Problems(Vec<ConfigProblem>);

impl Problems {
    fn or<T>(&mut self, read: Result<T, FieldError>, fallback: T) -> T {
        read.unwrap_or_else(|FieldError { field, problem }| {
            self.0.push(ConfigProblem { field: Some(field), problem });
            fallback
        })
    }

    /// The members of an object; none where it is left out or is something else.
    fn object<'a>(&mut self, field: &Field<'a>) -> Option<Fields<'a>> {
        self.or(field.object(), None)
    }

    /// The items of a list; none where it is left out or is something else.
    fn list<'a>(&mut self, field: &Field<'a>) -> Vec<Field<'a>> {
        self.or(field.list(), None).unwrap_or_default()
    }
}

fn stages(field: &Field<'_>, problems: &mut Problems) -> Stages {
    let Some(fields) = problems.object(field) else { return Stages::default() };
    let mut side = |name| problems.or(stage(&fields.at(name)), None);
    Stages { sender: side("sender"), receiver: side("receiver") }
}

fn dead_letter_queues(field: &Field<'_>, problems: &mut Problems) -> Vec<DeadLetterQueue> {
    let mut queues = Vec::new();
    for item in problems.list(field) {
        let Some(fields) = problems.object(&item) else { continue };
        let arn = problems.or(fields.at("arn").must(aws::QUEUE_ARN, aws::queue_arn).map(Some), None);
        let phase = fields.at("phase").parsed("processing or delivery", Phase::from_word);
        let phase = problems.or(phase, None).unwrap_or(Phase::Processing);
        queues.extend(arn.map(|arn| DeadLetterQueue { arn, phase }));
    }
    queues
}

fn functions(field: &Field<'_>, problems: &mut Problems) -> Vec<String> {
    let items = problems.list(field);
    let arn = |item: Field<'_>| problems.or(item.must(aws::FUNCTION_ARN, aws::function_arn).map(Some), None);
    items.into_iter().filter_map(arn).collect()
}

/// A sender that is none: it keeps a flow from being open to everybody where what it lists is not understood.
const NOBODY: &str = "-";

/// Entries are kept as they are: one that this release does not know matches nobody.
fn senders(field: &Field<'_>, problems: &mut Problems) -> Vec<String> {
    let known = problems.0.len();
    let items = problems.list(field);
    if problems.0.len() > known {
        return vec![NOBODY.to_owned()];
    }
    let text = |item: Field<'_>| problems.or(item.must(aws::SENDER, |text| Some(text.to_owned())), NOBODY.to_owned());
    items.into_iter().map(text).collect()
}

/// `None` where the policy is left out; one that is not understood is retried by hand only.
fn policy_or_manual(
    field: &Field<'_>,
    default: &impl Fn() -> RetryPolicy,
    problems: &mut Problems,
) -> Option<RetryPolicy> {
    let manual = RetryPolicy { mode: RetryMode::Manual, ..default() };
    problems.or(policy::read(field, default()), Some(manual))
}

fn partners(
    field: &Field<'_>,
    default: &impl Fn() -> RetryPolicy,
    problems: &mut Problems,
) -> BTreeMap<String, RetryPolicy> {
    let mut partners = BTreeMap::new();
    let Some(fields) = problems.object(field) else { return partners };
    for (name, partner) in fields.each() {
        let Some(fields) = problems.object(&partner) else { continue };
        if let Some(policy) = policy_or_manual(&fields.at("retry"), default, problems) {
            partners.insert(name.to_owned(), policy);
        }
    }
    partners
}
