//! What allows API Gateway to invoke a function. Without it every request of a route is answered 500, so it is looked at here.

use super::TemplateError;
use super::physical::API_ID;
use super::properties::Properties;
use super::route::Route;
use super::scope::Place;

/// One statement of a function's policy.
#[derive(Debug)]
pub(super) struct Permission {
    function: String,
    /// With `*` for anything. `None` is every source.
    source: Option<String>,
}

pub(super) fn read(properties: &Properties) -> Result<Permission, TemplateError> {
    properties.only(&["Action", "FunctionName", "Principal", "SourceArn"])?;
    properties.must_be("Action", "lambda:InvokeFunction")?;
    properties.must_be("Principal", "apigateway.amazonaws.com")?;
    let function = properties.required_text("FunctionName")?;
    Ok(Permission { function: name(&function).to_owned(), source: properties.text("SourceArn")? })
}

/// A function is named by its name or its ARN.
pub(super) fn name(function: &str) -> &str {
    function.rsplit(':').next().unwrap_or_default()
}

impl Permission {
    pub(super) fn allows(&self, route: &Route, place: &Place) -> bool {
        let request = place.arn("execute-api", &format!("{API_ID}/$default/{}{}", route.method, route.path));
        let from_here = self.source.as_ref().is_none_or(|pattern| matches(pattern, &request));
        self.function == route.function && from_here
    }
}

/// Whether `text` is what `pattern` says, in which `*` stands for anything.
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
    fn a_star_stands_for_anything_and_nothing_else_does() {
        for pattern in ["a/b/c", "*", "a/*", "*c", "a*c", "a/*/c", "*b*", "a/*b*/c", "**", "a/b/c*"] {
            assert!(matches(pattern, "a/b/c"), "{pattern}");
        }
        for pattern in ["a/b", "b*", "*b", "a/*/b", "a/b/c*c", "*x*", ""] {
            assert!(!matches(pattern, "a/b/c"), "{pattern}");
        }
    }
}
