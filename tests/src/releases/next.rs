//! Simulates the next release: while the functions work, it adds unknown members, attributes and versions to random items of
//! every shape.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{Rng, text};
use crate::World;
use crate::invariants::Violation;

/// The name of every member and attribute that it adds.
const ADDED: &str = "nextRelease";

/// One item in so many is changed at a time.
const ONE_IN: u64 = 3;

/// The attributes whose unknown members this release must preserve: the documents of a head and of a configuration.
const PRESERVED: [&str; 3] = ["row", "rest", "d"];

/// The simulated next release, with a record of what it added.
#[derive(Debug)]
pub struct NextRelease {
    rng: Rng,
    /// Keys of heads and configurations, with the document that got a new member.
    added: BTreeSet<(String, String, String)>,
    /// How many items it has changed.
    pub changes: usize,
    /// The shapes of these items: the beginnings of their keys.
    pub shapes: BTreeSet<String>,
}

impl NextRelease {
    /// Its changes depend only on the seed and the items.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { rng: Rng::new(seed), added: BTreeSet::new(), changes: 0, shapes: BTreeSet::new() }
    }

    /// Changes some of the items. An item that another writer changes at the same moment stays as it is.
    pub fn write(&mut self, world: &World) {
        for item in world.items() {
            if self.rng.below(ONE_IN) == 0 {
                self.add_to(world, &item);
            }
        }
    }

    /// A violation for each added member that this release should have preserved and did not.
    #[must_use]
    pub fn lost(&self, world: &World) -> Vec<Violation> {
        let items = world.items();
        let of = |pk: &str, sk: &str| items.iter().find(|item| text(item, "pk") == pk && text(item, "sk") == sk);
        let is_lost = |(pk, sk, document): &&(String, String, String)| {
            let json = of(pk, sk).map(|item| text(item, document));
            json.is_some_and(|json| serde_json::from_str::<Value>(json).is_ok_and(|json| json[ADDED].is_null()))
        };
        let violation = |(pk, sk, document): &(String, String, String)| Violation {
            rule: "members of a later release are preserved",
            detail: format!("{pk} {sk}: the member is missing in `{document}`"),
        };
        self.added.iter().filter(is_lost).map(violation).collect()
    }

    fn add_to(&mut self, world: &World, item: &Value) {
        let (pk, sk) = (text(item, "pk"), text(item, "sk"));
        let mut set = Map::new();
        match self.rng.below(3) {
            0 => drop(set.insert("sv".to_owned(), json!({ "N": "2" }))),
            1 => drop(set.insert(ADDED.to_owned(), json!({ "S": "a text" }))),
            _ => {}
        }
        let names = item.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
        let documents: Vec<(&str, String)> =
            names.filter_map(|name| Some((name, added_to(name, text(item, name))?))).collect();
        for (name, json) in &documents {
            set.insert((*name).to_owned(), json!({ "S": json }));
        }
        if set.is_empty() || !update(world, item, &set) {
            return;
        }
        self.changes += 1;
        let prefix = |key: &str| key.split('#').next().unwrap_or_default().to_owned();
        self.shapes.insert(format!(
            "{} {}",
            prefix(pk),
            if pk == prefix(pk) { "" } else { &sk[..sk.find('#').unwrap_or(sk.len())] }
        ));
        let is_preserved = ["HEAD", "CONFIG"].contains(&sk);
        for (name, _) in documents.into_iter().filter(|(name, _)| is_preserved && PRESERVED.contains(name)) {
            self.added.insert((pk.to_owned(), sk.to_owned(), name.to_owned()));
        }
    }
}

/// The document with unknown members added; `None` when the attribute is not a document with members.
fn added_to(name: &str, document: &str) -> Option<String> {
    let is_events = name.strip_prefix('d').is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
    let mut json: Value = serde_json::from_str(document).ok()?;
    match &mut json {
        Value::Object(members) if ["row", "rest", "d", "left"].contains(&name) => add(members),
        Value::Array(events) if is_events && events.iter().all(|event| event["k"] != Value::Null) => {
            for event in events {
                if let Some(kind) = event["k"].as_object_mut().and_then(|kind| kind.values_mut().next()) {
                    kind[ADDED] = json!(true);
                }
                event[ADDED] = json!(["a", 1]);
            }
        }
        _ => return None,
    }
    Some(json.to_string())
}

/// Adds a member to an object and to the objects of a configuration in it.
fn add(members: &mut Map<String, Value>) {
    for part in ["confirmation", "retry", "stages", "fl"] {
        if let Some(Value::Object(part)) = members.get_mut(part) {
            part.insert(ADDED.to_owned(), json!({ "deep": [1, null] }));
        }
    }
    members.insert(ADDED.to_owned(), json!({ "deep": [1, null] }));
}

/// Sets attributes on the condition that they did not change since they were read. Returns whether it did.
fn update(world: &World, item: &Value, set: &Map<String, Value>) -> bool {
    let (mut sets, mut conditions) = (Vec::new(), vec!["attribute_exists(pk)".to_owned()]);
    let (mut names, mut values) = (Map::new(), Map::new());
    for (i, (name, value)) in set.iter().enumerate() {
        names.insert(format!("#a{i}"), name.as_str().into());
        values.insert(format!(":a{i}"), value.clone());
        sets.push(format!("#a{i} = :a{i}"));
        if !item[name].is_null() {
            values.insert(format!(":b{i}"), item[name].clone());
            conditions.push(format!("#a{i} = :b{i}"));
        }
    }
    let request = json!({
        "TableName": "reprise", "Key": { "pk": item["pk"], "sk": item["sk"] },
        "UpdateExpression": format!("SET {}", sets.join(", ")), "ConditionExpression": conditions.join(" AND "),
        "ExpressionAttributeNames": names, "ExpressionAttributeValues": values,
    });
    let request = serde_json::from_value(request).expect("a request");
    world.stack.aws().dynamodb().update_item(request).is_ok()
}
