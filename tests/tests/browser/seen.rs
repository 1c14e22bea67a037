//! Something on the page as the browser tells assistive technology of it: found by its role and its name.

use fantoccini::elements::Element;
use fantoccini::key::Key;
use serde_json::{Value, json};

use crate::page::Page;

/// How the `WebDriver` standard marks an element in JSON.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// An element with a role and a name.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    page: Page,
    /// The browser's number for the element.
    node: u64,
    pub(crate) role: String,
    pub(crate) name: String,
    /// What the tree says of its state: `disabled`, `checked`, `expanded`.
    properties: Value,
}

/// All elements with `role` under `within`, or on the whole page, that assistive technology is told of.
pub(crate) async fn all(page: &Page, within: Option<&Seen>, role: &str) -> Vec<Seen> {
    let node = match within {
        Some(seen) => seen.node,
        None => {
            let document = page.devtools.try_command("DOM.getDocument", json!({ "depth": 0 })).await;
            match document.and_then(|document| document["root"]["backendNodeId"].as_u64()) {
                Some(node) => node,
                None => return Vec::new(),
            }
        }
    };
    let query = json!({ "backendNodeId": node, "role": role });
    // The page may change under the question; who waits asks again.
    let answer = page.devtools.try_command("Accessibility.queryAXTree", query).await.unwrap_or_default();
    let nodes = answer["nodes"].as_array().cloned().unwrap_or_default();
    nodes.iter().filter(|node| node["ignored"] != true).filter_map(|node| Seen::of(page, node)).collect()
}

impl Seen {
    fn of(page: &Page, node: &Value) -> Option<Self> {
        let properties = node["properties"].as_array().into_iter().flatten();
        let properties = properties.filter_map(|p| Some((p["name"].as_str()?.to_owned(), p["value"]["value"].clone())));
        Some(Self {
            page: page.clone(),
            node: node["backendDOMNodeId"].as_u64()?,
            role: node["role"]["value"].as_str()?.to_owned(),
            name: node["name"]["value"].as_str().unwrap_or_default().to_owned(),
            properties: properties.collect(),
        })
    }

    /// A state that the tree tells: `checked` is `true`, `false` or `mixed`.
    pub(crate) fn state(&self, name: &str) -> String {
        match &self.properties[name] {
            Value::String(text) => text.clone(),
            Value::Null => "false".to_owned(),
            other => other.to_string(),
        }
    }

    pub(crate) fn is_disabled(&self) -> bool {
        self.state("disabled") == "true"
    }

    /// The element as `WebDriver` knows it, `None` when it is gone.
    pub(crate) async fn element(&self) -> Option<Element> {
        // The two protocols have no name for an element in common, so it is handed over through the page.
        let resolve = json!({ "backendNodeId": self.node });
        let object = self.page.devtools.try_command("DOM.resolveNode", resolve).await?;
        let hand_over = json!({
            "objectId": object["object"]["objectId"],
            "functionDeclaration": "function () { window[Symbol.for('tests')] = this; }",
        });
        let handed_over = self.page.devtools.try_command("Runtime.callFunctionOn", hand_over).await;
        // Else the browser would keep the element and all that hangs on it for as long as it lives.
        let release = json!({ "objectId": object["object"]["objectId"] });
        self.page.devtools.try_command("Runtime.releaseObject", release).await;
        handed_over?;
        let taken = "const it = window[Symbol.for('tests')]; return it?.isConnected ? it : null;";
        let taken = self.page.client.execute(taken, Vec::new()).await.ok()?;
        let id = taken[ELEMENT].as_str()?.to_owned();
        Some(Element::from_element_id(self.page.client.clone(), id.into()))
    }

    async fn known(&self) -> Element {
        self.element().await.unwrap_or_else(|| panic!("{} “{}” is gone", self.role, self.name))
    }

    /// Clicks as a person does: in its middle, with nothing in the way.
    pub(crate) async fn click(&self) {
        let element = self.known().await;
        element.click().await.unwrap_or_else(|error| panic!("clicking {} “{}”: {error}", self.role, self.name));
    }

    /// Replaces what stands in a field by typing.
    pub(crate) async fn fill(&self, text: &str) {
        let element = self.known().await;
        let all = format!("{}a{}", Key::Control, Key::Null);
        let typed = format!("{all}{}{text}", Key::Delete);
        element.send_keys(&typed).await.unwrap_or_else(|error| panic!("typing into “{}”: {error}", self.name));
    }

    /// Chooses from a list by what the choice says.
    pub(crate) async fn choose(&self, label: &str) {
        let element = self.known().await;
        element.select_by_label(label).await.unwrap_or_else(|error| panic!("“{label}” in “{}”: {error}", self.name));
    }

    /// What stands in a field.
    pub(crate) async fn value(&self) -> String {
        self.known().await.prop("value").await.ok().flatten().unwrap_or_default()
    }

    /// The text as it is shown; empty when it is gone.
    pub(crate) async fn text(&self) -> String {
        match self.element().await {
            Some(element) => element.text().await.unwrap_or_default(),
            None => String::new(),
        }
    }
}
