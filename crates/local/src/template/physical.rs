//! What each resource of the template is called when it runs here: its physical name, its `Ref`, its attributes.

use serde_json::{Map, Value};

use super::TemplateError;
use super::scope::{Place, Scope};

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
}

impl Kind {
    /// The property that holds the name, and the kind, of a resource type that others may refer to.
    fn of(resource_type: &str) -> Option<(Kind, &'static str)> {
        Some(match resource_type {
            "AWS::DynamoDB::Table" => (Kind::Table, "TableName"),
            "AWS::SQS::Queue" => (Kind::Queue, "QueueName"),
            "AWS::Serverless::Function" => (Kind::Function, "FunctionName"),
            "AWS::Scheduler::ScheduleGroup" => (Kind::ScheduleGroup, "Name"),
            "AWS::IAM::Role" => (Kind::Role, "RoleName"),
            "AWS::Logs::LogGroup" => (Kind::LogGroup, "LogGroupName"),
            "AWS::Serverless::HttpApi" => (Kind::Api, "Name"),
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
    let name = match resource["Properties"].get(property) {
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
            Kind::Api => "local".to_owned(),
            Kind::Table | Kind::Function | Kind::ScheduleGroup | Kind::Role | Kind::LogGroup => self.name.clone(),
        }
    }

    /// What `!GetAtt` gives.
    pub(super) fn attribute(&self, attribute: &str) -> Result<String, TemplateError> {
        match (self.kind, attribute) {
            (Kind::Queue, "QueueName") => Ok(self.name.clone()),
            (Kind::Queue, "QueueUrl") => Ok(self.reference()),
            (_, "Arn") if self.kind != Kind::Api => Ok(self.arn()),
            _ => Err(TemplateError::Expression {
                text: format!("{}.{attribute}", self.name),
                reason: "an attribute that is not known here".into(),
            }),
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
            Kind::Api => self.place.arn("apigateway", name),
        }
    }
}
