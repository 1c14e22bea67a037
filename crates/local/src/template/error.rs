//! Errors of the template reader.

use serde_json::Value;

/// The reason why the template cannot be run here.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    #[error("not the YAML of a template: {0}")]
    Syntax(String),
    #[error("`{text}`: {reason}")]
    Expression { text: String, reason: String },
    #[error("property {property}: {reason}")]
    Property { property: String, reason: String },
    #[error("resource type {0} is not supported here")]
    ResourceType(String),
    #[error("resource {resource}")]
    Resource {
        resource: String,
        #[source]
        source: Box<TemplateError>,
    },
}

impl TemplateError {
    pub(super) fn expression(value: &Value, reason: impl Into<String>) -> Self {
        Self::Expression { text: value.to_string(), reason: reason.into() }
    }

    pub(super) fn property(property: &str, reason: impl Into<String>) -> Self {
        Self::Property { property: property.to_owned(), reason: reason.into() }
    }

    /// Adds the name of the resource.
    pub(super) fn within(self, resource: &str) -> Self {
        Self::Resource { resource: resource.to_owned(), source: Box::new(self) }
    }
}
