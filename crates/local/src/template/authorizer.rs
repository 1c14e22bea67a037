//! JWT authorizers: whose tokens an HTTP API takes.

use serde_json::Value;

use super::TemplateError;
use super::physical::API_ID;
use super::properties::Properties;

/// Whose tokens are taken, and which of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorizer {
    /// What a token's `iss` must be, and where the issuer's keys are found.
    pub issuer: String,
    /// A token is for one of these.
    pub audience: Vec<String>,
}

pub(super) fn read(properties: &Properties) -> Result<Authorizer, TemplateError> {
    properties.only(&["ApiId", "AuthorizerType", "IdentitySource", "JwtConfiguration", "Name"])?;
    properties.must_be("ApiId", API_ID)?;
    properties.must_be("AuthorizerType", "JWT")?;
    if properties.get("IdentitySource") != &Value::from(vec!["$request.header.Authorization"]) {
        return Err(TemplateError::property("IdentitySource", "the header Authorization alone is understood here"));
    }
    let wrong = |reason| TemplateError::property("JwtConfiguration", reason);
    let configuration = properties.get("JwtConfiguration");
    let issuer = configuration["Issuer"].as_str().filter(|issuer| !issuer.is_empty());
    let audience = configuration["Audience"].as_array().and_then(|audience| texts(audience));
    Ok(Authorizer {
        issuer: issuer.ok_or_else(|| wrong("an Issuer belongs here"))?.to_owned(),
        audience: audience.ok_or_else(|| wrong("an Audience belongs here, and none of it is empty"))?,
    })
}

/// `None` when there is none, or one that says nothing.
pub(super) fn texts(values: &[Value]) -> Option<Vec<String>> {
    let texts = values.iter().map(|value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned));
    texts.collect::<Option<Vec<_>>>().filter(|texts| !texts.is_empty())
}
