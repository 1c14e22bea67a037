//! Evaluates CloudFormation's intrinsic functions for a stack that runs here.
//!
//! The value of a reference follows from the resource's name, because the local endpoint derives ARNs and queue URLs from
//! names. An intrinsic function that this file does not support is an error.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::context::StackContext;
use super::error::TemplateError;
use super::resource::{PhysicalResource, ResourceKind};

/// Everything an expression in the template may refer to.
pub(super) struct Scope<'a> {
    pub(super) context: &'a StackContext,
    parameters: BTreeMap<String, Value>,
    conditions: Map<String, Value>,
    mappings: Value,
    resources: &'a Map<String, Value>,
}

impl<'a> Scope<'a> {
    pub(super) fn new(
        document: &'a Value,
        resources: &'a Map<String, Value>,
        context: &'a StackContext,
        given: &BTreeMap<String, String>,
    ) -> Result<Self, TemplateError> {
        let parameters = parameters(&document["Parameters"], given)?;
        let conditions = document["Conditions"].as_object().cloned().unwrap_or_default();
        Ok(Self { context, parameters, conditions, mappings: document["Mappings"].clone(), resources })
    }

    /// `value` with every intrinsic function in it evaluated. Properties with the value `AWS::NoValue` are removed.
    pub(super) fn resolve(&self, value: &Value) -> Result<Value, TemplateError> {
        Ok(self.evaluate(value)?.unwrap_or(Value::Null))
    }

    /// The evaluated value, or `None` for `AWS::NoValue`.
    fn evaluate(&self, value: &Value) -> Result<Option<Value>, TemplateError> {
        match value {
            Value::Array(items) => self.list(items).map(Some),
            Value::Object(object) => match sole_entry(object) {
                Some((name, argument)) if name == "Ref" || name.starts_with("Fn::") => self.apply(name, argument),
                _ => {
                    let mut resolved = Map::new();
                    for (key, value) in object {
                        if let Some(value) = self.evaluate(value)? {
                            resolved.insert(key.clone(), value);
                        }
                    }
                    Ok(Some(Value::Object(resolved)))
                }
            },
            scalar => Ok(Some(scalar.clone())),
        }
    }

    fn list(&self, items: &[Value]) -> Result<Value, TemplateError> {
        let mut resolved = Vec::new();
        for item in items {
            resolved.extend(self.evaluate(item)?);
        }
        Ok(Value::Array(resolved))
    }

    fn apply(&self, name: &str, argument: &Value) -> Result<Option<Value>, TemplateError> {
        let malformed = || TemplateError::expression(argument, format!("not a valid argument of {name}"));
        match name {
            "Ref" => self.reference(argument.as_str().ok_or_else(malformed)?),
            "Fn::GetAtt" => {
                let (resource, attribute) = attribute_path(argument).ok_or_else(malformed)?;
                self.attribute(&resource, &attribute).map(Some)
            }
            "Fn::Sub" => self.substitute(argument).map(|text| Some(Value::String(text))),
            "Fn::Join" => {
                let [delimiter, items] = pair(argument).ok_or_else(malformed)?;
                let items = self.resolve(items)?;
                let texts: Option<Vec<String>> = items.as_array().and_then(|items| items.iter().map(text_of).collect());
                let joined = texts.ok_or_else(malformed)?.join(delimiter.as_str().ok_or_else(malformed)?);
                Ok(Some(Value::String(joined)))
            }
            "Fn::If" => {
                let [condition, yes, no] = triple(argument).ok_or_else(malformed)?;
                let chosen = if self.condition(condition.as_str().ok_or_else(malformed)?)? { yes } else { no };
                self.evaluate(chosen)
            }
            "Fn::Select" => {
                let [index, items] = pair(argument).ok_or_else(malformed)?;
                let index = text_of(index).and_then(|index| index.parse::<usize>().ok()).ok_or_else(malformed)?;
                Ok(Some(self.resolve(items)?.get(index).cloned().ok_or_else(malformed)?))
            }
            "Fn::Split" => {
                let [delimiter, text] = pair(argument).ok_or_else(malformed)?;
                let (delimiter, text) = (delimiter.as_str().ok_or_else(malformed)?, self.resolve(text)?);
                Ok(Some(Value::from_iter(text.as_str().ok_or_else(malformed)?.split(delimiter))))
            }
            "Fn::FindInMap" => {
                let [map, first, second] = triple(argument).ok_or_else(malformed)?;
                let mut found = &self.mappings;
                for key in [map, first, second] {
                    let key = text_of(&self.resolve(key)?).ok_or_else(malformed)?;
                    found = found.get(&key).ok_or_else(malformed)?;
                }
                Ok(Some(found.clone()))
            }
            _ => Err(TemplateError::expression(argument, format!("{name} is not supported here"))),
        }
    }

