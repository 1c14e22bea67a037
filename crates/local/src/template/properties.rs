//! Typed access to a resource's properties, with errors that name the property.

use std::fmt::Display;
use std::str::FromStr;

use serde_json::Value;

use super::TemplateError;
use super::scope::{Scope, text_of};

/// The properties of one resource, intrinsics evaluated.
pub(super) struct Properties(Value);

impl Properties {
    pub(super) fn resolved(scope: &Scope<'_>, properties: &Value) -> Result<Self, TemplateError> {
        Ok(Self(scope.resolve(properties)?))
    }

    /// Holds the properties to those that are known: one that is not might change how the resource behaves.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), TemplateError> {
        let unknown = self.0.as_object().into_iter().flatten().find(|(name, _)| !known.contains(&name.as_str()));
        match unknown {
            Some((name, _)) => Err(TemplateError::property(name, "not understood here")),
            None => Ok(()),
        }
    }

    /// `Null` when there is none.
    pub(super) fn get(&self, name: &str) -> &Value {
        &self.0[name]
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<String>, TemplateError> {
        match self.get(name) {
            Value::Null => Ok(None),
            value => text_of(value).map(Some).ok_or_else(|| TemplateError::property(name, "text belongs here")),
        }
    }

    pub(super) fn required_text(&self, name: &str) -> Result<String, TemplateError> {
        self.text(name)?.ok_or_else(|| TemplateError::property(name, "required"))
    }

    /// Holds a property to the one value that is understood here.
    pub(super) fn must_be(&self, name: &str, value: &str) -> Result<(), TemplateError> {
        match self.required_text(name)? {
            given if given == value => Ok(()),
            given => Err(TemplateError::property(name, format!("{given} is not understood here, {value} is"))),
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
