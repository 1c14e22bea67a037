//! What each resource of the template is called when it runs here: its physical name, its `Ref`, its attributes.

use serde_json::{Map, Value};

use super::TemplateError;
use super::scope::{Place, Scope};

/// What the one HTTP API is known by, to those that name it.
pub(super) const API_ID: &str = "local";

/// A resource by its physical name.
pub(super) struct Identity<'a> {
    kind: Kind,
    pub(super) name: String,
    place: &'a Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Table,
    Queue,
    Function,
    ScheduleGroup,
    Role,
    LogGroup,
    Api,
    /// What belongs to the API and is named by an id alone.
    PartOfApi,
}

impl Kind {
    /// The kind of a resource type that others may refer to, and the property that holds the name that identifies it.
    fn of(resource_type: &str) -> Option<(Kind, Option<&'static str>)> {
        Some(match resource_type {
            "AWS::DynamoDB::Table" => (Kind::Table, Some("TableName")),
            "AWS::SQS::Queue" => (Kind::Queue, Some("QueueName")),
            "AWS::Serverless::Function" => (Kind::Function, Some("FunctionName")),
            "AWS::Scheduler::ScheduleGroup" => (Kind::ScheduleGroup, Some("Name")),
            "AWS::IAM::Role" => (Kind::Role, Some("RoleName")),
            "AWS::Logs::LogGroup" => (Kind::LogGroup, Some("LogGroupName")),
            "AWS::ApiGatewayV2::Api" => (Kind::Api, Some("Name")),
            "AWS::ApiGatewayV2::Authorizer" | "AWS::ApiGatewayV2::Integration" => (Kind::PartOfApi, None),
            _ => return None,
        })
    }
}

/// Finds what `logical_id` is called. A resource without a name of its own is called after the stack.
pub(super) fn identity<'a>(
    scope: &Scope<'a>,
    resources: &Map<String, Value>,
    logical_id: &str,
) -> Result<Identity<'a>, TemplateError> {
    let unknown = |reason: &str| TemplateError::Expression { text: logical_id.to_owned(), reason: reason.to_owned() };
    let resource = resources.get(logical_id).ok_or_else(|| unknown("no resource or parameter of this name"))?;
    let resource_type = resource["Type"].as_str().unwrap_or_default();
    let (kind, property) =
        Kind::of(resource_type).ok_or_else(|| unknown("a resource that nothing here can refer to"))?;
    let name = match property.and_then(|property| resource["Properties"].get(property)) {
        Some(name) => {
            let name = scope.resolve(name)?;
            name.as_str().ok_or_else(|| unknown("its name does not come to text"))?.to_owned()
        }
        None => format!("{}-{logical_id}", scope.place.stack),
    };
    Ok(Identity { kind, name, place: scope.place })
}

impl Identity<'_> {
    /// What `!Ref` gives.
    pub(super) fn reference(&self) -> String {
        match self.kind {
            Kind::Queue => format!("{}/{}/{}", self.place.endpoint, self.place.account, self.name),
            Kind::Api => API_ID.to_owned(),
            Kind::Table | Kind::Function | Kind::ScheduleGroup | Kind::Role | Kind::LogGroup | Kind::PartOfApi => {
                self.name.clone()
            }
        }
    }

    /// What `!GetAtt` gives.
    pub(super) fn attribute(&self, attribute: &str) -> Result<String, TemplateError> {
        match (self.kind, attribute) {
            (Kind::Queue, "QueueName") => Ok(self.name.clone()),
            (Kind::Queue, "QueueUrl") => Ok(self.reference()),
            (Kind::Api | Kind::PartOfApi, _) => Err(self.no_attribute(attribute)),
            (_, "Arn") => Ok(self.arn()),
            _ => Err(self.no_attribute(attribute)),
        }
    }

    fn no_attribute(&self, attribute: &str) -> TemplateError {
        TemplateError::Expression {
            text: format!("{}.{attribute}", self.name),
            reason: "an attribute that is not known here".into(),
        }
    }

    pub(super) fn arn(&self) -> String {
        let name = &self.name;
        match self.kind {
            Kind::Table => self.place.arn("dynamodb", &format!("table/{name}")),
            Kind::Queue => self.place.arn("sqs", name),
            Kind::Function => self.place.arn("lambda", &format!("function:{name}")),
            Kind::ScheduleGroup => self.place.arn("scheduler", &format!("schedule-group/{name}")),
            Kind::Role => format!("arn:aws:iam::{}:role/{name}", self.place.account),
            Kind::LogGroup => self.place.arn("logs", &format!("log-group:{name}:*")),
            Kind::Api | Kind::PartOfApi => self.place.arn("apigateway", name),
        }
    }
}
