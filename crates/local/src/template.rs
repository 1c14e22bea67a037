//! Reads `infra/template.yaml` for what has to run here: table, queues, functions, event sources, routes, schedules.
//!
//! The template that is deployed is the only source of all of these, so that local and deployed cannot drift. What this
//! module does not understand is an error that names the resource: silence would be a stack that works here alone.

mod authorizer;
mod function;
mod http_api;
mod permission;
mod physical;
mod properties;
mod queue;
mod route;
mod schedule;
mod scope;
mod source;
mod table;
mod yaml;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

pub use authorizer::Authorizer;
pub use function::Function;
pub use queue::Queue;
pub use route::{Authorization, Route};
pub use schedule::{Schedule, ScheduleGroup};
pub use scope::Place;
pub use source::{EventSource, PartialFailures};
pub use table::Table;

use http_api::HttpApi;
use properties::Properties;
use scope::Scope;

/// The parts of a template that are read here.
const UNDERSTOOD: &[&str] =
    &["AWSTemplateFormatVersion", "Conditions", "Globals", "Mappings", "Parameters", "Resources", "Transform"];

/// What a template says to people and to CloudFormation: how parameters are shown, checked, and what the stack is for.
const PARTS_WITHOUT_A_LOCAL_PART: &[&str] = &["Description", "Metadata", "Outputs", "Rules"];

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
    /// Reads the text of a SAM template for a stack at `place`. A parameter that is not given has its default.
    ///
    /// # Errors
    /// Whatever matters here and is not understood, naming the resource; a parameter that the template does not have.
    pub fn read(text: &str, place: &Place, parameters: &BTreeMap<String, String>) -> Result<Self, TemplateError> {
        let document = yaml::parse(text)?;
        let parts = [UNDERSTOOD, PARTS_WITHOUT_A_LOCAL_PART].concat();
        if let Some((part, _)) =
            document.as_object().into_iter().flatten().find(|(part, _)| !parts.contains(&part.as_str()))
        {
            return Err(TemplateError::property(part, "no part of a template that is understood here"));
        }
        let none = Map::new();
        let resources = document["Resources"].as_object().unwrap_or(&none);
        let scope = Scope::new(&document, resources, place, parameters)?;
        let (mut template, mut api) = (Self::default(), HttpApi::default());
        for (logical_id, resource) in resources {
            template
                .add(&mut api, &scope, &document["Globals"], logical_id, resource)
                .map_err(|error| error.within(logical_id))?;
        }
        template.routes = api.routes(place)?;
        template.check()?;
        Ok(template)
    }

    fn add(
        &mut self,
        api: &mut HttpApi,
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
            "AWS::ApiGatewayV2::Api" => api.add_api(&properties()?)?,
            "AWS::ApiGatewayV2::Stage" => api.add_stage(&properties()?)?,
            "AWS::ApiGatewayV2::Authorizer" => api.add_authorizer(name()?, &properties()?)?,
            "AWS::ApiGatewayV2::Integration" => api.add_integration(name()?, &properties()?)?,
            "AWS::ApiGatewayV2::Route" => api.add_route(logical_id, &properties()?)?,
            "AWS::Lambda::Permission" => api.add_permission(&properties()?)?,
            "AWS::Serverless::Function" => function::read(self, scope, globals, logical_id, resource)?,
            other if WITHOUT_A_LOCAL_PART.contains(&other) => {}
            other => return Err(TemplateError::ResourceType(other.to_owned())),
        }
        Ok(())
    }

    /// What is named exists, and a queue exists before another names it.
    fn check(&mut self) -> Result<(), TemplateError> {
        self.queues.sort_by_key(|queue| queue.attributes.contains_key("RedrivePolicy"));
        for source in &self.sources {
            if !self.queues.iter().any(|queue| queue.name == source.queue) {
                let error = TemplateError::property("Queue", format!("no queue {} in the template", source.queue));
                return Err(error.within(&source.function));
            }
        }
        for route in &self.routes {
            if !self.functions.iter().any(|function| function.name == route.function) {
                let error =
                    TemplateError::property("Target", format!("no function {} in the template", route.function));
                return Err(error.within(&route.key()));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
