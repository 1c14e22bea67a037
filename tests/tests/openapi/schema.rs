//! Builds validators from the schemas of the document. They are stricter than the document: it allows unknown fields in
//! responses, as later releases may add some, but a test must fail when a new field is not documented.

use std::collections::BTreeSet;

use jsonschema::Validator;
use serde_json::{Map, Value};

use crate::document::Document;

/// Keywords that do not constrain a value.
const ANNOTATIONS: [&str; 4] = ["description", "title", "default", "examples"];

/// Keywords that constrain a value and contain no schema. Any other keyword is an error, as validators ignore unknown ones. For
/// example, an unquoted comma in a YAML description can turn half of it into a keyword.
const CONSTRAINTS: [&str; 14] = [
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

/// Whether a schema describes a value alone, or together with other schemas (`allOf`, `oneOf`, `$ref`).
#[derive(Clone, Copy, PartialEq)]
enum Role {
    Whole,
    Part,
}

impl Document {
    /// A validator of `schema` that refuses every field that the document does not know.
    pub(crate) fn strict(&self, schema: &Value) -> Validator {
        let schema = self.expanded(schema, Role::Whole);
        let built = jsonschema::draft202012::options().should_validate_formats(true).build(&schema);
        built.unwrap_or_else(|error| panic!("{error}: {schema}"))
    }

    fn expanded(&self, schema: &Value, role: Role) -> Value {
        let Value::Object(keywords) = schema else { return schema.clone() };
        let mut expanded = Map::new();
        let mut all = Vec::new();
        let alone = |schema: &Value| self.expanded(schema, Role::Whole);
        for (keyword, value) in keywords {
            let beside = || array(value).map(|schema| self.expanded(schema, Role::Part));
            match keyword.as_str() {
                word if ANNOTATIONS.contains(&word) => {}
                "$ref" => all.push(self.expanded(self.resolved(schema), Role::Part)),
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
                    assert!(CONSTRAINTS.contains(&other), "{other} is not a known schema keyword: {schema}");
                    expanded.insert(keyword.clone(), value.clone());
                }
            }
        }
        if !all.is_empty() {
            expanded.insert("allOf".to_owned(), Value::Array(all));
        }
        let describes = ["properties", "allOf", "oneOf"].iter().any(|keyword| expanded.contains_key(*keyword));
        if role == Role::Whole && describes && !expanded.contains_key("additionalProperties") {
            expanded.insert("unevaluatedProperties".to_owned(), Value::Bool(false));
        }
        Value::Object(expanded)
    }

    /// Adds every property that `schema` describes to `names`, with the name of its component: `Job.counts.sent`. With a value,
    /// only those that the value has. Alternatives that do not match the value are ignored.
    pub(crate) fn properties(&self, schema: &Value, owner: &str, value: Option<&Value>, names: &mut BTreeSet<String>) {
        if let Some(reference) = schema["$ref"].as_str() {
            let name = reference.strip_prefix("#/components/schemas/").expect("a schema");
            self.properties(self.target(reference), name, value, names);
        }
        for part in array(&schema["allOf"]) {
            self.properties(part, owner, value, names);
        }
        for part in array(&schema["oneOf"]) {
            if value.is_none_or(|value| jsonschema::is_valid(&self.expanded(part, Role::Part), value)) {
                self.properties(part, owner, value, names);
            }
        }
        for (name, schema) in object(&schema["properties"]) {
            let inner = value.map(|value| &value[name]);
            if inner.is_none_or(|inner| !inner.is_null()) {
                let path = format!("{owner}.{name}");
                self.properties(schema, &path, inner, names);
                names.insert(path);
            }
        }
        let nested = [("items", "[]"), ("additionalProperties", ".*")];
        for (keyword, mark) in nested.into_iter().filter(|(keyword, _)| schema[keyword].is_object()) {
            let owner = format!("{owner}{mark}");
            match value {
                None => self.properties(&schema[keyword], &owner, None, names),
                Some(Value::Array(items)) => {
                    items.iter().for_each(|item| self.properties(&schema[keyword], &owner, Some(item), names));
                }
                Some(value) => {
                    object(value).for_each(|(_, item)| self.properties(&schema[keyword], &owner, Some(item), names));
                }
            }
        }
    }
}

/// All validation errors of a value, one line each.
pub(crate) fn faults(validator: &Validator, value: &Value) -> Vec<String> {
    validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

pub(crate) fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

pub(crate) fn object(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}
