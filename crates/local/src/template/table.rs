//! Tables, in the form of the request `CreateTable`.

use serde_json::{Map, Value};

use super::error::TemplateError;
use super::properties::Properties;

/// A table of the stack.
#[derive(Debug, Clone)]
pub struct Table {
    pub name: String,
    /// The body of `CreateTable`.
    pub definition: Value,
    /// The attribute with the expiry time of an item.
    pub time_to_live: Option<String>,
}

/// Properties of `CreateTable`. They have the same names in CloudFormation.
const DEFINITION: &[&str] =
    &["AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes", "KeySchema", "LocalSecondaryIndexes"];

/// Properties without an effect here: protection, monitoring and billing.
const IGNORED: &[&str] = &[
    "ContributorInsightsSpecification",
    "DeletionProtectionEnabled",
    "OnDemandThroughput",
    "PointInTimeRecoverySpecification",
    "SSESpecification",
    "Tags",
    "TableClass",
    "WarmThroughput",
];

pub(super) fn read(name: String, properties: &Properties) -> Result<Table, TemplateError> {
    let others = ["TableName", "TimeToLiveSpecification"];
    properties.allow_only(&[DEFINITION, IGNORED, &others].concat())?;
    let mut definition = Map::from_iter([("TableName".to_owned(), Value::from(name.as_str()))]);
    for property in DEFINITION {
        match properties.get(property) {
            Value::Null => {}
            value => {
                definition.insert((*property).to_owned(), value.clone());
            }
        }
    }
    let expiry = properties.get("TimeToLiveSpecification");
    let time_to_live = match expiry["Enabled"].as_bool() {
        Some(true) => expiry["AttributeName"].as_str().map(str::to_owned),
        _ => None,
    };
    Ok(Table { name, definition: Value::Object(definition), time_to_live })
}
