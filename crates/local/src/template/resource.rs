//! The physical name of a resource and the values of its `Ref` and `Fn::GetAtt`.

use super::context::StackContext;
use super::error::TemplateError;

/// The id of the HTTP API.
pub(super) const API_ID: &str = "local";

/// A resource with its physical name.
pub(super) struct PhysicalResource<'a> {
    pub(super) kind: ResourceKind,
    pub(super) name: String,
    pub(super) context: &'a StackContext,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ResourceKind {
    Table,
    Queue,
    Function,
    ScheduleGroup,
    Role,
    LogGroup,
    Api,
    /// A part of the API, which has an id and no name or ARN.
    PartOfApi,
}

impl ResourceKind {
    /// The kind of a resource type, and the property with its name. `None` if no other resource can refer to it here.
    pub(super) fn of(resource_type: &str) -> Option<(Self, Option<&'static str>)> {
        Some(match resource_type {
            "AWS::DynamoDB::Table" => (ResourceKind::Table, Some("TableName")),
            "AWS::SQS::Queue" => (ResourceKind::Queue, Some("QueueName")),
            "AWS::Serverless::Function" => (ResourceKind::Function, Some("FunctionName")),
            "AWS::Scheduler::ScheduleGroup" => (ResourceKind::ScheduleGroup, Some("Name")),
            "AWS::IAM::Role" => (ResourceKind::Role, Some("RoleName")),
            "AWS::Logs::LogGroup" => (ResourceKind::LogGroup, Some("LogGroupName")),
            "AWS::ApiGatewayV2::Api" => (ResourceKind::Api, Some("Name")),
            "AWS::ApiGatewayV2::Authorizer" | "AWS::ApiGatewayV2::Integration" => (ResourceKind::PartOfApi, None),
            _ => return None,
        })
    }
}

impl PhysicalResource<'_> {
    /// The value of `!Ref`.
    pub(super) fn reference(&self) -> String {
        match self.kind {
            ResourceKind::Queue => format!("{}/{}/{}", self.context.endpoint, self.context.account, self.name),
            ResourceKind::Api => API_ID.to_owned(),
            ResourceKind::Table
            | ResourceKind::Function
            | ResourceKind::ScheduleGroup
            | ResourceKind::Role
            | ResourceKind::LogGroup
            | ResourceKind::PartOfApi => self.name.clone(),
        }
    }

    /// The value of `!GetAtt`.
    pub(super) fn attribute(&self, attribute: &str) -> Result<String, TemplateError> {
        match (self.kind, attribute) {
            (ResourceKind::Queue, "QueueName") => Ok(self.name.clone()),
            (ResourceKind::Queue, "QueueUrl") => Ok(self.reference()),
            (ResourceKind::Api | ResourceKind::PartOfApi, _) => Err(self.no_attribute(attribute)),
            (_, "Arn") => Ok(self.arn()),
            _ => Err(self.no_attribute(attribute)),
        }
    }

    fn no_attribute(&self, attribute: &str) -> TemplateError {
        TemplateError::Expression {
            text: format!("{}.{attribute}", self.name),
            reason: "this attribute is not supported here".into(),
        }
    }

    pub(super) fn arn(&self) -> String {
        let name = &self.name;
        match self.kind {
            ResourceKind::Table => self.context.arn("dynamodb", &format!("table/{name}")),
            ResourceKind::Queue => self.context.arn("sqs", name),
            ResourceKind::Function => self.context.arn("lambda", &format!("function:{name}")),
            ResourceKind::ScheduleGroup => self.context.arn("scheduler", &format!("schedule-group/{name}")),
            ResourceKind::Role => format!("arn:aws:iam::{}:role/{name}", self.context.account),
            ResourceKind::LogGroup => self.context.arn("logs", &format!("log-group:{name}:*")),
            ResourceKind::Api | ResourceKind::PartOfApi => self.context.arn("apigateway", name),
        }
    }
}