    fn reference(&self, name: &str) -> Result<Option<Value>, TemplateError> {
        let pseudo = match name {
            "AWS::NoValue" => return Ok(None),
            "AWS::StackName" => Some(self.context.stack.as_str()),
            "AWS::Region" => Some(self.context.region.as_str()),
            "AWS::AccountId" => Some(self.context.account.as_str()),
            "AWS::Partition" => Some("aws"),
            "AWS::URLSuffix" => Some("amazonaws.com"),
            _ => None,
        };
        if let Some(text) = pseudo {
            return Ok(Some(text.into()));
        }
        if let Some(value) = self.parameters.get(name) {
            return Ok(Some(value.clone()));
        }
        Ok(Some(self.physical_resource(name)?.reference().into()))
    }

    fn attribute(&self, resource: &str, attribute: &str) -> Result<Value, TemplateError> {
        Ok(self.physical_resource(resource)?.attribute(attribute)?.into())
    }

    /// The resource with this logical id. A resource without a name property is named `<stack>-<logical id>`.
    pub(super) fn physical_resource(&self, logical_id: &str) -> Result<PhysicalResource<'a>, TemplateError> {
        let error = |reason: &str| TemplateError::Expression { text: logical_id.to_owned(), reason: reason.to_owned() };
        let resource = self.resources.get(logical_id).ok_or_else(|| error("no resource or parameter of this name"))?;
        let resource_type = resource["Type"].as_str().unwrap_or_default();
        let (kind, property) = ResourceKind::of(resource_type)
            .ok_or_else(|| error("references to resources of this type are not supported here"))?;
        let name = match property.and_then(|property| resource["Properties"].get(property)) {
            Some(name) => {
                let name = self.resolve(name)?;
                name.as_str().ok_or_else(|| error("the name of the resource is not text"))?.to_owned()
            }
            None => format!("{}-{logical_id}", self.context.stack),
        };
        Ok(PhysicalResource { kind, name, context: self.context })
    }

    fn substitute(&self, argument: &Value) -> Result<String, TemplateError> {
        let malformed =
            |reason: &str| TemplateError::expression(argument, format!("not a valid argument of Fn::Sub: {reason}"));
        let (text, variables) = match (argument, pair(argument)) {
            (Value::String(text), _) => (text.as_str(), Map::new()),
            (_, Some([Value::String(text), Value::Object(variables)])) => (text.as_str(), variables.clone()),
            _ => return Err(malformed("must be a text, or a text and its variables")),
        };
        let mut result = String::new();
        let mut rest = text;
        while let Some(start) = rest.find("${") {
            let end = rest[start..].find('}').ok_or_else(|| malformed("a ${ without its }"))? + start;
            let name = &rest[start + 2..end];
            result.push_str(&rest[..start]);
            if let Some(literal) = name.strip_prefix('!') {
                result.push_str(&format!("${{{literal}}}"));
            } else {
                let value = match (variables.get(name), name.split_once('.')) {
                    (Some(value), _) => self.resolve(value)?,
                    (None, Some((resource, attribute))) => self.attribute(resource, attribute)?,
                    (None, None) => self.reference(name)?.unwrap_or_default(),
                };
                result.push_str(&text_of(&value).ok_or_else(|| malformed("the variable is not text"))?);
            }
            rest = &rest[end + 1..];
        }
        result.push_str(rest);
        Ok(result)
    }

    /// Whether the condition of this name holds.
    pub(super) fn condition(&self, name: &str) -> Result<bool, TemplateError> {
        let rule = self.conditions.get(name).ok_or_else(|| TemplateError::Expression {
            text: name.to_owned(),
            reason: "no condition of this name".into(),
        })?;
        self.holds(rule)
    }

    fn holds(&self, rule: &Value) -> Result<bool, TemplateError> {
        let malformed = || TemplateError::expression(rule, "this condition is not supported here");
        let (name, argument) = rule.as_object().and_then(sole_entry).ok_or_else(malformed)?;
        let parts = argument.as_array().map(Vec::as_slice).unwrap_or_default();
        match (name, parts) {
            ("Condition", _) => self.condition(argument.as_str().ok_or_else(malformed)?),
            ("Fn::Equals", [left, right]) => Ok(text_of(&self.resolve(left)?) == text_of(&self.resolve(right)?)),
            ("Fn::Not", [inner]) => Ok(!self.holds(inner)?),
            ("Fn::And", all) => all.iter().try_fold(true, |so_far, each| Ok(so_far && self.holds(each)?)),
            ("Fn::Or", any) => any.iter().try_fold(false, |so_far, each| Ok(so_far || self.holds(each)?)),
            _ => Err(malformed()),
        }
    }
}

