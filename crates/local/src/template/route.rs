//! Routes of the HTTP API: the requests that they match, their function, and their authorization.

use std::collections::BTreeMap;

use super::authorizer::{Authorizer, non_empty_texts};
use super::context::resource_name;
use super::error::TemplateError;
use super::properties::Properties;
use super::resource::API_ID;

/// A route of the HTTP API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// In upper case. `ANY` matches every method.
    pub method: String,
    /// Literals and `{parameters}`. The last segment may be a greedy parameter such as `{rest+}`.
    pub path: String,
    /// The function's name.
    pub function: String,
    pub authorization: Authorization,
}

/// The callers that a route allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authorization {
    /// Every caller.
    None,
    /// Callers that sign the request as an IAM identity with the permission to invoke the API.
    Iam,
    /// Callers with a valid token that has one of the scopes. If `scopes` is empty, every valid token is allowed.
    Jwt { authorizer: Authorizer, scopes: Vec<String> },
}

impl Route {
    /// The route key of the template, for example `GET /flows/{flow}`.
    pub fn key(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// A route as the template defines it: with the names of its integration and authorizer.
pub(super) struct RouteDefinition {
    method: String,
    path: String,
    pub(super) integration: String,
    authorization: AuthorizationDefinition,
}

enum AuthorizationDefinition {
    None,
    Iam,
    Jwt { authorizer: String, scopes: Vec<String> },
}

const IGNORED: &[&str] = &["OperationName"];

pub(super) fn read(properties: &Properties) -> Result<RouteDefinition, TemplateError> {
    let supported = ["ApiId", "AuthorizationScopes", "AuthorizationType", "AuthorizerId", "RouteKey", "Target"];
    properties.allow_only(&[IGNORED, &supported].concat())?;
    properties.require("ApiId", API_ID)?;
    let (method, path) = parse_key(&properties.required_text("RouteKey")?)?;
    let target = properties.required_text("Target")?;
    let integration = target.strip_prefix("integrations/");
    let integration = integration.ok_or_else(|| TemplateError::property("Target", "must be an integration"))?;
    Ok(RouteDefinition { method, path, integration: integration.to_owned(), authorization: authorization(properties)? })
}

/// Splits a route key such as `GET /flows/{flow}` into method and path.
fn parse_key(text: &str) -> Result<(String, String), TemplateError> {
    let invalid = |reason| TemplateError::property("RouteKey", reason);
    let (method, path) = text.split_once(' ').ok_or_else(|| invalid("must be a method and a path"))?;
    let segments: Vec<_> =
        path.strip_prefix('/').ok_or_else(|| invalid("the path must start with a slash"))?.split('/').collect();
    let (_, inner) = segments.split_last().unwrap_or((&"", &[]));
    if inner.iter().any(|segment| segment.ends_with("+}")) {
        return Err(invalid("a greedy parameter must be the last segment"));
    }
    Ok((method.to_ascii_uppercase(), path.to_owned()))
}

fn authorization(properties: &Properties) -> Result<AuthorizationDefinition, TemplateError> {
    let kind = properties.text("AuthorizationType")?;
    let scopes = properties.get("AuthorizationScopes");
    if kind.as_deref() == Some("JWT") {
        let no_scope = || TemplateError::property("AuthorizationScopes", "must be a list of scopes");
        let scopes = if scopes.is_null() {
            Vec::new()
        } else {
            scopes.as_array().and_then(|scopes| non_empty_texts(scopes)).ok_or_else(no_scope)?
        };
        return Ok(AuthorizationDefinition::Jwt { authorizer: properties.required_text("AuthorizerId")?, scopes });
    }
    for property in ["AuthorizationScopes", "AuthorizerId"] {
        if !properties.get(property).is_null() {
            return Err(TemplateError::property(property, "allowed only with the authorization type JWT"));
        }
    }
    match kind.as_deref() {
        None | Some("NONE") => Ok(AuthorizationDefinition::None),
        Some("AWS_IAM") => Ok(AuthorizationDefinition::Iam),
        Some(other) => Err(TemplateError::property("AuthorizationType", format!("{other} is not supported here"))),
    }
}

impl RouteDefinition {
    /// The route to the function with this ARN.
    pub(super) fn route(
        &self,
        function: &str,
        authorizers: &BTreeMap<String, Authorizer>,
    ) -> Result<Route, TemplateError> {
        let authorization = match &self.authorization {
            AuthorizationDefinition::None => Authorization::None,
            AuthorizationDefinition::Iam => Authorization::Iam,
            AuthorizationDefinition::Jwt { authorizer: name, scopes } => {
                let authorizer = authorizers.get(name).ok_or_else(|| {
                    TemplateError::property("AuthorizerId", format!("no authorizer {name} in the template"))
                })?;
                Authorization::Jwt { authorizer: authorizer.clone(), scopes: scopes.clone() }
            }
        };
        let function = resource_name(function).to_owned();
        Ok(Route { method: self.method.clone(), path: self.path.clone(), function, authorization })
    }
}
