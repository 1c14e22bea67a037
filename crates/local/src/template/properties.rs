//! Typed access to the properties of a resource. Errors name the property.

use std::fmt::Display;
use std::str::FromStr;

use serde_json::Value;

use super::error::TemplateError;
use super::scope::{Scope, text_of};

/// The properties of one resource, with every intrinsic function evaluated.
pub(super) struct Properties(Value);

impl Properties {
    pub(super) fn resolved(scope: &Scope<'_>, properties: &Value) -> Result<Self, TemplateError> {
        Ok(Self(scope.resolve(properties)?))
    }

    /// Returns an error if a property is not in `known`, because it might change how the resource behaves.
    pub(super) fn allow_only(&self, known: &[&str]) -> Result<(), TemplateError> {
        let unknown = self.0.as_object().into_iter().flatten().find(|(name, _)| !known.contains(&name.as_str()));
        match unknown {
            Some((name, _)) => Err(TemplateError::property(name, "not supported here")),
            None => Ok(()),
        }
    }

    /// The value of a property, `Null` if there is none.
    pub(super) fn get(&self, name: &str) -> &Value {
        &self.0[name]
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<String>, TemplateError> {
        match self.get(name) {
            Value::Null => Ok(None),
            value => text_of(value).map(Some).ok_or_else(|| TemplateError::property(name, "must be text")),
        }
    }

    pub(super) fn required_text(&self, name: &str) -> Result<String, TemplateError> {
        self.text(name)?.ok_or_else(|| TemplateError::property(name, "required"))
    }

    /// Returns an error unless the property has this value, the only one that is supported here.
    pub(super) fn require(&self, name: &str, value: &str) -> Result<(), TemplateError> {
        match self.required_text(name)? {
            given if given == value => Ok(()),
            given => Err(TemplateError::property(name, format!("{given} is not supported here, only {value}"))),
        }
    }

    pub(super) fn number<N>(&self, name: &str) -> Result<Option<N>, TemplateError>
    where
        N: FromStr,
        N::Err: Display,
    {
        let parse =
            |text: String| text.parse().map_err(|error: N::Err| TemplateError::property(name, error.to_string()));
        self.text(name)?.map(parse).transpose()
    }
}
