//! Schemas of the document, made into validators that are stricter than the document: it lets unknown fields pass, since
//! fields may be added to answers, but whoever adds one has to add it there too.

use std::collections::BTreeSet;

use jsonschema::Validator;
use serde_json::{Map, Value};

use crate::document::Document;

/// Keywords that say nothing about a value.
const WORDS: [&str; 4] = ["description", "title", "default", "examples"];

/// Keywords that say something and hold no schema. Any other would say nothing without a word: a comma that is not quoted
/// makes one out of half a description.
const PLAIN: [&str; 14] = [
    "type",
    "enum",
    "const",
    "pattern",
    "format",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
    "maxProperties",
    "uniqueItems",
    "required",
];

/// Where a schema stands: at a value of its own, or beside others that describe the same value.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Alone,
    Beside,
}

impl Document {
    /// A validator of `schema` that refuses every field that the document does not know.
    pub(crate) fn strict(&self, schema: &Value) -> Validator {
        let schema = self.expanded(schema, Place::Alone);
        let built = jsonschema::draft202012::options().should_validate_formats(true).build(&schema);
        built.unwrap_or_else(|error| panic!("{error}: {schema}"))
    }

    fn expanded(&self, schema: &Value, place: Place) -> Value {
        let Value::Object(keywords) = schema else { return schema.clone() };
        let mut expanded = Map::new();
        let mut all = Vec::new();
        let alone = |schema: &Value| self.expanded(schema, Place::Alone);
        for (keyword, value) in keywords {
            let beside = || array(value).map(|schema| self.expanded(schema, Place::Beside));
            match keyword.as_str() {
                word if WORDS.contains(&word) => {}
                "$ref" => all.push(self.expanded(self.resolved(schema), Place::Beside)),
                "allOf" => all.extend(beside()),
                "oneOf" => drop(expanded.insert(keyword.clone(), beside().collect())),
                "properties" => {
                    let each = object(value).map(|(name, schema)| (name.clone(), alone(schema)));
                    expanded.insert(keyword.clone(), Value::Object(each.collect()));
                }
                "items" | "additionalProperties" | "propertyNames" => {
                    expanded.insert(keyword.clone(), alone(value));
                }
                other => {
                    assert!(PLAIN.contains(&other), "{other} is no keyword of a schema: {schema}");
                    expanded.insert(keyword.clone(), value.clone());
                }
            }
        }
        if !all.is_empty() {
            expanded.insert("allOf".to_owned(), Value::Array(all));
        }
        let describes = ["properties", "allOf", "oneOf"].iter().any(|keyword| expanded.contains_key(*keyword));
        if place == Place::Alone && describes && !expanded.contains_key("additionalProperties") {
            expanded.insert("unevaluatedProperties".to_owned(), Value::Bool(false));
        }
        Value::Object(expanded)
    }

    /// Calls `visit` with every property that `schema` describes, named by the component it stands in: `Job.counts.sent`.
    /// With a value, only those that the value has, and of alternatives only those that it fits.
    pub(crate) fn properties(&self, schema: &Value, owner: &str, value: Option<&Value>, visit: &mut BTreeSet<String>) {
        if let Some(reference) = schema["$ref"].as_str() {
            let name = reference.strip_prefix("#/components/schemas/").expect("a schema");
            self.properties(self.target(reference), name, value, visit);
        }
        for part in array(&schema["allOf"]) {
            self.properties(part, owner, value, visit);
        }
        for part in array(&schema["oneOf"]) {
            if value.is_none_or(|value| jsonschema::is_valid(&self.expanded(part, Place::Beside), value)) {
                self.properties(part, owner, value, visit);
            }
        }
        for (name, schema) in object(&schema["properties"]) {
            let inner = value.map(|value| &value[name]);
            if inner.is_none_or(|inner| !inner.is_null()) {
                let path = format!("{owner}.{name}");
                self.properties(schema, &path, inner, visit);
                visit.insert(path);
            }
        }
        let nested = [("items", "[]"), ("additionalProperties", ".*")];
        for (keyword, mark) in nested.into_iter().filter(|(keyword, _)| schema[keyword].is_object()) {
            let owner = format!("{owner}{mark}");
            match value {
                None => self.properties(&schema[keyword], &owner, None, visit),
                Some(Value::Array(items)) => {
                    items.iter().for_each(|item| self.properties(&schema[keyword], &owner, Some(item), visit));
                }
                Some(value) => {
                    object(value).for_each(|(_, item)| self.properties(&schema[keyword], &owner, Some(item), visit));
                }
            }
        }
    }
}

/// All that is wrong with a value, a line each.
pub(crate) fn faults(validator: &Validator, value: &Value) -> Vec<String> {
    validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

pub(crate) fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

pub(crate) fn object(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}
