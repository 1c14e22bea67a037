//! Routes of the HTTP API: what they match, which function answers, and who may call.

use std::collections::BTreeMap;

use super::TemplateError;
use super::authorizer::{Authorizer, texts};
use super::permission;
use super::physical::API_ID;
use super::properties::Properties;

/// A route of the HTTP API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// In capitals; `ANY` is every method.
    pub method: String,
    /// Literals, `{parameters}`, and perhaps a `{rest+}` at the end.
    pub path: String,
    /// The function's name.
    pub function: String,
    pub authorization: Authorization,
}

/// Who may call a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authorization {
    /// Anybody.
    None,
    /// Whoever signs the request as an IAM identity that may.
    Iam,
    /// Whoever has a token with one of the scopes; no scopes is any token.
    Jwt { authorizer: Authorizer, scopes: Vec<String> },
}

impl Route {
    /// As a template writes it: `GET /flows/{flow}`.
    pub fn key(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// A route that names what others describe.
pub(super) struct Draft {
    method: String,
    path: String,
    pub(super) integration: String,
    authorization: DraftAuthorization,
}

enum DraftAuthorization {
    None,
    Iam,
    Jwt { authorizer: String, scopes: Vec<String> },
}

const WITHOUT_A_LOCAL_PART: &[&str] = &["OperationName"];

pub(super) fn read(properties: &Properties) -> Result<Draft, TemplateError> {
    let understood = ["ApiId", "AuthorizationScopes", "AuthorizationType", "AuthorizerId", "RouteKey", "Target"];
    properties.only(&[WITHOUT_A_LOCAL_PART, &understood].concat())?;
    properties.must_be("ApiId", API_ID)?;
    let (method, path) = key(&properties.required_text("RouteKey")?)?;
    let target = properties.required_text("Target")?;
    let integration = target.strip_prefix("integrations/");
    let integration = integration.ok_or_else(|| TemplateError::property("Target", "an integration belongs here"))?;
    Ok(Draft { method, path, integration: integration.to_owned(), authorization: authorization(properties)? })
}

/// `GET /flows/{flow}`, in its two parts.
fn key(text: &str) -> Result<(String, String), TemplateError> {
    let wrong = |reason| TemplateError::property("RouteKey", reason);
    let (method, path) = text.split_once(' ').ok_or_else(|| wrong("a method and a path belong here"))?;
    let segments: Vec<_> =
        path.strip_prefix('/').ok_or_else(|| wrong("the path starts with a slash"))?.split('/').collect();
    let (_, inner) = segments.split_last().unwrap_or((&"", &[]));
    if inner.iter().any(|segment| segment.ends_with("+}")) {
        return Err(wrong("a greedy parameter stands at the end"));
    }
    Ok((method.to_ascii_uppercase(), path.to_owned()))
}

fn authorization(properties: &Properties) -> Result<DraftAuthorization, TemplateError> {
    let kind = properties.text("AuthorizationType")?;
    let scopes = properties.get("AuthorizationScopes");
    if kind.as_deref() == Some("JWT") {
        let no_scope = || TemplateError::property("AuthorizationScopes", "a list of scopes belongs here");
        let scopes = if scopes.is_null() {
            Vec::new()
        } else {
            scopes.as_array().and_then(|scopes| texts(scopes)).ok_or_else(no_scope)?
        };
        return Ok(DraftAuthorization::Jwt { authorizer: properties.required_text("AuthorizerId")?, scopes });
    }
    for property in ["AuthorizationScopes", "AuthorizerId"] {
        if !properties.get(property).is_null() {
            return Err(TemplateError::property(property, "belongs to the authorization type JWT alone"));
        }
    }
    match kind.as_deref() {
        None | Some("NONE") => Ok(DraftAuthorization::None),
        Some("AWS_IAM") => Ok(DraftAuthorization::Iam),
        Some(other) => Err(TemplateError::property("AuthorizationType", format!("{other} is not understood here"))),
    }
}

impl Draft {
    /// The route, in front of the function of this ARN.
    pub(super) fn with(
        &self,
        function: &str,
        authorizers: &BTreeMap<String, Authorizer>,
    ) -> Result<Route, TemplateError> {
        let authorization = match &self.authorization {
            DraftAuthorization::None => Authorization::None,
            DraftAuthorization::Iam => Authorization::Iam,
            DraftAuthorization::Jwt { authorizer: name, scopes } => {
                let authorizer = authorizers.get(name).ok_or_else(|| {
                    TemplateError::property("AuthorizerId", format!("no authorizer {name} in the template"))
                })?;
                Authorization::Jwt { authorizer: authorizer.clone(), scopes: scopes.clone() }
            }
        };
        let function = permission::name(function).to_owned();
        Ok(Route { method: self.method.clone(), path: self.path.clone(), function, authorization })
    }
}
