//! The HTTP API, which a template spreads over an API, its stage, routes, integrations, authorizers and the functions'
//! permissions. They stand in any order, so they are gathered first and joined when all are known.

use std::collections::BTreeMap;

use super::TemplateError;
use super::authorizer::{self, Authorizer};
use super::permission::{self, Permission};
use super::physical::API_ID;
use super::properties::Properties;
use super::route::{self, Draft, Route};
use super::scope::Place;

const API_WITHOUT_A_LOCAL_PART: &[&str] =
    &["Description", "DisableExecuteApiEndpoint", "FailOnWarnings", "Name", "Tags"];

/// Logs and limits are the account's business.
const STAGE_WITHOUT_A_LOCAL_PART: &[&str] =
    &["AccessLogSettings", "DefaultRouteSettings", "Description", "RouteSettings", "Tags"];

const INTEGRATION_WITHOUT_A_LOCAL_PART: &[&str] = &["Description", "IntegrationMethod"];

/// What has been read of the API so far.
#[derive(Default)]
pub(super) struct HttpApi {
    has_api: bool,
    has_stage: bool,
    authorizers: BTreeMap<String, Authorizer>,
    /// The ARN of the function behind each.
    integrations: BTreeMap<String, String>,
    permissions: Vec<Permission>,
    drafts: Vec<(String, Draft)>,
}

impl HttpApi {
    pub(super) fn add_api(&mut self, properties: &Properties) -> Result<(), TemplateError> {
        properties.only(&[API_WITHOUT_A_LOCAL_PART, &["ProtocolType"]].concat())?;
        properties.must_be("ProtocolType", "HTTP")?;
        if std::mem::replace(&mut self.has_api, true) {
            return Err(TemplateError::property(
                "ProtocolType",
                "one HTTP API is understood here, and this is another",
            ));
        }
        Ok(())
    }

    /// The one stage that needs no prefix in the path, and has every route as soon as it is there.
    pub(super) fn add_stage(&mut self, properties: &Properties) -> Result<(), TemplateError> {
        properties.only(&[STAGE_WITHOUT_A_LOCAL_PART, &["ApiId", "AutoDeploy", "StageName"]].concat())?;
        properties.must_be("ApiId", API_ID)?;
        properties.must_be("StageName", "$default")?;
        properties.must_be("AutoDeploy", "true")?;
        self.has_stage = true;
        Ok(())
    }

    pub(super) fn add_authorizer(&mut self, name: String, properties: &Properties) -> Result<(), TemplateError> {
        self.authorizers.insert(name, authorizer::read(properties)?);
        Ok(())
    }

    pub(super) fn add_integration(&mut self, name: String, properties: &Properties) -> Result<(), TemplateError> {
        let understood = ["ApiId", "IntegrationType", "IntegrationUri", "PayloadFormatVersion"];
        properties.only(&[INTEGRATION_WITHOUT_A_LOCAL_PART, &understood].concat())?;
        properties.must_be("ApiId", API_ID)?;
        properties.must_be("IntegrationType", "AWS_PROXY")?;
        properties.must_be("PayloadFormatVersion", "2.0")?;
        self.integrations.insert(name, properties.required_text("IntegrationUri")?);
        Ok(())
    }

    pub(super) fn add_permission(&mut self, properties: &Properties) -> Result<(), TemplateError> {
        self.permissions.push(permission::read(properties)?);
        Ok(())
    }

    pub(super) fn add_route(&mut self, logical_id: &str, properties: &Properties) -> Result<(), TemplateError> {
        self.drafts.push((logical_id.to_owned(), route::read(properties)?));
        Ok(())
    }

    /// The routes, each with its function and with who may call it.
    ///
    /// # Errors
    /// What API Gateway would only say by 404 or 500 to every request: a route without a stage, function or permission.
    pub(super) fn routes(self, place: &Place) -> Result<Vec<Route>, TemplateError> {
        let mut routes = Vec::new();
        for (logical_id, draft) in &self.drafts {
            routes.push(self.join(draft, place).map_err(|error| error.within(logical_id))?);
        }
        Ok(routes)
    }

    fn join(&self, draft: &Draft, place: &Place) -> Result<Route, TemplateError> {
        if !self.has_stage {
            return Err(TemplateError::property("ApiId", "the API has no stage, so the route answers nobody"));
        }
        let function = self.integrations.get(&draft.integration).ok_or_else(|| {
            TemplateError::property("Target", format!("no integration {} in the template", draft.integration))
        })?;
        let route = draft.with(function, &self.authorizers)?;
        if !self.permissions.iter().any(|permission| permission.allows(&route, place)) {
            let reason = format!("API Gateway has no permission to invoke {} for {}", route.function, route.key());
            return Err(TemplateError::property("Target", reason));
        }
        Ok(route)
    }
}
