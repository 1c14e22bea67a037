//! The parsed document: its operations and the targets of its references.

use saphyr::{LoadableYamlNode, ScalarOwned, YamlOwned};
use serde_json::{Map, Number, Value};

/// The document as JSON.
pub(crate) struct Document(Value);

/// One operation.
#[derive(Clone, Copy)]
pub(crate) struct Operation<'a> {
    /// In upper case.
    pub(crate) method: &'a str,
    /// With parameters in braces.
    pub(crate) path: &'a str,
    /// The part that all operations of the path share.
    shared: &'a Value,
    /// The part of this operation.
    pub(crate) own: &'a Value,
}

impl Document {
    pub(crate) fn read() -> Self {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/openapi.yaml");
        let text = std::fs::read_to_string(path).expect("the document is there");
        let documents = YamlOwned::load_from_str(&text).expect("it is YAML");
        assert_eq!(documents.len(), 1);
        Self(json(&documents[0]))
    }

    pub(crate) fn root(&self) -> &Value {
        &self.0
    }

    pub(crate) fn component<'a>(&'a self, kind: &str, name: &str) -> &'a Value {
        let component = &self.0["components"][kind][name];
        assert!(!component.is_null(), "there is no component {kind}/{name}");
        component
    }

    /// The node itself, or the target of its reference.
    pub(crate) fn resolved<'a>(&'a self, node: &'a Value) -> &'a Value {
        match node["$ref"].as_str() {
            Some(reference) => self.target(reference),
            None => node,
        }
    }

    /// The target of a reference.
    pub(crate) fn target<'a>(&'a self, reference: &str) -> &'a Value {
        let pointer = reference.strip_prefix('#').expect("references point into the document");
        self.0.pointer(pointer).unwrap_or_else(|| panic!("{reference} has no target"))
    }

    pub(crate) fn operations(&self) -> Vec<Operation<'_>> {
        let mut operations = Vec::new();
        for (path, shared) in self.0["paths"].as_object().expect("paths") {
            for (method, word) in [("GET", "get"), ("PUT", "put"), ("POST", "post"), ("DELETE", "delete")] {
                if !shared[word].is_null() {
                    operations.push(Operation { method, path, shared, own: &shared[word] });
                }
            }
        }
        operations
    }

    /// The operation for a request of `path`, which may have a query.
    pub(crate) fn operation(&self, method: &str, path: &str) -> Option<Operation<'_>> {
        let path = path.split('?').next().unwrap_or_default();
        self.operations().into_iter().find(|operation| operation.method == method && fits(operation.path, path))
    }
}

impl<'a> Operation<'a> {
    /// All its parameters, including those of the path.
    pub(crate) fn parameters(self, document: &'a Document) -> Vec<&'a Value> {
        let lists = [&self.shared["parameters"], &self.own["parameters"]];
        let parameters = lists.into_iter().filter_map(Value::as_array).flatten();
        parameters.map(|parameter| document.resolved(parameter)).collect()
    }

    /// The documented response with this status.
    pub(crate) fn response(self, document: &'a Document, status: &str) -> Option<&'a Value> {
        Some(&self.own["responses"][status]).filter(|response| !response.is_null()).map(|r| document.resolved(r))
    }

    /// The media type object of its request body; null when it has none.
    pub(crate) fn body(self, document: &'a Document) -> &'a Value {
        &document.resolved(&self.own["requestBody"])["content"]["application/json"]
    }
}

fn fits(template: &str, path: &str) -> bool {
    let mut given = path.split('/');
    let all = template.split('/').all(|part| given.next().is_some_and(|text| part.starts_with('{') || part == text));
    all && given.next().is_none()
}

fn json(node: &YamlOwned) -> Value {
    match node {
        YamlOwned::Value(ScalarOwned::Null) => Value::Null,
        YamlOwned::Value(ScalarOwned::Boolean(value)) => Value::Bool(*value),
        YamlOwned::Value(ScalarOwned::Integer(value)) => Value::from(*value),
        YamlOwned::Value(ScalarOwned::FloatingPoint(value)) => {
            Number::from_f64(value.0).map(Value::Number).expect("a finite number")
        }
        YamlOwned::Value(ScalarOwned::String(text)) => Value::from(text.as_str()),
        YamlOwned::Sequence(items) => items.iter().map(json).collect(),
        YamlOwned::Mapping(entries) => {
            let mut object = Map::new();
            for (key, value) in entries {
                let key = json(key);
                let before = object.insert(key.as_str().expect("keys are strings").to_owned(), json(value));
                assert!(before.is_none(), "the key {key} is duplicated");
            }
            Value::Object(object)
        }
        other => panic!("{other:?} has no JSON form"),
    }
}
