//! Functions and their events: SQS event sources and schedules.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde_json::{Map, Value};

use super::error::TemplateError;
use super::properties::Properties;
use super::schedule::{self, Schedule};
use super::scope::{Scope, text_of};
use super::source::{self, EventSource};

/// A Lambda function of the stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    pub name: String,
    pub arn: String,
    /// The file name of the function's binary.
    pub binary: String,
    /// In MB.
    pub memory: u32,
    pub timeout: Duration,
    pub environment: BTreeMap<String, String>,
    /// `ReservedConcurrentExecutions`.
    pub reserved_concurrency: Option<usize>,
}

/// A function with the resources that SAM makes of its events.
pub(super) struct FunctionWithEvents {
    pub(super) function: Function,
    pub(super) sources: Vec<EventSource>,
    pub(super) schedules: Vec<Schedule>,
}

/// Properties that change how a function runs.
const SUPPORTED: &[&str] =
    &["CodeUri", "Environment", "Events", "FunctionName", "MemorySize", "ReservedConcurrentExecutions", "Timeout"];

/// Properties without an effect here: permissions, logs, packaging and the environment on AWS.
const IGNORED: &[&str] = &[
    "Architectures",
    "DeadLetterQueue",
    "Description",
    "EphemeralStorage",
    // Lambda's handling of failed asynchronous invocations. Here the retry policy of the schedule applies instead.
    "EventInvokeConfig",
    "Handler",
    "KmsKeyArn",
    "LoggingConfig",
    "PermissionsBoundary",
    "Policies",
    "RecursiveLoop",
    "Role",
    "Runtime",
    "SnapStart",
    "Tags",
    "Tracing",
];

pub(super) fn read(
    scope: &Scope<'_>,
    globals: &Value,
    logical_id: &str,
    resource: &Value,
) -> Result<FunctionWithEvents, TemplateError> {
    let physical = scope.physical_resource(logical_id)?;
    let own = &resource["Properties"];
    let merged = merge_globals(&globals["Function"], own)?;
    let properties = Properties::resolved(scope, &merged)?;
    let function = Function {
        name: physical.name.clone(),
        arn: physical.arn(),
        binary: binary(scope, resource, &properties)?,
        memory: properties.number("MemorySize")?.unwrap_or(128),
        timeout: Duration::from_secs(properties.number("Timeout")?.unwrap_or(3)),
        environment: environment(properties.get("Environment"))?,
        reserved_concurrency: properties.number("ReservedConcurrentExecutions")?,
    };
    let (mut sources, mut schedules) = (Vec::new(), Vec::new());
    for (event_id, event) in own["Events"].as_object().into_iter().flatten() {
        let properties = Properties::resolved(scope, &event["Properties"])?;
        let within_event = |error: TemplateError| error.within(event_id);
        match event["Type"].as_str().unwrap_or_default() {
            "SQS" => sources.push(source::read(&function.name, &properties).map_err(within_event)?),
            "ScheduleV2" => {
                // SAM builds the schedule's name from both logical ids.
                let name = format!("{}-{logical_id}{event_id}", scope.context.stack);
                schedules.push(schedule::read_event(name, &function.arn, &properties).map_err(within_event)?);
            }
            other => {
                return Err(TemplateError::property(event_id, format!("event type {other} is not supported here")));
            }
        }
    }
    Ok(FunctionWithEvents { function, sources, schedules })
}

/// The function's supported properties, merged with the template's globals. The variables of both environments are merged,
/// and the function's value wins. Any other property of the function replaces the global one.
fn merge_globals(globals: &Value, own: &Value) -> Result<Value, TemplateError> {
    let mut merged = Map::new();
    for (name, value) in [globals, own].into_iter().flat_map(|level| level.as_object().into_iter().flatten()) {
        let name = name.as_str();
        if !SUPPORTED.contains(&name) {
            if IGNORED.contains(&name) {
                continue;
            }
            return Err(TemplateError::property(name, "not supported here"));
        }
        match (name, merged.get_mut(name)) {
            ("Events", _) => {}
            ("Environment", Some(Value::Object(global))) => {
                let variables = global.entry("Variables").or_insert_with(|| Value::Object(Map::new()));
                if let (Some(variables), Some(own)) = (variables.as_object_mut(), value["Variables"].as_object()) {
                    variables.extend(own.clone());
                }
            }
            _ => {
                merged.insert(name.to_owned(), value.clone());
            }
        }
    }
    Ok(Value::Object(merged))
}

/// The name of the binary that cargo-lambda builds: from the metadata, or else the name of the crate's folder.
fn binary(scope: &Scope<'_>, resource: &Value, properties: &Properties) -> Result<String, TemplateError> {
    let named = scope.resolve(&resource["Metadata"]["BuildProperties"]["Binary"])?;
    if let Some(name) = named.as_str() {
        return Ok(name.to_owned());
    }
    let code = properties.required_text("CodeUri")?;
    let folder = Path::new(&code).file_name().and_then(|name| name.to_str());
    folder
        .map(str::to_owned)
        .ok_or_else(|| TemplateError::property("CodeUri", "does not end with the folder of a crate"))
}

fn environment(environment: &Value) -> Result<BTreeMap<String, String>, TemplateError> {
    let mut variables = BTreeMap::new();
    for (name, value) in environment["Variables"].as_object().into_iter().flatten() {
        let value = text_of(value).ok_or_else(|| TemplateError::property(name, "the variable is not text"))?;
        variables.insert(name.clone(), value);
    }
    Ok(variables)
}
