//! Functions, with their events: SQS event sources and schedules.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde_json::{Map, Value};

use super::properties::Properties;
use super::scope::{Scope, text_of};
use super::{Template, TemplateError, schedule, source};

/// A Lambda function of the stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    pub name: String,
    pub arn: String,
    /// The file name of the binary that is the function.
    pub binary: String,
    /// In MB.
    pub memory: u32,
    pub timeout: Duration,
    pub environment: BTreeMap<String, String>,
    /// `ReservedConcurrentExecutions`.
    pub reserved_concurrency: Option<usize>,
}

/// What changes how a function runs.
const UNDERSTOOD: &[&str] =
    &["CodeUri", "Environment", "Events", "FunctionName", "MemorySize", "ReservedConcurrentExecutions", "Timeout"];

/// What is about permissions, logs, packaging or the machine in the cloud.
const WITHOUT_A_LOCAL_PART: &[&str] = &[
    "Architectures",
    "DeadLetterQueue",
    "Description",
    "EphemeralStorage",
    // What Lambda does with an asynchronous invocation that fails. Here it fails at Scheduler, whose own policy applies.
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
    template: &mut Template,
    scope: &Scope<'_>,
    globals: &Value,
    logical_id: &str,
    resource: &Value,
) -> Result<(), TemplateError> {
    let identity = scope.identity(logical_id)?;
    let own = &resource["Properties"];
    let relevant = with_globals(&globals["Function"], own)?;
    let properties = Properties::resolved(scope, &relevant)?;
    template.functions.push(Function {
        name: identity.name.clone(),
        arn: identity.arn(),
        binary: binary(scope, resource, &properties)?,
        memory: properties.number("MemorySize")?.unwrap_or(128),
        timeout: Duration::from_secs(properties.number("Timeout")?.unwrap_or(3)),
        environment: environment(properties.get("Environment"))?,
        reserved_concurrency: properties.number("ReservedConcurrentExecutions")?,
    });
    for (event_id, event) in own["Events"].as_object().into_iter().flatten() {
        let properties = Properties::resolved(scope, &event["Properties"])?;
        let named = |error: TemplateError| error.within(event_id);
        match event["Type"].as_str().unwrap_or_default() {
            "SQS" => template.sources.push(source::read(&identity.name, &properties).map_err(named)?),
            "ScheduleV2" => {
                // SAM calls the schedule after both logical ids.
                let name = format!("{}-{logical_id}{event_id}", scope.place.stack);
                template.schedules.push(schedule::read_event(name, &identity.arn(), &properties).map_err(named)?);
            }
            other => {
                return Err(TemplateError::property(event_id, format!("event type {other} is not understood here")));
            }
        }
    }
    Ok(())
}

/// The function's properties that matter here, with the template's globals below them. Environments are merged, the
/// function's variables first; every other property is the function's or else the global one.
fn with_globals(globals: &Value, own: &Value) -> Result<Value, TemplateError> {
    let mut merged = Map::new();
    for (name, value) in [globals, own].into_iter().flat_map(|level| level.as_object().into_iter().flatten()) {
        let name = name.as_str();
        if !UNDERSTOOD.contains(&name) {
            if WITHOUT_A_LOCAL_PART.contains(&name) {
                continue;
            }
            return Err(TemplateError::property(name, "not understood here"));
        }
        match (name, merged.get_mut(name)) {
            ("Events", _) => {}
            ("Environment", Some(Value::Object(below))) => {
                let variables = below.entry("Variables").or_insert_with(|| Value::Object(Map::new()));
                if let (Some(variables), Some(above)) = (variables.as_object_mut(), value["Variables"].as_object()) {
                    variables.extend(above.clone());
                }
            }
            _ => {
                merged.insert(name.to_owned(), value.clone());
            }
        }
    }
    Ok(Value::Object(merged))
}

/// cargo-lambda builds the binary that the metadata names, else the one called like the crate.
fn binary(scope: &Scope<'_>, resource: &Value, properties: &Properties) -> Result<String, TemplateError> {
    let named = scope.resolve(&resource["Metadata"]["BuildProperties"]["Binary"])?;
    if let Some(name) = named.as_str() {
        return Ok(name.to_owned());
    }
    let code = properties.required_text("CodeUri")?;
    let folder = Path::new(&code).file_name().and_then(|name| name.to_str());
    folder.map(str::to_owned).ok_or_else(|| TemplateError::property("CodeUri", "names no crate"))
}

fn environment(environment: &Value) -> Result<BTreeMap<String, String>, TemplateError> {
    let mut variables = BTreeMap::new();
    for (name, value) in environment["Variables"].as_object().into_iter().flatten() {
        let value = text_of(value).ok_or_else(|| TemplateError::property(name, "a variable that is not text"))?;
        variables.insert(name.clone(), value);
    }
    Ok(variables)
}
