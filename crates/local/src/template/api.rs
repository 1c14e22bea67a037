//! The HTTP API that the routes belong to: whether its callers are known.

use super::TemplateError;
use super::properties::Properties;

/// What functions are told about who calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Caller {
    /// Anybody may, so nothing.
    #[default]
    Anybody,
    /// The IAM identity that signed the request. Nothing is checked here, but functions are told of one as they would be.
    Iam,
}

const WITHOUT_A_LOCAL_PART: &[&str] = &[
    "AccessLogSettings",
    "CorsConfiguration",
    "DefaultRouteSettings",
    "Description",
    "DisableExecuteApiEndpoint",
    "Domain",
    "Name",
    "PropagateTags",
    "Tags",
];

pub(super) fn read(properties: &Properties) -> Result<Caller, TemplateError> {
    properties.only(&[WITHOUT_A_LOCAL_PART, &["Auth"]].concat())?;
    match properties.get("Auth")["DefaultAuthorizer"].as_str() {
        None => Ok(Caller::Anybody),
        Some("AWS_IAM") => Ok(Caller::Iam),
        Some(other) => Err(TemplateError::property("Auth", format!("authorizer {other} is not understood here"))),
    }
}
