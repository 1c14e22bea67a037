//! Schedules and schedule groups, in the form of Scheduler's API.

use serde_json::{Map, Value, json};

use super::error::TemplateError;
use super::properties::Properties;

/// A schedule group of the stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleGroup {
    pub name: String,
}

/// A schedule of the stack.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    pub name: String,
    /// The body of `CreateSchedule`.
    pub definition: Value,
}

/// Properties of `CreateSchedule` without the target. They have the same names in CloudFormation and SAM.
const DEFINITION: &[&str] = &[
    "Description",
    "EndDate",
    "FlexibleTimeWindow",
    "GroupName",
    "KmsKeyArn",
    "ScheduleExpression",
    "ScheduleExpressionTimezone",
    "StartDate",
    "State",
];

/// Properties of the target in Scheduler's API. In SAM they are properties of the event.
const TARGET: &[&str] = &["DeadLetterConfig", "Input", "RetryPolicy", "RoleArn"];

/// An `AWS::Scheduler::Schedule`.
pub(super) fn read_resource(stack: &str, logical_id: &str, properties: &Properties) -> Result<Schedule, TemplateError> {
    properties.allow_only(&[DEFINITION, &["Name", "Target"]].concat())?;
    let name = properties.text("Name")?.unwrap_or_else(|| format!("{stack}-{logical_id}"));
    Ok(Schedule { name, definition: definition(properties, properties.get("Target").clone()) })
}

/// A `ScheduleV2` event of a function. SAM makes a schedule of it, with the function as the target.
pub(super) fn read_event(
    default_name: String,
    function: &str,
    properties: &Properties,
) -> Result<Schedule, TemplateError> {
    properties.allow_only(&[DEFINITION, TARGET, &["Name", "OmitName"]].concat())?;
    let mut target = Map::from_iter([("Arn".to_owned(), Value::from(function))]);
    for property in TARGET {
        if !properties.get(property).is_null() {
            target.insert((*property).to_owned(), properties.get(property).clone());
        }
    }
    let name = properties.text("Name")?.unwrap_or(default_name);
    Ok(Schedule { name, definition: definition(properties, Value::Object(target)) })
}

fn definition(properties: &Properties, target: Value) -> Value {
    let mut definition = Map::new();
    for property in DEFINITION {
        if !properties.get(property).is_null() {
            definition.insert((*property).to_owned(), properties.get(property).clone());
        }
    }
    definition.entry("FlexibleTimeWindow").or_insert_with(|| json!({ "Mode": "OFF" }));
    definition.insert("Target".to_owned(), target);
    Value::Object(definition)
}
