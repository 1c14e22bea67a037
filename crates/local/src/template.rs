//! Reads the resources that run here from `infra/template.yaml`: table, queues, functions, event sources, routes, schedules.
//!
//! They come from the deployed template only, so the local and the deployed stack cannot differ. Anything that this module
//! does not support is an error that names the resource. If it were ignored, a stack could work here and not on AWS.

mod authorizer;
mod context;
mod error;
mod function;
mod http_api;
mod permission;
mod properties;
mod queue;
mod resource;
mod route;
mod schedule;
mod scope;
mod source;
mod table;
mod yaml;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

pub use authorizer::Authorizer;
pub use context::StackContext;
pub use error::TemplateError;
pub use function::Function;
pub use queue::Queue;
pub use route::{Authorization, Route};
pub use schedule::{Schedule, ScheduleGroup};

pub use source::{EventSource, PartialFailures};
pub use table::Table;

use http_api::HttpApi;
use properties::Properties;
use scope::Scope;

/// The sections of a template that are used here.
const SUPPORTED_SECTIONS: &[&str] =
    &["AWSTemplateFormatVersion", "Conditions", "Globals", "Mappings", "Parameters", "Resources", "Transform"];

/// Sections without an effect here: descriptions, outputs, and the display and checks of parameters.
const IGNORED_SECTIONS: &[&str] = &["Description", "Metadata", "Outputs", "Rules"];

/// Resource types without an effect here: permissions, logs and alarms.
const IGNORED_RESOURCES: &[&str] = &[
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

/// The resources of the stack, with every intrinsic function evaluated.
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

impl Template {
    /// Parses the text of a SAM template for the stack of `context`. Parameters without a value in `parameters` get their
    /// defaults.
    ///
    /// # Errors
    /// If the template has something that is not supported here (the error names the resource), or does not declare one of
    /// the `parameters`.
    pub fn parse(
        text: &str,
        context: &StackContext,
        parameters: &BTreeMap<String, String>,
    ) -> Result<Self, TemplateError> {
        let document = yaml::parse(text)?;
        let known = [SUPPORTED_SECTIONS, IGNORED_SECTIONS].concat();
        if let Some((section, _)) =
            document.as_object().into_iter().flatten().find(|(section, _)| !known.contains(&section.as_str()))
        {
            return Err(TemplateError::property(section, "this section of a template is not supported here"));
        }
        let none = Map::new();
        let resources = document["Resources"].as_object().unwrap_or(&none);
        let scope = Scope::new(&document, resources, context, parameters)?;
        let (mut template, mut api) = (Self::default(), HttpApi::default());
        for (logical_id, resource) in resources {
            template
                .add(&mut api, &scope, &document["Globals"], logical_id, resource)
                .map_err(|error| error.within(logical_id))?;
        }
        template.routes = api.routes(context)?;
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
        let name = || scope.physical_resource(logical_id).map(|resource| resource.name);
        let properties = || Properties::resolved(scope, &resource["Properties"]);
        match resource["Type"].as_str().unwrap_or_default() {
            "AWS::DynamoDB::Table" => self.tables.push(table::read(name()?, &properties()?)?),
            "AWS::SQS::Queue" => self.queues.push(queue::read(name()?, &properties()?)?),
            "AWS::Scheduler::ScheduleGroup" => self.groups.push(ScheduleGroup { name: name()? }),
            "AWS::Scheduler::Schedule" => {
                self.schedules.push(schedule::read_resource(&scope.context.stack, logical_id, &properties()?)?);
            }
            "AWS::ApiGatewayV2::Api" => api.add_api(&properties()?)?,
            "AWS::ApiGatewayV2::Stage" => api.add_stage(&properties()?)?,
            "AWS::ApiGatewayV2::Authorizer" => api.add_authorizer(name()?, &properties()?)?,
            "AWS::ApiGatewayV2::Integration" => api.add_integration(name()?, &properties()?)?,
            "AWS::ApiGatewayV2::Route" => api.add_route(logical_id, &properties()?)?,
            "AWS::Lambda::Permission" => api.add_permission(&properties()?)?,
            "AWS::Serverless::Function" => {
                let read = function::read(scope, globals, logical_id, resource)?;
                self.functions.push(read.function);
                self.sources.extend(read.sources);
                self.schedules.extend(read.schedules);
            }
            other if IGNORED_RESOURCES.contains(&other) => {}
            other => return Err(TemplateError::ResourceType(other.to_owned())),
        }
        Ok(())
    }

    /// Checks that the queues of event sources and the functions of routes exist. Sorts dead-letter queues before the queues
    /// that refer to them.
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
