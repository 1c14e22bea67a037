//! JWT authorizers of an HTTP API.

use serde_json::Value;

use super::error::TemplateError;
use super::properties::Properties;
use super::resource::API_ID;

/// The tokens that a route accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorizer {
    /// The URL of the issuer: the required value of `iss`, and the start of the discovery URL.
    pub issuer: String,
    /// The audiences, of which a token must have at least one.
    pub audience: Vec<String>,
}

pub(super) fn read(properties: &Properties) -> Result<Authorizer, TemplateError> {
    properties.allow_only(&["ApiId", "AuthorizerType", "IdentitySource", "JwtConfiguration", "Name"])?;
    properties.require("ApiId", API_ID)?;
    properties.require("AuthorizerType", "JWT")?;
    if properties.get("IdentitySource") != &Value::from(vec!["$request.header.Authorization"]) {
        return Err(TemplateError::property("IdentitySource", "only the header Authorization is supported here"));
    }
    let invalid = |reason| TemplateError::property("JwtConfiguration", reason);
    let configuration = properties.get("JwtConfiguration");
    let issuer = configuration["Issuer"].as_str().filter(|issuer| !issuer.is_empty());
    let audience = configuration["Audience"].as_array().and_then(|audience| non_empty_texts(audience));
    Ok(Authorizer {
        issuer: issuer.ok_or_else(|| invalid("Issuer is required"))?.to_owned(),
        audience: audience.ok_or_else(|| invalid("Audience is required, without empty values"))?,
    })
}

/// The texts in `values`. `None` if there are none, or one is empty or not a text.
pub(super) fn non_empty_texts(values: &[Value]) -> Option<Vec<String>> {
    let texts = values.iter().map(|value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned));
    texts.collect::<Option<Vec<_>>>().filter(|texts| !texts.is_empty())
}