/// The values of all parameters: the given value, or else the default.
fn parameters(declared: &Value, given: &BTreeMap<String, String>) -> Result<BTreeMap<String, Value>, TemplateError> {
    let error =
        |name: &str, reason: &str| TemplateError::Expression { text: name.to_owned(), reason: reason.to_owned() };
    if let Some(name) = given.keys().find(|name| declared.get(name.as_str()).is_none()) {
        return Err(error(name, "the template does not have the parameter of this name"));
    }
    let mut parameters = BTreeMap::new();
    for (name, parameter) in declared.as_object().into_iter().flatten() {
        let value =
            given.get(name).map(|text| Value::from(text.as_str())).or_else(|| parameter.get("Default").cloned());
        let value = value.ok_or_else(|| error(name, "the parameter has no value and no default"))?;
        let value = match (parameter["Type"].as_str(), &value) {
            (Some("CommaDelimitedList"), Value::String(text)) => Value::from_iter(text.split(',').map(str::trim)),
            _ => value,
        };
        parameters.insert(name.clone(), value);
    }
    Ok(parameters)
}

fn sole_entry(object: &Map<String, Value>) -> Option<(&str, &Value)> {
    let mut entries = object.iter();
    match (entries.next(), entries.next()) {
        (Some((name, value)), None) => Some((name, value)),
        _ => None,
    }
}

fn pair(argument: &Value) -> Option<[&Value; 2]> {
    match argument.as_array().map(Vec::as_slice) {
        Some([first, second]) => Some([first, second]),
        _ => None,
    }
}

fn triple(argument: &Value) -> Option<[&Value; 3]> {
    match argument.as_array().map(Vec::as_slice) {
        Some([first, second, third]) => Some([first, second, third]),
        _ => None,
    }
}

fn attribute_path(argument: &Value) -> Option<(String, String)> {
    match argument {
        Value::String(text) => {
            text.split_once('.').map(|(resource, attribute)| (resource.to_owned(), attribute.to_owned()))
        }
        _ => pair(argument).and_then(|[resource, attribute]| Some((text_of(resource)?, text_of(attribute)?))),
    }
}

/// A scalar as text, which is its form in CloudFormation.
pub(super) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}
