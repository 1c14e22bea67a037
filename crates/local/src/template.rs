//! Reads `infra/template.yaml` for what has to run here: table, queues, functions, event sources, routes, schedules.
//!
//! The template that is deployed is the only source of all of these, so that local and deployed cannot drift. What this
//! module does not understand is an error that names the resource: silence would be a stack that works here alone.

mod api;
mod function;
mod physical;
mod properties;
mod queue;
mod schedule;
mod scope;
mod source;
mod table;
mod yaml;

use serde_json::{Map, Value};

pub use api::Caller;
pub use function::{Function, Route};
pub use queue::Queue;
pub use schedule::{Schedule, ScheduleGroup};
pub use scope::Place;
pub use source::{EventSource, PartialFailures};
pub use table::Table;

use properties::Properties;
use scope::Scope;

/// Resource types that mean nothing on one machine: permissions, logs and alarms.
const WITHOUT_A_LOCAL_PART: &[&str] = &[
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::KMS::Alias",
    "AWS::KMS::Key",
    "AWS::Logs::LogGroup",
    "AWS::Logs::MetricFilter",
    "AWS::SNS::Subscription",
    "AWS::SNS::Topic",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
];

/// The stack, with every intrinsic function evaluated.
#[derive(Debug, Clone, Default)]
pub struct Template {
    pub tables: Vec<Table>,
    pub queues: Vec<Queue>,
    pub functions: Vec<Function>,
    pub sources: Vec<EventSource>,
    pub routes: Vec<Route>,
    pub caller: Caller,
    pub groups: Vec<ScheduleGroup>,
    pub schedules: Vec<Schedule>,
}

/// Why the template cannot be run here.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    #[error("not the YAML of a template: {0}")]
    Syntax(String),
    #[error("`{text}`: {reason}")]
    Expression { text: String, reason: String },
    #[error("property {property}: {reason}")]
    Property { property: String, reason: String },
    #[error("resource type {0} is not understood here")]
    ResourceType(String),
    #[error("resource {resource}")]
    Resource {
        resource: String,
        #[source]
        source: Box<TemplateError>,
    },
}

impl TemplateError {
    fn expression(value: &Value, reason: impl Into<String>) -> Self {
        Self::Expression { text: value.to_string(), reason: reason.into() }
    }

    fn property(property: &str, reason: impl Into<String>) -> Self {
        Self::Property { property: property.to_owned(), reason: reason.into() }
    }

    fn within(self, resource: &str) -> Self {
        Self::Resource { resource: resource.to_owned(), source: Box::new(self) }
    }
}

impl Template {
    /// Reads the text of a SAM template for a stack at `place`.
    ///
    /// # Errors
    /// Whatever matters here and is not understood, naming the resource.
    pub fn read(text: &str, place: &Place) -> Result<Self, TemplateError> {
        let document = yaml::parse(text)?;
        let none = Map::new();
        let resources = document["Resources"].as_object().unwrap_or(&none);
        let scope = Scope::new(&document, resources, place)?;
        let mut template = Self::default();
        for (logical_id, resource) in resources {
            template
                .add(&scope, &document["Globals"], logical_id, resource)
                .map_err(|error| error.within(logical_id))?;
        }
        template.check()?;
        Ok(template)
    }

    fn add(
        &mut self,
        scope: &Scope<'_>,
        globals: &Value,
        logical_id: &str,
        resource: &Value,
    ) -> Result<(), TemplateError> {
        if let Some(condition) = resource["Condition"].as_str()
            && !scope.condition(condition)?
        {
            return Ok(());
        }
        let name = || scope.identity(logical_id).map(|identity| identity.name);
        let properties = || Properties::resolved(scope, &resource["Properties"]);
        match resource["Type"].as_str().unwrap_or_default() {
            "AWS::DynamoDB::Table" => self.tables.push(table::read(name()?, &properties()?)?),
            "AWS::SQS::Queue" => self.queues.push(queue::read(name()?, &properties()?)?),
            "AWS::Scheduler::ScheduleGroup" => self.groups.push(ScheduleGroup { name: name()? }),
            "AWS::Scheduler::Schedule" => {
                self.schedules.push(schedule::read_plain(&scope.place.stack, logical_id, &properties()?)?);
            }
            "AWS::Serverless::HttpApi" => self.caller = api::read(&properties()?)?,
            "AWS::Serverless::Function" => function::read(self, scope, globals, logical_id, resource)?,
            other if WITHOUT_A_LOCAL_PART.contains(&other) => {}
            other => return Err(TemplateError::ResourceType(other.to_owned())),
        }
        Ok(())
    }

    /// An event source takes its queue's visibility timeout, and a queue must exist before another names it.
    fn check(&mut self) -> Result<(), TemplateError> {
        self.queues.sort_by_key(|queue| queue.attributes.contains_key("RedrivePolicy"));
        for source in &self.sources {
            if !self.queues.iter().any(|queue| queue.name == source.queue) {
                let error = TemplateError::property("Queue", format!("no queue {} in the template", source.queue));
                return Err(error.within(&source.function));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
