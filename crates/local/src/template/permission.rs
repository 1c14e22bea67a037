//! Permissions of API Gateway to invoke functions. Without a permission API Gateway responds 500 to every request of a
//! route, so a missing permission is an error of the template here.

use super::context::{StackContext, resource_name};
use super::error::TemplateError;
use super::properties::Properties;
use super::resource::API_ID;
use super::route::Route;

/// One statement of a function's policy.
#[derive(Debug)]
pub(super) struct Permission {
    function: String,
    /// The ARN of the allowed source, in which `*` matches any text. `None` allows every source.
    source: Option<String>,
}

pub(super) fn read(properties: &Properties) -> Result<Permission, TemplateError> {
    properties.allow_only(&["Action", "FunctionName", "Principal", "SourceArn"])?;
    properties.require("Action", "lambda:InvokeFunction")?;
    properties.require("Principal", "apigateway.amazonaws.com")?;
    let function = properties.required_text("FunctionName")?;
    Ok(Permission { function: resource_name(&function).to_owned(), source: properties.text("SourceArn")? })
}

impl Permission {
    pub(super) fn allows(&self, route: &Route, context: &StackContext) -> bool {
        let request = context.arn("execute-api", &format!("{API_ID}/$default/{}{}", route.method, route.path));
        let allows_source = self.source.as_ref().is_none_or(|pattern| matches(pattern, &request));
        self.function == route.function && allows_source
    }
}

/// Whether `text` matches `pattern`, in which `*` matches any text.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(start) else { return false };
    let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    for part in middle.split('*') {
        let Some(at) = text.find(part) else { return false };
        text = &text[at + part.len()..];
    }
    text.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_star_matches_any_text() {
        for pattern in ["a/b/c", "*", "a/*", "*c", "a*c", "a/*/c", "*b*", "a/*b*/c", "**", "a/b/c*"] {
            assert!(matches(pattern, "a/b/c"), "{pattern}");
        }
        for pattern in ["a/b", "b*", "*b", "a/*/b", "a/b/c*c", "*x*", ""] {
            assert!(!matches(pattern, "a/b/c"), "{pattern}");
        }
    }
}
