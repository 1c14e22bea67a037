//! A client of the API that validates every response against the document and records which responses and fields occurred.

use std::collections::BTreeSet;

use serde_json::Value;
use tests::{Answer, World};

use crate::document::Document;
use crate::schema::faults;

pub(crate) struct CheckedClient<'a> {
    pub(crate) world: &'a World,
    document: &'a Document,
    /// The properties that occurred in responses, by component.
    pub(crate) properties: BTreeSet<String>,
    /// The responses that occurred, as `GET /flows 200`.
    pub(crate) answers: BTreeSet<String>,
}

impl<'a> CheckedClient<'a> {
    pub(crate) fn new(world: &'a World, document: &'a Document) -> Self {
        Self { world, document, properties: BTreeSet::new(), answers: BTreeSet::new() }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Value {
        let answer = self.world.get(path).await;
        self.validate("GET", path, &answer)
    }

    pub(crate) async fn post(&mut self, path: &str, body: Value) -> Value {
        let answer = self.world.post(path, body).await;
        self.validate("POST", path, &answer)
    }

    pub(crate) async fn post_once(&mut self, path: &str, key: &str, body: Value) -> Value {
        let answer = self.world.post_once(path, key, body).await;
        self.validate("POST", path, &answer)
    }

    pub(crate) async fn put(&mut self, path: &str, body: Value) -> Value {
        let answer = self.world.put(path, body).await;
        self.validate("PUT", path, &answer)
    }

    pub(crate) async fn put_if_match(&mut self, path: &str, version: &str, body: Value) -> Value {
        let answer = self.world.put_if_match(path, version, body).await;
        self.validate("PUT", path, &answer)
    }

    /// Validates a response against the document and returns its body; null when the document allows any media type.
    fn validate(&mut self, method: &str, path: &str, answer: &Answer) -> Value {
        let document = self.document;
        let what = format!("{method} {path} {}", answer.status);
        let operation =
            document.operation(method, path).unwrap_or_else(|| panic!("{what}: the operation is not documented"));
        let response = operation.response(document, &answer.status.to_string());
        let response =
            response.unwrap_or_else(|| panic!("{what}: the status is not documented\n{}", body_text(answer)));
        self.answers.insert(format!("{method} {} {}", operation.path, answer.status));
        for (name, text) in [("ETag", &answer.etag), ("Location", &answer.location)] {
            let header = document.resolved(&response["headers"][name]);
            let Some(text) = text else {
                assert_ne!(header["required"], true, "{what}: {name} is missing");
                continue;
            };
            assert!(!header.is_null(), "{what}: {name} is not documented");
            let faults = faults(&document.strict(&header["schema"]), &Value::from(text.as_str()));
            assert!(faults.is_empty(), "{what}: {name} {text}: {faults:?}");
        }
        if !response["content"]["*/*"].is_null() {
            return Value::Null;
        }
        let content = &response["content"][&answer.content_type];
        assert!(!content.is_null(), "{what}: {} is not documented\n{}", answer.content_type, body_text(answer));
        let body = answer.json();
        let faults = faults(&document.strict(&content["schema"]), &body);
        assert!(faults.is_empty(), "{what}: {faults:#?}\n{body:#}");
        document.properties(&content["schema"], "", Some(&body), &mut self.properties);
        body
    }
}

fn body_text(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.bytes).into_owned()
}
