//! The HTTP API. In a template it consists of an API, a stage, routes, integrations, authorizers and permissions, in any
//! order. This file collects them first and joins them when all are known.

use std::collections::BTreeMap;

use super::authorizer::{self, Authorizer};
use super::context::StackContext;
use super::error::TemplateError;
use super::permission::{self, Permission};
use super::properties::Properties;
use super::resource::API_ID;
use super::route::{self, Route, RouteDefinition};

const IGNORED_OF_API: &[&str] = &["Description", "DisableExecuteApiEndpoint", "FailOnWarnings", "Name", "Tags"];

/// Logs and request limits, which do not exist here.
const IGNORED_OF_STAGE: &[&str] =
    &["AccessLogSettings", "DefaultRouteSettings", "Description", "RouteSettings", "Tags"];

const IGNORED_OF_INTEGRATION: &[&str] = &["Description", "IntegrationMethod"];

/// The resources of the API that were read so far.
#[derive(Default)]
pub(super) struct HttpApi {
    has_api: bool,
    has_stage: bool,
    authorizers: BTreeMap<String, Authorizer>,
    /// The ARN of each integration's function.
    integrations: BTreeMap<String, String>,
    permissions: Vec<Permission>,
    /// The routes by their logical ids.
    routes: Vec<(String, RouteDefinition)>,
}

impl HttpApi {
    pub(super) fn add_api(&mut self, properties: &Properties) -> Result<(), TemplateError> {
        properties.allow_only(&[IGNORED_OF_API, &["ProtocolType"]].concat())?;
        properties.require("ProtocolType", "HTTP")?;
        if std::mem::replace(&mut self.has_api, true) {
            return Err(TemplateError::property(
                "ProtocolType",
                "only one HTTP API is supported here, and the template has another",
            ));
        }
        Ok(())
    }

    /// Adds the stage. Only the stage `$default` with automatic deployment is supported: its paths have no prefix, and it
    /// has every route at once.
    pub(super) fn add_stage(&mut self, properties: &Properties) -> Result<(), TemplateError> {
        properties.allow_only(&[IGNORED_OF_STAGE, &["ApiId", "AutoDeploy", "StageName"]].concat())?;
        properties.require("ApiId", API_ID)?;
        properties.require("StageName", "$default")?;
        properties.require("AutoDeploy", "true")?;
        self.has_stage = true;
        Ok(())
    }

    pub(super) fn add_authorizer(&mut self, name: String, properties: &Properties) -> Result<(), TemplateError> {
        self.authorizers.insert(name, authorizer::read(properties)?);
        Ok(())
    }

    pub(super) fn add_integration(&mut self, name: String, properties: &Properties) -> Result<(), TemplateError> {
        let supported = ["ApiId", "IntegrationType", "IntegrationUri", "PayloadFormatVersion"];
        properties.allow_only(&[IGNORED_OF_INTEGRATION, &supported].concat())?;
        properties.require("ApiId", API_ID)?;
        properties.require("IntegrationType", "AWS_PROXY")?;
        properties.require("PayloadFormatVersion", "2.0")?;
        self.integrations.insert(name, properties.required_text("IntegrationUri")?);
        Ok(())
    }

    pub(super) fn add_permission(&mut self, properties: &Properties) -> Result<(), TemplateError> {
        self.permissions.push(permission::read(properties)?);
        Ok(())
    }

    pub(super) fn add_route(&mut self, logical_id: &str, properties: &Properties) -> Result<(), TemplateError> {
        self.routes.push((logical_id.to_owned(), route::read(properties)?));
        Ok(())
    }

    /// Joins each route with its function and its authorizer.
    ///
    /// # Errors
    /// If a route has no stage, integration, authorizer or permission. On AWS the deployment would succeed, and every request
    /// would get a 404 or 500.
    pub(super) fn routes(self, context: &StackContext) -> Result<Vec<Route>, TemplateError> {
        let mut routes = Vec::new();
        for (logical_id, definition) in &self.routes {
            routes.push(self.join(definition, context).map_err(|error| error.within(logical_id))?);
        }
        Ok(routes)
    }

    fn join(&self, definition: &RouteDefinition, context: &StackContext) -> Result<Route, TemplateError> {
        if !self.has_stage {
            return Err(TemplateError::property("ApiId", "the API has no stage, so the route is not reachable"));
        }
        let function = self.integrations.get(&definition.integration).ok_or_else(|| {
            TemplateError::property("Target", format!("no integration {} in the template", definition.integration))
        })?;
        let route = definition.route(function, &self.authorizers)?;
        if !self.permissions.iter().any(|permission| permission.allows(&route, context)) {
            let reason = format!("API Gateway has no permission to invoke {} for {}", route.function, route.key());
            return Err(TemplateError::property("Target", reason));
        }
        Ok(route)
    }
}
