//! Tables, as `CreateTable` takes them.

use serde_json::{Map, Value};

use super::TemplateError;
use super::properties::Properties;

/// A table of the stack.
#[derive(Debug, Clone)]
pub struct Table {
    pub name: String,
    /// The body of `CreateTable`.
    pub definition: Value,
    /// The attribute that says when an item expires.
    pub time_to_live: Option<String>,
}

/// What `CreateTable` is told; CloudFormation spells these the same.
const DEFINITION: &[&str] =
    &["AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes", "KeySchema", "LocalSecondaryIndexes"];

/// What protects or bills a table without changing what it does.
const WITHOUT_A_LOCAL_PART: &[&str] = &[
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
    let named = ["TableName", "TimeToLiveSpecification"];
    properties.only(&[DEFINITION, WITHOUT_A_LOCAL_PART, &named].concat())?;
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
